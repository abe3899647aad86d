"""A recorded power sensor: the product's energy by hour equals an independent computation from its CSV."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy_server.energy.periods import to_us
from energy_server.model.coverage import Span
from energy_server.rollup.accumulate import hours
from tests.server.rollup.histories import POWER, History, Row, rollup
from tests.server.rollup.power_by_hour import energy_by_hour, states_of

START = datetime(2022, 10, 19, 19, tzinfo=UTC)
END = START + timedelta(hours=6)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return a CSV as a recorder would give it, with a while of unavailability."""
    chance = random.Random(7)  # noqa: S311 not for secrets
    path = tmp_path / "power.csv"
    at = START
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("entity_id", "unit", "state", "last_updated"))
        while at < END:
            state = "unavailable" if chance.random() < 0.01 else f"{chance.uniform(80, 3000):.2f}"
            writer.writerow(("sensor.load", "W", state, at.isoformat()))
            at += timedelta(microseconds=chance.randrange(1, 40_000_000))
    return path


def test_energy_by_hour_is_that_of_the_csv(recorded: Path) -> None:
    states = states_of(recorded)
    rows = [Row(to_us(at), None if value is None else float(value)) for at, value in states]
    history = History(POWER, rows=rows, spans=[Span(to_us(START), to_us(END))])
    found = hours(rollup(history, to_us(START), to_us(END)).columns)
    wanted = energy_by_hour(states, END)
    assert found.start_us.tolist() == [to_us(hour) for hour in wanted]
    assert found.change.tolist() == pytest.approx(list(wanted.values()), abs=1e-9)


def test_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text("timestamp,value\n2026-03-10T10:30:00+00:00,1000\n2026-03-10T12:15:00+01:00,unknown\n")
    found = energy_by_hour(states_of(path), datetime(2026, 3, 10, 12, tzinfo=UTC))
    assert list(found.values()) == [0.5, 0.25]
