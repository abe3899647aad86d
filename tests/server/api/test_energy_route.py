"""Energy: local days, totals that agree with their parts, completeness, limits."""

from typing import Any

import numpy as np
import pytest

from energy_server.api import answers
from energy_server.api.energy import MOST_INTERVALS
from energy_server.model.coverage import CoverageSource
from energy_server.model.statistic import HOUR_US, Level, Source
from tests.server.homes import DAY_US, START_US, cover, meter, meters, roll, settle
from tests.server.serving import Running

BASE = {"start": "2026-11-01", "end": "2026-11-03", "resolution": "day"}
DAILY_KWH = {"grid_import": 288 * 0.03, "solar": 288 * 0.05, "grid_export": 288 * 0.01}


@pytest.fixture
async def home(server: Running) -> Running:
    """Return a server with two days of a home whose flows are the same all the time."""
    entities = meters(devices=1)
    await settle(server.core, entities)
    each = {"grid_import": 0.03, "solar": 0.05, "grid_export": 0.01, "device_1": 0.02, "gas": 0.001, "water": 0.002}
    for entity in entities:
        await roll(server.core, entity.key, Level.FIVE_MINUTES, [each.get(entity.key, 0.0)] * 576)
        await roll(server.core, entity.key, Level.HOUR, [12 * each.get(entity.key, 0.0)] * 48)
    await server.core.state.put_document("rolled_until:home", {"ts_us": START_US + 2 * DAY_US})
    return server


async def test_days_are_local_and_add_up(home: Running) -> None:
    body = await home.get("/api/energy", **BASE)
    answers.Energy.model_validate(body)
    assert body["edges_us"] == [START_US, START_US + DAY_US, START_US + 2 * DAY_US]
    assert (body["site"], body["zone"]) == ("home", "Europe/Berlin")
    for name, daily_kwh in DAILY_KWH.items():
        assert body["flows"][name] == pytest.approx([daily_kwh] * 2)
    assert body["flows"]["home"] == pytest.approx([288 * 0.07] * 2)
    assert body["devices"][0]["values"] == pytest.approx([288 * 0.02] * 2)
    assert body["untracked"] == pytest.approx([288 * 0.05] * 2)
    assert body["gas"] == {
        "unit": "m³",
        "values": pytest.approx([0.288] * 2),
        "provenance": ["measured"] * 2,
        "total": pytest.approx(0.576),
    }
    assert body["water"]["total"] == pytest.approx(1.152)
    assert body["provenance"] == ["measured"] * 2
    for name in answers.Flows.model_fields:
        assert body["totals"][name] == pytest.approx(sum(body["flows"][name]))
    assert 0 < body["totals"]["self_sufficiency"] < 1
    assert all(body["has"].values())


