"""Readings: exact, reduced, limited; and what is wrong with a request."""

from typing import Any

import pytest

from energy_server.api import answers
from energy_server.api.readings import MOST_POINTS, MOST_READINGS
from tests.server.homes import START_US, gauge, read, settle
from tests.server.serving import Running

SECOND_US = 1_000_000
BASE = {"key": "power", "start": str(START_US), "end": str(START_US + 3600 * SECOND_US)}


@pytest.fixture
async def home(server: Running) -> Running:
    """Return a server with an hour of readings, each second its number, one of them unavailable."""
    await settle(server.core, [gauge()])
    instants = [START_US + second * SECOND_US + 123_456 for second in range(-10, 3600)]
    values = [None if second == 100 else float(second) for second in range(-10, 3600)]
    await read(server.core, "power", instants, values)
    return server


async def test_every_reading_is_exact(home: Running) -> None:
    body = await home.get("/api/readings", **BASE)
    answers.RawReadings.model_validate(body)
    assert body["ts_us"] == [START_US + second * SECOND_US + 123_456 for second in range(3600)]
    assert body["value"] == [None if second == 100 else float(second) for second in range(3600)]
    assert body["before"] == {"ts_us": START_US - SECOND_US + 123_456, "value": -1.0}
    assert body["unit"] == "W"


async def test_an_unavailable_one_is_in_force_too(home: Running) -> None:
    start_us = START_US + 101 * SECOND_US
    body = await home.get("/api/readings", **{**BASE, "start": str(start_us)})
    assert body["before"] == {"ts_us": START_US + 100 * SECOND_US + 123_456, "value": None}


async def test_nothing_is_in_force_before_the_first(home: Running) -> None:
    body = await home.get("/api/readings", key="power", start="1", end=str(START_US))
    assert body["before"] is None
    assert len(body["ts_us"]) == 10


async def test_buckets_keep_the_extremes(home: Running) -> None:
    body = await home.get("/api/readings", points=60, **BASE)
    answers.ReducedReadings.model_validate(body)
    assert body["bucket_us"] == 60 * SECOND_US
    assert len(body["bucket_start_us"]) <= 60
    assert sum(body["count"]) == 3599
    assert (min(body["min"]), max(body["max"])) == (0, 3599)
    assert all(low <= mean <= high for low, mean, high in zip(body["min"], body["mean"], body["max"], strict=True))


async def test_few_readings_come_as_they_are(home: Running) -> None:
    end = str(START_US + 50 * SECOND_US)
    body = await home.get("/api/readings", points=50, **{**BASE, "end": end})
    assert not body["reduced"]
    assert len(body["ts_us"]) == 50


async def test_an_empty_span_is_an_empty_answer(home: Running) -> None:
    for points in ({}, {"points": 10}):
        body = await home.get("/api/readings", key="power", start="2020-01-01", end="2020-01-02", **points)
        assert (body["reduced"], body["ts_us"], body["value"], body["before"]) == (False, [], [], None)


async def test_too_many_readings_are_refused_with_advice(server: Running) -> None:
    await settle(server.core, [gauge()])
    count = MOST_READINGS + 1
    await read(server.core, "power", range(START_US, START_US + count * SECOND_US, SECOND_US), [1.0] * count)
    span = {"key": "power", "start": str(START_US), "end": str(START_US + count * SECOND_US)}
    error = await server.error("/api/readings", status=400, **span)
    assert (error["code"], error["field"]) == ("too_many", "points")
    assert "points" in error["message"]
    just = {**span, "end": str(START_US + (count - 1) * SECOND_US)}
    assert len((await server.get("/api/readings", **just))["ts_us"]) == MOST_READINGS
    assert sum((await server.get("/api/readings", points=500, **span))["count"]) == count


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"key": None}, "key", 400),
        ({"key": ""}, "key", 400),
        ({"key": "nobody"}, "key", 404),
        ({"key": "power'; DROP TABLE readings; --"}, "key", 404),
        ({"key": "x" * 300}, "key", 400),
        ({"start": None}, "start", 400),
        ({"start": "yesterday"}, "start", 400),
        ({"end": "2026-11-01T00:00:00"}, "end", 400),
        ({"end": "2026-10-01"}, "end", 400),
        ({"start": BASE["end"], "end": BASE["start"]}, "end", 400),
        ({"zone": "Mars"}, "zone", 400),
        ({"points": "0"}, "points", 400),
        ({"points": "-1"}, "points", 400),
        ({"points": "1.5"}, "points", 400),
        ({"points": "many"}, "points", 400),
        ({"points": str(MOST_POINTS + 1)}, "points", 400),
        ({"site": "elsewhere"}, "site", 404),
        ({"site": ""}, "site", 400),
        ({"key": ["power", "power"]}, "key", 400),
    ],
)
async def test_what_is_wrong_is_named(home: Running, wrong: dict[str, Any], field: str, status: int) -> None:
    query = {name: value for name, value in (BASE | wrong).items() if value is not None}
    assert (await home.error("/api/readings", status=status, **query))["field"] == field


async def test_a_site_must_be_named_where_there_are_several(home: Running) -> None:
    await settle(home.core, [gauge(home="cabin")], home="cabin")
    assert (await home.error("/api/readings", status=400, **BASE))["field"] == "site"
    assert len((await home.get("/api/readings", site="home", **BASE))["ts_us"]) == 3600
    assert (await home.get("/api/readings", site="cabin", **BASE))["ts_us"] == []


async def test_before_the_first_connection_there_is_nothing(server: Running) -> None:
    error = await server.error("/api/readings", status=404, **BASE)
    assert (error["code"], error["field"]) == ("not_found", "site")
