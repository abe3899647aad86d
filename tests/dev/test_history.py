"""The history that is imported, and how it joins what Home Assistant counts from its first state on."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev.energy_settings import MONEY
from dev.simulated_home import history
from dev.simulated_home.history import HOUR_S, Hours, Series
from dev.simulated_home.model import Channel, House
from dev.simulated_home.sensors import SENSORS, Counter, Sensor, Session, reset_s, shown
from tests.dev.days import FIRST_S, LAST_S

BEGIN_S = FIRST_S + 5 * HOUR_S
STEP = 0.0011  # a counter that begins again is cut to whole steps at each beginning
COUNTERS = [(sensor, sensor.source) for sensor in SENSORS if isinstance(sensor.source, Counter)]
MEASURED = [sensor for sensor in SENSORS if not isinstance(sensor.source, Counter)]


@pytest.fixture(scope="module")
def days(house: House) -> list[Hours]:
    return list(history.compute(house, BEGIN_S, LAST_S))


def shown_first(house: House, sensor: Sensor, at_s: int) -> float:
    """Return the first number that the sensor shows from here on."""
    value = None
    while value is None:
        value = shown(house, sensor, at_s)
        at_s += 1
    return value


def made(house: House, days: list[Hours], sensor: Sensor, start_s: int) -> Series:
    """Return the history of a sensor of a home that was set up at `start_s`."""
    first = shown_first(house, sensor, start_s) if isinstance(sensor.source, Counter) else None
    return history.series(house, sensor, days, BEGIN_S, start_s // HOUR_S * HOUR_S, first)


def live_sum(house: House, sensor: Sensor, start_s: int, end_s: int) -> float:
    """Return the sum that Home Assistant's recorder counts from the first state, by its rules for resets."""
    total, before, reset = 0.0, shown_first(house, sensor, start_s), reset_s(house, sensor, start_s)
    for at_s in range(start_s, end_s + 1, 10):
        value = shown(house, sensor, at_s)
        if value is None:
            continue
        fell = value < 0.9 * before and not isinstance(sensor.source, Session)
        if fell or reset_s(house, sensor, at_s) != reset:
            before, reset = 0.0, reset_s(house, sensor, at_s)
        total, before = total + value - before, value
    return total


def at(row: history.Row) -> int:
    return int(datetime.fromisoformat(str(row["start"])).timestamp())


@settings(max_examples=12, deadline=None)
@given(start_s=st.integers(FIRST_S + 30 * HOUR_S, LAST_S - 30 * HOUR_S))
def test_the_history_joins_what_home_assistant_counts(house: House, days: list[Hours], start_s: int) -> None:
    start_s = start_s // 10 * 10
    end_s = (start_s // HOUR_S + 1) * HOUR_S
    for sensor, source in COUNTERS:
        rows = made(house, days, sensor, start_s).rows
        assert at(rows[-1]) + HOUR_S == start_s // HOUR_S * HOUR_S
        total = house.total(source.channel, end_s) - house.total(source.channel, end_s - HOUR_S)
        raw_per_step, per_unit = source.step.value
        joined = live_sum(house, sensor, start_s, end_s) - float(rows[-1]["sum"])
        assert joined == pytest.approx(total / raw_per_step / per_unit, abs=2 / per_unit + STEP), sensor.key


def test_each_hour_has_its_row_and_sums_only_grow(house: House, days: list[Hours]) -> None:
    start_s = LAST_S - 20 * HOUR_S
    for sensor in SENSORS:
        rows = made(house, days, sensor, start_s).rows
        hours = rows[1:] if isinstance(sensor.source, Counter) else rows
        assert [at(row) for row in hours] == list(range(BEGIN_S, start_s // HOUR_S * HOUR_S, HOUR_S))
        if isinstance(sensor.source, Counter):
            sums = [float(row["sum"]) for row in rows]
            assert sums == sorted(sums)


def test_the_anchor_makes_the_first_hour_as_large_as_it_was(house: House, days: list[Hours]) -> None:
    for sensor, source in COUNTERS:
        anchor, first = made(house, days, sensor, LAST_S - 20 * HOUR_S).rows[:2]
        raw_per_step, per_unit = source.step.value
        raw = house.total(source.channel, BEGIN_S + HOUR_S) - house.total(source.channel, BEGIN_S)
        expected = raw / raw_per_step / per_unit
        assert float(first["sum"]) - float(anchor["sum"]) == pytest.approx(expected, abs=1.001 / per_unit)
        assert datetime.fromisoformat(str(anchor["start"])) < datetime(2018, 1, 1, tzinfo=UTC)


def test_the_state_of_a_row_is_what_was_shown_at_the_hours_end(house: House, days: list[Hours]) -> None:
    for sensor, _ in COUNTERS:
        for row in made(house, days, sensor, LAST_S - 20 * HOUR_S).rows[1:]:
            value = shown(house, sensor, at(row) + HOUR_S)
            assert value is None or value == row["state"], sensor.key


def test_means_lie_between_the_lowest_and_the_highest(house: House, days: list[Hours]) -> None:
    for sensor in MEASURED:
        for row in made(house, days, sensor, LAST_S).rows:
            assert float(row["min"]) - 1e-4 <= float(row["mean"]) <= float(row["max"]) + 1e-4


def test_the_mean_of_a_power_is_the_energy_of_its_hour(house: House, days: list[Hours]) -> None:
    power = next(sensor for sensor in SENSORS if sensor.key == "heat_pump_power")
    energy = next(sensor for sensor in SENSORS if sensor.key == "heat_pump_energy")
    powers, energies = made(house, days, power, LAST_S).rows, made(house, days, energy, LAST_S).rows
    for row, before, after in zip(powers, energies, energies[1:], strict=False):
        assert float(row["mean"]) / 1000 == pytest.approx(float(after["sum"]) - float(before["sum"]), abs=0.0011)


def test_a_counters_history_needs_what_it_showed_first(house: House, days: list[Hours]) -> None:
    with pytest.raises(ValueError, match="showed first"):
        history.series(house, COUNTERS[0][0], days, BEGIN_S, LAST_S // HOUR_S * HOUR_S, None)


def test_a_cost_is_the_energy_of_each_hour_at_its_price(house: House, days: list[Hours]) -> None:
    seen_s = LAST_S - 20 * HOUR_S + 700
    money = next(money for money in MONEY if isinstance(money.price, str))
    rows = history.money_series(house, money, days, BEGIN_S, seen_s).rows
    energies = made(house, days, next(s for s in SENSORS if s.key == money.counter), seen_s).rows
    prices = made(house, days, next(s for s in SENSORS if s.key == money.price), seen_s).rows
    assert len(rows) == len(energies) == len(prices) + 1
    grown = zip(pairwise(rows), pairwise(energies), prices, strict=True)
    for (cost, next_cost), (energy, next_energy), price in grown:
        kwh = float(next_energy["sum"]) - float(energy["sum"])
        assert float(next_cost["sum"]) - float(cost["sum"]) == pytest.approx(kwh * float(price["mean"]), abs=0.001)
    rest = house.total(Channel.GRID_IMPORT, seen_s) - house.total(Channel.GRID_IMPORT, seen_s // HOUR_S * HOUR_S)
    price_now = shown(house, next(s for s in SENSORS if s.key == money.price), seen_s)
    assert price_now is not None
    assert -float(rows[-1]["sum"]) == pytest.approx(rest / 3.6e7 * price_now, abs=0.001)