@pytest.mark.parametrize("resolution", ["5min", "hour", "day", "week", "month", "year", "total"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"])
async def test_any_partition_has_the_same_total(home: Running, resolution: str, zone: str) -> None:
    span = {"start": str(START_US), "end": str(START_US + 2 * DAY_US)}
    body = await home.get("/api/energy", resolution=resolution, zone=zone, **span)
    assert body["zone"] == zone
    assert len(body["edges_us"]) == len(body["provenance"]) + 1
    for name in answers.Flows.model_fields:
        assert len(body["flows"][name]) == len(body["provenance"])
        assert sum(body["flows"][name]) == pytest.approx(body["totals"][name])
    assert body["totals"]["home"] == pytest.approx(2 * 288 * 0.07)
    assert body["totals"]["grid_import"] == pytest.approx(2 * DAILY_KWH["grid_import"])


async def test_what_is_unknown_is_null_and_missing(home: Running) -> None:
    body = await home.get("/api/energy", **{**BASE, "start": "2026-10-31", "end": "2026-11-02"})
    assert body["flows"]["solar"][0] is None
    assert body["flows"]["home"][0] is None
    assert body["provenance"] == ["missing", "measured"]
    nothing = await home.get("/api/energy", start="2020-01-01", end="2021-01-01", resolution="total")
    assert nothing["totals"]["home"] is None
    assert nothing["totals"]["self_sufficiency"] is None


async def test_gas_water_and_devices_say_how_they_are_known(server: Running) -> None:
    """Of gas one hour is known, of the device the first day: that the electricity is all known does not hide it."""
    core = server.core
    needed = ("grid_import", "device_1", "gas", "water")
    await settle(core, [one for one in meters(devices=1) if one.key in needed])
    known = {"grid_import": 48, "device_1": 24, "gas": 1, "water": 48}
    for key, hours in known.items():
        await roll(core, key, Level.FIVE_MINUTES, [0.01] * 12 * hours)
        await roll(core, key, Level.HOUR, [0.12] * hours)
    await core.state.put_document("rolled_until:home", {"ts_us": START_US + 2 * DAY_US})
    body = await server.get("/api/energy", **BASE)
    answers.Energy.model_validate(body)
    assert body["provenance"] == ["measured", "measured"]
    assert body["water"]["provenance"] == ["measured", "measured"]
    assert body["gas"]["provenance"] == ["missing", "missing"]
    assert body["devices"][0]["provenance"] == ["measured", "missing"]
    assert body["untracked"] == pytest.approx([0.0, 2.88])
    assert body["untracked_provenance"] == ["measured", "missing"]


async def test_what_nothing_came_of_for_long_is_missing_and_not_merely_to_come(home: Running) -> None:
    to_come = await home.get("/api/energy", **{**BASE, "end": "2026-11-04", "resolution": "total"})
    assert to_come["provenance"] == ["measured"]
    await cover(home.core, START_US, START_US + 2 * DAY_US, CoverageSource.LIVE)
    away = await home.get("/api/energy", **{**BASE, "end": "2026-11-04", "resolution": "total"})
    assert away["provenance"] == ["missing"]
    assert away["totals"]["home"] == pytest.approx(2 * 288 * 0.07)


async def test_imported_hours_fill_the_time_before(home: Running) -> None:
    start_us = START_US - DAY_US
    for key in ("grid_import", "solar", "grid_export", "battery_discharge", "battery_charge"):
        await roll(home.core, key, Level.HOUR, [0.5] * 24, start_us=start_us, source=Source.IMPORT)
    body = await home.get("/api/energy", **{**BASE, "start": "2026-10-31", "end": "2026-11-02"})
    assert body["flows"]["solar"] == pytest.approx([12, DAILY_KWH["solar"]])
    assert body["provenance"] == ["statistics", "measured"]


async def test_a_home_without_settings_has_nothing(server: Running) -> None:
    await settle(server.core, [])
    body = await server.get("/api/energy", **BASE)
    answers.Energy.model_validate(body)
    assert not any(body["has"].values())
    assert body["devices"] == []
    assert body["gas"] is None


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"resolution": None}, "resolution", 400),
        ({"resolution": "fortnight"}, "resolution", 400),
        ({"start": None}, "start", 400),
        ({"end": "2026-10-01"}, "end", 400),
        ({"start": "1969-01-01"}, "start", 400),
        ({"zone": "Mars/Olympus"}, "zone", 400),
        ({"site": "nowhere"}, "site", 404),
        ({"key": "solar"}, "key", 400),
    ],
)
async def test_what_is_wrong_is_named(home: Running, wrong: dict[str, Any], field: str, status: int) -> None:
    query = {name: value for name, value in (BASE | wrong).items() if value is not None}
    assert (await home.error("/api/energy", status=status, **query))["field"] == field


