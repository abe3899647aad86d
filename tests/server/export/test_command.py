"""`energy-server export`: a store as files, whole, and never half a one that looks whole."""

import asyncio
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from energy_server.__main__ import main
from energy_server.model.reading import Origin
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.sqlite import SqliteStateStore
from tests.server.homes import gauge, site
from tests.server.store.holding import line, process
from tests.server.store.readings import DAY_US, HOUR_US, NOON_US, batch, statistics

ROWS: Sequence[tuple[int, float | None]] = [(NOON_US - 400 * DAY_US, 1.5), (NOON_US, None), (NOON_US + 1, 0.1)]


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder of two Sites, as a server leaves it."""
    folder = tmp_path / "data"
    series, state = DuckDBSeriesStore(folder / "series"), SqliteStateStore(folder / "state.sqlite")
    await series.open()
    await state.open()
    for home in ("home", "other/home"):
        await state.save_site(site(home))
        await state.save_catalog(home, [gauge(home=home), gauge("sensor:odd", home=home)], NOON_US)
        await series.append([batch("power", ROWS, site=home, reset_us=NOON_US - HOUR_US)])
    await series.append([batch("sensor:odd", ROWS[:1], Origin.RECORDER, site="home")])
    await series.append([batch("forgotten", ROWS[:2], Origin.IMPORT, site="home")])
    hours = statistics([("power", NOON_US + hour * HOUR_US, float(hour)) for hour in range(3)])
    await series.put_statistics("home", Level.HOUR, Source.ROLLUP, hours)
    await series.put_statistics("home", Level.HOUR, Source.IMPORT, hours)
    await series.close()
    await state.close()
    return folder


def run(data: Path, to: Path, *more: str) -> int:
    return main(["export", str(to), "--data-path", str(data), *more])


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_csv(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "out"
    assert run(data, to) == 0
    assert files(to) == [
        "entities.json",
        "home/readings/forgotten.csv",
        "home/readings/sensor.power.csv",
        "home/readings/sensor.sensor_odd.csv",
        "home/statistics_hour_import/sensor.power.csv",
        "home/statistics_hour_rollup/sensor.power.csv",
        "other_home/readings/sensor.power.csv",
    ]
    with (to / "home/readings/sensor.power.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["time"], row["value"], row["origin"]) for row in rows] == [
        ("2025-09-08T12:00:00.000000Z", "1.5", "live"),
        ("2026-10-13T12:00:00.000000Z", "", "live"),
        ("2026-10-13T12:00:00.000001Z", "0.1", "live"),
    ]
    with (to / "home/statistics_hour_import/sensor.power.csv").open(newline="") as file:
        assert [row["change"] for row in csv.DictReader(file)] == ["0.0", "1.0", "2.0"]
    described = json.loads((to / "entities.json").read_text())
    assert [home["id"] for home in described["sites"]] == ["home", "other/home"]
    assert [entity["key"] for entity in described["sites"][0]["entities"]] == ["power", "sensor:odd", "forgotten"]
    said = capsys.readouterr()
    assert said.out == f"9 readings and 6 statistics are in {to}\n"
    assert "3/3 forgotten: 2 readings" in said.err


def test_parquet(data: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    assert run(data, to, "--format", "parquet", "--site", "home") == 0
    assert {path.rpartition(".")[2] for path in files(to)} == {"json", "parquet"}
    with duckdb.connect() as connection:
        power = connection.execute(
            f"SELECT entity_id, epoch_us(time), value, epoch_us(last_reset), origin "  # noqa: S608
            f"FROM '{to}/home/readings/sensor.power.parquet'"
        ).fetchall()
        held = connection.execute(f"SELECT count(*), count(value) FROM '{to}/home/readings/*.parquet'").fetchall()  # noqa: S608
    assert power == [("sensor.power", ts_us, value, NOON_US - HOUR_US, "live") for ts_us, value in ROWS]
    assert held == [(6, 4)]


def test_a_folder_that_is_not_empty_is_left_alone(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, tmp_path) == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [(("--site", "nobody"), "no such Site"), (("--data-path", "/nowhere"), "no data folder")],
)
def test_what_is_not_there_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: Sequence[str], message: str
) -> None:
    assert run(data, tmp_path / "out", *more) == 1
    assert message in capsys.readouterr().err


async def test_stores_of_a_running_server_are_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with process("hold", str(data / "series")) as child:
        assert await line(child) == "open"
        assert await asyncio.to_thread(run, data, tmp_path / "out") == 1
    assert "Another process uses the store" in capsys.readouterr().err
    assert files(tmp_path / "out") == []
