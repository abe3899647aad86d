"""Energy over HTTP, of random homes: any partition of any range adds up to the range; odd ranges are answered."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest

from energy_server.api import answers
from energy_server.model.coverage import CoverageSource
from energy_server.model.entity import Kind
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level
from tests.server.api.random_homes import FIRST_US, HOURS, RandomHome
from tests.server.api.test_energy_route import BASE
from tests.server.homes import DAY_US, START_US, cover, meter, meters, roll, settle
from tests.server.serving import Running

SAME_KWH = 1e-9
LAST_US = FIRST_US + HOURS * HOUR_US
# Whole hours with a change of the clocks inside, half hours, quarters, and a change of the clocks by half an hour.
ZONES = ("Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "UTC")
RESOLUTIONS = ("5min", "hour", "day", "week", "month", "year", "total")


async def random_home(server: Running, seed: int) -> RandomHome:
    core = server.core
    home = RandomHome(core.series, [core.energy.changed], random.Random(seed))  # noqa: S311 not for secrets
    await settle(core, home.entities)
    await home.fill()
    await core.state.put_document("rolled_until:home", {"ts_us": LAST_US})
    return home


def amounts(body: dict[str, Any]) -> dict[str, float]:
    """Return the sums of all columns; what is not known is nothing."""
    columns = {f"flows.{name}": body["flows"][name] for name in answers.Flows.model_fields}
    columns |= {device["key"]: device["values"] for device in body["devices"]}
    columns |= {name: body[name]["values"] for name in ("gas", "water")}
    columns["untracked"] = body["untracked"]
    return {name: math.fsum(value for value in values if value is not None) for name, values in columns.items()}


@pytest.mark.parametrize("seed", range(5))
async def test_any_partition_of_any_range_is_the_range(server: Running, seed: int) -> None:
    """The parts are asked for one by one, each by another resolution and zone, also while Statistics change."""
    home = await random_home(server, seed)
    chance = home.chance
    for _ in range(4):
        await home.happen_to_statistics()
        grid = sorted(chance.sample(range(-20, HOURS * 12 + 20), chance.choice((2, 3, 6))))
        borders = [FIRST_US + at * FIVE_MINUTES_US for at in grid]
        if chance.random() < 0.3:
            borders = sorted(at + chance.randrange(FIVE_MINUTES_US) for at in borders)
        span = {"start": str(borders[0]), "end": str(borders[-1])}
        whole = amounts(await server.get("/api/energy", **span, resolution="total", zone=chance.choice(ZONES)))
        parts = [
            amounts(
                await server.get(
                    "/api/energy",
                    start=str(since),
                    end=str(until),
                    resolution=chance.choice(RESOLUTIONS),
                    zone=chance.choice(ZONES),
                )
            )
            for since, until in pairwise(borders)
        ]
        for name, amount in whole.items():
            assert math.fsum(part[name] for part in parts) == pytest.approx(amount, abs=SAME_KWH), name


@pytest.mark.parametrize("zone", ZONES)
async def test_each_resolution_has_the_same_sum(server: Running, zone: str) -> None:
    await random_home(server, 7)
    span = {"start": "2026-03-25", "end": "2026-04-02", "zone": zone}
    found = {one: await server.get("/api/energy", **span, resolution=one) for one in RESOLUTIONS}
    whole = amounts(found["total"])
    for resolution, body in found.items():
        for name, amount in amounts(body).items():
            assert amount == pytest.approx(whole[name], abs=SAME_KWH), (resolution, name)
    # A measured flow is its meter's, whatever is derived from it.
    for name, value in found["5min"]["totals"].items():
        if name in answers.Flows.model_fields:
            assert value is not None


@pytest.fixture
async def home(server: Running) -> Running:
    """Return a server with a day of a home, the same all the time."""
    await settle(server.core, meters(devices=1))
    for entity in meters(devices=1):
        await roll(server.core, entity.key, Level.FIVE_MINUTES, [0.01] * 288)
        await roll(server.core, entity.key, Level.HOUR, [0.12] * 24)
    await server.core.state.put_document("rolled_until:home", {"ts_us": START_US + DAY_US})
    return server


class TestOddRanges:
    @pytest.mark.parametrize(("since", "until"), [("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01")])
    async def test_a_range_runs_forward(self, home: Running, since: str, until: str) -> None:
        error = await home.error("/api/energy", status=400, **(BASE | {"start": since, "end": until}))
        assert (error["code"], error["field"]) == ("invalid_parameter", "end")

    @pytest.mark.parametrize(("since", "until"), [("2031-01-01", "2031-01-03"), ("1990-01-01", "1990-01-03")])
    async def test_the_future_and_the_time_before_any_data_are_not_known(
        self, home: Running, since: str, until: str
    ) -> None:
        body = await home.get("/api/energy", **(BASE | {"start": since, "end": until}))
        answers.Energy.model_validate(body)
        assert body["provenance"] == ["missing", "missing"]
        assert all(values == [None, None] for values in body["flows"].values())
        assert all(value is None for value in body["totals"].values())

    async def test_what_is_to_come_of_today_changes_no_total(self, home: Running) -> None:
        body = await home.get("/api/energy", **(BASE | {"end": "2026-11-30"}))
        assert body["provenance"][0] == "measured"
        assert set(body["provenance"][1:]) == {"missing"}
        assert body["totals"]["grid_import"] == pytest.approx(2.88)

    @pytest.mark.parametrize(
        ("day", "hours", "offsets"),
        [("2026-03-29", 23, ("+01:00", "+02:00")), ("2026-10-25", 25, ("+02:00", "+01:00"))],
    )
    async def test_a_day_on_which_clocks_change(
        self, home: Running, day: str, hours: int, offsets: tuple[str, str]
    ) -> None:
        following = f"{day[:-2]}{int(day[-2:]) + 1}"
        by_hour = await home.get("/api/energy", start=day, end=following, resolution="hour")
        assert len(by_hour["provenance"]) == hours
        by_instant = await home.get(
            "/api/energy",
            start=f"{day}T00:00:00{offsets[0]}",
            end=f"{following}T00:00:00{offsets[1]}",
            resolution="hour",
        )
        assert by_instant["edges_us"] == by_hour["edges_us"]

    async def test_thirty_years(self, home: Running) -> None:
        span = {"start": "1997-01-01", "end": "2027-01-01"}
        for resolution, intervals in (("week", 1566), ("month", 360), ("year", 30), ("total", 1)):
            body = await home.get("/api/energy", **span, resolution=resolution)
            assert len(body["provenance"]) == intervals
            assert body["totals"]["grid_import"] == pytest.approx(2.88)
        for resolution in ("5min", "hour", "day"):
            error = await home.error("/api/energy", status=400, **span, resolution=resolution)
            assert (error["code"], error["field"]) == ("too_many", "resolution")

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "x" * 300, "Europe/Berlin\0"])
    async def test_a_zone_that_nobody_knows(self, home: Running, zone: str) -> None:
        error = await home.error("/api/energy", status=400, **(BASE | {"zone": zone}))
        assert (error["code"], error["field"]) == ("invalid_parameter", "zone")

    async def test_a_unit_cannot_be_asked_for(self, home: Running) -> None:
        """Every amount has one unit, which the answer names where it may differ."""
        assert (await home.error("/api/energy", status=400, **BASE, unit="MJ"))["field"] == "unit"

    async def test_gas_of_another_unit_is_not_added(self, home: Running) -> None:
        other = meter(meters()[5].roles[0].role, "gas:1", number=9).__replace__(unit="kWh", kind=Kind.GAS)
        await settle(home.core, [*meters(devices=1), other])
        await roll(home.core, other.key, Level.HOUR, [5.0] * 24)
        body = await home.get("/api/energy", **BASE)
        assert (body["gas"]["unit"], body["gas"]["values"]) == ("m³", [pytest.approx(2.88), None])
        assert body["left_out"] == [other.key]


class TestEntitiesThatChange:
    async def test_one_that_was_removed_counts_no_more_and_is_still_read_by_its_key(self, home: Running) -> None:
        before = await home.get("/api/energy", **BASE)
        assert [device["key"] for device in before["devices"]] == ["device_1"]
        await settle(home.core, meters(devices=0), now_us=START_US + DAY_US)
        after = await home.get("/api/energy", **BASE)
        assert after["devices"] == []
        assert after["totals"]["home"] == before["totals"]["home"]
        assert after["totals"]["untracked"] == pytest.approx(before["totals"]["untracked"] + 2.88)
        rows = await home.get("/api/statistics", key="device_1", level="hour", start=BASE["start"], end=BASE["end"])
        assert math.fsum(rows["series"][0]["change"]) == pytest.approx(2.88)

    async def test_one_that_returns_has_its_past(self, home: Running) -> None:
        before = await home.get("/api/energy", **BASE)
        await settle(home.core, meters(devices=0), now_us=START_US + DAY_US)
        await settle(home.core, meters(devices=1), now_us=START_US + 2 * DAY_US)
        assert await home.get("/api/energy", **BASE) == before

    async def test_one_that_was_renamed_keeps_its_energy(self, home: Running) -> None:
        before = await home.get("/api/energy", **BASE)
        renamed = [
            one.__replace__(name="Car", entity_id="sensor.car") if one.key == "device_1" else one
            for one in meters(devices=1)
        ]
        await settle(home.core, renamed)
        after = await home.get("/api/energy", **BASE)
        assert [device["name"] for device in after["devices"]] == ["Car"]
        before["devices"][0]["name"] = "Car"
        assert after == before

    async def test_one_whose_role_changes_counts_as_what_it_is_now(self, home: Running) -> None:
        solar, grid_import = meters()[2], meters()[0]
        changed = [one for one in meters(devices=1) if one.key not in (solar.key, grid_import.key)]
        await settle(home.core, [*changed, grid_import, solar.__replace__(roles=())])
        body = await home.get("/api/energy", **BASE)
        assert not body["has"]["solar"]
        assert body["flows"]["solar"] == [0.0, 0.0]


async def test_days_are_missing_in_the_middle_of_what_coverage_knows(home: Running) -> None:
    """An import may begin long before listening did: from its first hour on a hole is missing, whatever the span."""
    keys = [one.key for one in meters(devices=1)]
    await cover(home.core, START_US - 90 * DAY_US, START_US - 80 * DAY_US, CoverageSource.HOUR, *keys)
    body = await home.get("/api/energy", **(BASE | {"start": "2026-09-01", "end": "2026-09-03"}))
    assert body["provenance"] == ["missing", "missing"]


async def test_what_was_told_of_is_seen_at_once(home: Running) -> None:
    before = await home.get("/api/energy", **BASE)
    await roll(home.core, "solar", Level.FIVE_MINUTES, [1.0] * 12, start_us=START_US)
    home.core.energy.changed("home", START_US, START_US + HOUR_US)
    after = await home.get("/api/energy", **BASE)
    assert after["totals"]["solar"] == pytest.approx(before["totals"]["solar"] + 12 - 0.12)


async def test_jumps_are_flagged_and_counted_as_they_are(home: Running) -> None:
    for day in range(1, 10):
        await roll(home.core, "device_1", Level.HOUR, [0.1] * 24, start_us=START_US + day * DAY_US)
    await roll(home.core, "device_1", Level.HOUR, [500.0], start_us=START_US + 10 * DAY_US)
    body = await home.get("/api/energy", start="2026-11-11", end="2026-11-12", resolution="day")
    answers.Energy.model_validate(body)
    assert body["jumps"] == [{"key": "device_1", "start_us": START_US + 10 * DAY_US, "change": 500.0, "usual": 0.1}]
    assert body["devices"][0]["values"] == [500.0]


async def test_an_ordinary_start_is_no_jump(home: Running) -> None:
    for day in range(1, 10):
        await roll(home.core, "device_1", Level.HOUR, [0.01] * 24, start_us=START_US + day * DAY_US)
    await roll(home.core, "device_1", Level.HOUR, [11.0], start_us=START_US + 10 * DAY_US)
    body = await home.get("/api/energy", start="2026-11-11", end="2026-11-12", resolution="day")
    assert (body["jumps"], body["devices"][0]["values"]) == ([], [11.0])