async def test_too_many_intervals_are_refused(home: Running) -> None:
    error = await home.error("/api/energy", status=400, resolution="5min", start="2026-01-01", end="2026-12-01")
    assert (error["code"], error["field"]) == ("too_many", "resolution")
    assert f"{MOST_INTERVALS:,}" in error["message"]
    error = await home.error("/api/completeness", status=400, start="1970-01-02", end="2099-01-01")
    assert error["code"] == "too_many"


async def test_completeness_of_local_days(home: Running) -> None:
    core = home.core
    await cover(core, START_US, START_US + 30 * HOUR_US, CoverageSource.LIVE)
    await cover(
        core, START_US + 32 * HOUR_US, START_US + 36 * HOUR_US, CoverageSource.STATES, *(one.key for one in meters(1))
    )
    body = await home.get("/api/completeness", start="2026-11-01", end="2026-11-03")
    answers.Completeness.model_validate(body)
    first, second = body["days"]
    assert (first["date"], first["length_s"], first["live_s"]) == ("2026-11-01", 86_400, 86_400)
    assert (second["live_s"], second["backfilled_s"]) == (6 * 3600, 4 * 3600)
    for day in body["days"]:
        parts = day["live_s"] + day["backfilled_s"] + day["statistics_s"] + day["missing_s"]
        assert parts <= day["length_s"] + 1e-6


async def test_entities_say_how_complete_their_last_day_is(home: Running) -> None:
    now_us = home.core.clock_us()
    young = meter(meters()[0].roles[0].role, "grid:0", since_us=now_us - 2 * HOUR_US)
    await settle(home.core, [young], now_us=now_us)
    await cover(home.core, now_us - HOUR_US, now_us - 1_000_000, CoverageSource.LIVE)
    entities = {entity["key"]: entity for entity in (await home.get("/api/entities"))["entities"]}
    for described in entities.values():
        answers.Entity.model_validate(described)
    assert entities["grid_import"]["complete_24h"] == pytest.approx(0.5, abs=0.001)
    assert entities["solar"]["until_us"] == now_us
    assert entities["solar"]["complete_24h"] == pytest.approx(1 / 24, abs=0.001)


async def test_status_says_what_is_lacking(home: Running) -> None:
    now_us = home.core.clock_us()
    await settle(home.core, [meter(meters()[0].roles[0].role, "grid:0")], now_us=now_us)
    await cover(home.core, now_us - 4 * HOUR_US, now_us - 3 * HOUR_US, CoverageSource.LIVE)
    await cover(home.core, now_us - 2 * HOUR_US, now_us - 1_000_000, CoverageSource.LIVE)
    status = await home.get("/api/status")
    answers.Status.model_validate(status)
    (site,) = status["sites"]
    assert site["complete"]["live_since_us"] == now_us - 4 * HOUR_US
    assert site["complete"]["share"] == pytest.approx(0.75, abs=0.001)
    hole = {"since_us": now_us - 3 * HOUR_US, "until_us": now_us - 2 * HOUR_US, "entities": 1, "reason": None}
    assert site["gaps"] == [hole]
    await cover(home.core, now_us - 3 * HOUR_US, now_us - 2 * HOUR_US, CoverageSource.HA_OFF)
    (site,) = (await home.get("/api/status"))["sites"]
    assert site["complete"]["share"] == pytest.approx(0.75, abs=0.001), "nothing is lacking, but it is not recorded"
    assert site["gaps"] == [hole | {"reason": "ha_off"}]
    described = (await home.get("/api/entities"))["entities"][0]
    assert described["complete_24h"] == pytest.approx(3 / 24, abs=0.001)


async def test_the_answer_is_exact_not_rounded(home: Running) -> None:
    odd = np.nextafter(0.1, 1)
    await roll(home.core, "gas", Level.HOUR, [odd], start_us=START_US + 10 * DAY_US)
    start_us = START_US + 10 * DAY_US
    body = await home.get("/api/energy", resolution="hour", start=str(start_us), end=str(start_us + HOUR_US))
    assert body["gas"]["values"] == [odd]
