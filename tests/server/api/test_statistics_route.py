"""Statistics: rollups, imported hours where they are better, limits."""

from typing import Any

import pytest

from energy_server.api import answers
from energy_server.api.statistics import MOST_KEYS
from energy_server.model.entity import Role
from energy_server.model.statistic import HOUR_US, Level, Source
from tests.server.homes import DAY_US, START_US, gauge, meter, roll, settle
from tests.server.serving import Running

BASE = {"key": "solar", "level": "hour", "start": "2026-11-01", "end": "2026-11-02"}


@pytest.fixture
async def home(server: Running) -> Running:
    await settle(server.core, [meter(Role.SOLAR, "solar:0"), gauge()])
    return server


async def test_rows_are_as_they_were_rolled_up(home: Running) -> None:
    await roll(home.core, "solar", Level.FIVE_MINUTES, [0.25] * 288)
    body = await home.get("/api/statistics", **{**BASE, "level": "5min"})
    answers.Statistics.model_validate(body)
    assert (body["level"], body["period_us"]) == ("5min", 300_000_000)
    (series,) = body["series"]
    assert series["start_us"] == [START_US + part * 300_000_000 for part in range(288)]
    assert series["change"] == [0.25] * 288
    assert series["mean"] == [None] * 288
    assert series["covered_s"] == [300.0] * 288
    assert series["provenance"] == ["measured"] * 288


async def test_an_imported_hour_counts_where_the_rollup_lacks_coverage(home: Running) -> None:
    await roll(home.core, "solar", Level.HOUR, [1.0, 1.0], start_us=START_US + 2 * HOUR_US)
    await roll(home.core, "solar", Level.HOUR, [2.0], start_us=START_US + 4 * HOUR_US, covered_s=3_299)
    await roll(home.core, "solar", Level.HOUR, [3.0], start_us=START_US + 6 * HOUR_US, covered_s=10)
    await roll(home.core, "solar", Level.HOUR, [9.0] * 6, source=Source.IMPORT)
    (series,) = (await home.get("/api/statistics", **BASE))["series"]
    assert series["start_us"] == [START_US + hour * HOUR_US for hour in range(7)]
    assert series["change"] == [9, 9, 1, 1, 9, 9, 3]
    assert series["provenance"] == ["statistics"] * 2 + ["measured"] * 2 + ["statistics"] * 2 + ["measured"]


async def test_imported_hours_alone_are_enough(home: Running) -> None:
    await roll(home.core, "solar", Level.HOUR, [9.0] * 24, source=Source.IMPORT)
    (series,) = (await home.get("/api/statistics", **BASE))["series"]
    assert series["change"] == [9.0] * 24


async def test_keys_come_in_the_order_in_which_they_were_asked_for(home: Running) -> None:
    await roll(home.core, "solar", Level.HOUR, [1.0])
    await roll(home.core, "power", Level.HOUR, [2.0])
    body = await home.get("/api/statistics", **{**BASE, "key": ["power", "solar", "power"]})
    assert [(one["key"], one["unit"], one["change"]) for one in body["series"]] == [
        ("power", "W", [2]),
        ("solar", "kWh", [1]),
    ]


async def test_nothing_known_is_an_empty_series(home: Running) -> None:
    (series,) = (await home.get("/api/statistics", **BASE))["series"]
    assert series["start_us"] == []


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"key": None}, "key", 400),
        ({"key": []}, "key", 400),
        ({"key": ["solar", ""]}, "key", 400),
        ({"key": ["solar", "nobody"]}, "key", 404),
        ({"key": ["solar"] * (MOST_KEYS + 1)}, "key", 400),
        ({"level": None}, "level", 400),
        ({"level": "day"}, "level", 400),
        ({"level": ["hour", "5min"]}, "level", 400),
        ({"end": "2026-11-01"}, "end", 400),
        ({"zone": "here"}, "zone", 400),
        ({"points": "3"}, "points", 400),
    ],
)
async def test_what_is_wrong_is_named(home: Running, wrong: dict[str, Any], field: str, status: int) -> None:
    query = {name: value for name, value in (BASE | wrong).items() if value is not None}
    assert (await home.error("/api/statistics", status=status, **query))["field"] == field


async def test_too_many_rows_are_refused_before_they_are_read(home: Running) -> None:
    error = await home.error("/api/statistics", status=400, **{**BASE, "level": "5min", "start": "2020-01-01"})
    assert (error["code"], error["field"]) == ("too_many", "end")
    assert (await home.get("/api/statistics", **{**BASE, "start": "2010-01-01"}))["series"]


async def test_the_span_ends_before_its_end(home: Running) -> None:
    await roll(home.core, "solar", Level.HOUR, [1.0] * 48)
    (series,) = (await home.get("/api/statistics", **BASE))["series"]
    assert series["start_us"][-1] == START_US + DAY_US - HOUR_US
