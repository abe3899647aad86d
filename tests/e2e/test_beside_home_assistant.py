"""The same day in Home Assistant's Energy and in ours: equal, and where not, by a rule that is known.

A real Home Assistant records the day from its event bus and sums it up by its own code, 5 minutes after 5 minutes; the
server gets the same states over the Link. In the day are all sorts of resets (a meter that is exchanged, one that
begins anew at midnight, a `last_reset` that appears and one that changes), a dip, a meter that runs backwards,
negative values, silence, and an outage.
"""

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from dev.ha import Place
from tests.e2e.one_day import HOUR_US, Meter, iso, meters
from tests.product.home import EPOCH
from tests.product.running import Product, running
from tests.product.saying import say
from tests.product.waiting import until

SEED = 20_261_121
ZONE = ZoneInfo(Place().time_zone)
SAME = 1e-6
FLOWS = ("grid_import", "grid_export", "solar", "battery_discharge", "battery_charge")
DEVICES = ("oven", "fridge", "heat_pump")
FLUIDS = ("gas", "water")
FIVE_MINUTES_US = 300_000_000
WITHIN_S = 90.0

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


@dataclass(frozen=True, slots=True)
class Day:
    """The day, its meters, and what Home Assistant makes of each: the sum of the day, and of its hours."""

    product: Product
    start_us: int
    end_us: int
    meters: dict[str, Meter]
    theirs: dict[str, float]
    hours: dict[str, dict[int, float]]

    def expected(self, name: str) -> float:
        """Return what we say by our rules: Home Assistant's sum, and what the borders of the day make different."""
        meter = self.meters[name]
        late = meter.before(self.start_us)
        return self.theirs[name] - late + meter.before(self.end_us)


def bounds() -> tuple[int, int]:
    """Return the beginning and the end of the day before yesterday, which nothing that happens now can touch."""
    day = datetime.now(ZONE).date() - timedelta(days=2)
    local = [datetime(one.year, one.month, one.day, tzinfo=ZONE) for one in (day, day + timedelta(days=1))]
    start_us, end_us = ((one.astimezone(UTC) - EPOCH) // timedelta(microseconds=1) for one in local)
    return start_us, end_us


def settings(of: dict[str, Meter]) -> dict[str, Any]:
    """Return Energy settings that name every meter."""
    money = {
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
    ids = {name: meter.entity_id for name, meter in of.items()}
    pipe = {"stat_cost": None, "entity_energy_price": None, "number_energy_price": None}
    return {
        "energy_sources": [
            {"type": "grid", "stat_energy_from": ids["grid_import"], "stat_energy_to": ids["grid_export"], **money},
            {"type": "solar", "stat_energy_from": ids["solar"], "config_entry_solar_forecast": None},
            {
                "type": "battery",
                "stat_energy_from": ids["battery_discharge"],
                "stat_energy_to": ids["battery_charge"],
            },
            *({"type": name, "stat_energy_from": ids[name], **pipe} for name in FLUIDS),
        ],
        "device_consumption": [{"stat_consumption": ids[name], "name": name} for name in DEVICES],
        "device_consumption_water": [],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    """Live through the day."""
    folder = tmp_path_factory.mktemp("beside")
    start_us, end_us = bounds()
    of = {meter.name: meter for meter in meters(SEED, start_us, end_us)}
    async with running(folder, folder) as product:
        await lived(product, folder, of)
        theirs, hours = await summed_up(product, of, start_us, end_us)
        yield Day(product, start_us, end_us, of, theirs, hours)


async def lived(product: Product, folder: Path, of: dict[str, Meter]) -> None:
    """Let each state of each meter happen in Home Assistant, and wait until the server has them."""
    connection = product.home.connection
    calls = {}
    for name, meter in of.items():
        path = folder / f"{name}.csv"
        meter.write(path)
        calls[name] = {"path": str(path), "entity_id": meter.entity_id, "attributes": meter.attributes}
        await connection.action("simulated_home", "replay", calls[name] | {"announce": True})
    await connection.command("energy/save_prefs", **settings(of))
    for meter in of.values():
        await product.server.known(meter.entity_id)
    for name, call in calls.items():
        answer = await connection.action("simulated_home", "replay", call, response=True)
        assert answer["states"] == len(of[name].states)
    for meter in of.values():
        await until(lambda meter=meter: has(product, meter), f"all of {meter.entity_id}", WITHIN_S)  # type: ignore[misc]


async def has(product: Product, meter: Meter) -> bool | None:
    """Say whether the server has what the meter said."""
    first, last = meter.states[0], meter.states[-1]
    stored = dict(await product.server.readings(meter.entity_id, first.ts_us, last.ts_us + 1))
    wanted = {state.ts_us: state.value for state in meter.states}
    return True if wanted.items() <= stored.items() else None


async def summed_up(
    product: Product, of: dict[str, Meter], start_us: int, end_us: int
) -> tuple[dict[str, float], dict[str, dict[int, float]]]:
    """Let Home Assistant sum up, and return what its Energy page would show of the day and of its hours."""
    connection = product.home.connection
    ids = [meter.entity_id for meter in of.values()]
    await connection.command(
        "simulated_home/compile_statistics",
        start=iso(start_us - HOUR_US),
        end=iso(end_us + HOUR_US),
        statistic_ids=ids,
    )
    asked = {"start_time": iso(start_us), "end_time": iso(end_us), "statistic_ids": ids, "types": ["change"]}
    days = await connection.command("recorder/statistics_during_period", period="day", **asked)
    hours = await connection.command("recorder/statistics_during_period", period="hour", **asked)
    sums, by_hour = {}, {}
    for name, meter in of.items():
        (sums[name],) = (row["change"] for row in days[meter.entity_id] if to_us(row) == start_us)
        by_hour[name] = {to_us(row): row["change"] for row in hours[meter.entity_id] if to_us(row) < end_us}
        assert math.fsum(by_hour[name].values()) == pytest.approx(sums[name], abs=1e-9)
    return sums, by_hour


def to_us(row: dict[str, Any]) -> int:
    """Return the start of a row of Home Assistant's, which is in milliseconds."""
    return int(row["start"]) * 1000


async def asked(day: Day, resolution: str) -> dict[str, Any]:
    answer: dict[str, Any] = await day.product.server.get(
        "/api/energy", start=day.start_us, end=day.end_us, resolution=resolution, zone=ZONE.key
    )
    return answer


def ours(answer: dict[str, Any]) -> dict[str, list[float | None]]:
    """Return the columns of every role."""
    devices = {device["name"]: device["values"] for device in answer["devices"]}
    columns = {name: answer["flows"][name] for name in FLOWS} | {name: devices[name] for name in DEVICES}
    return columns | {name: answer[name]["values"] for name in FLUIDS}


async def rolled_up(day: Day) -> dict[str, list[float | None]]:
    """Return our day, as soon as it is what it must be; else say what it is."""
    found: dict[str, list[float | None]] = {}

    async def look() -> bool | None:
        nonlocal found
        found = ours(await asked(day, "day"))
        return all(near(values[0], day.expected(name)) for name, values in found.items()) or None

    try:
        await until(look, "the energy of the day", WITHIN_S)
    except AssertionError:
        pytest.fail("\n".join(f"{n}: {v} {day.expected(n)} HA {day.theirs[n]}" for n, v in found.items()))
    return found


def near(value: float | None, wanted: float) -> bool:
    return value is not None and abs(value - wanted) <= SAME


async def test_every_role_is_the_same_but_for_the_borders_of_the_day(day: Day) -> None:
    found = await rolled_up(day)
    assert set(found) == set(day.meters)
    lines = []
    for name, (value,) in found.items():
        assert value is not None
        assert value == pytest.approx(day.expected(name), abs=SAME), name
        lines.append(f"{name:18}{day.theirs[name]:12.6f}{value:12.6f}{value - day.theirs[name]:+12.6f}")
    say("role              Home Assistant        ours  by the borders\n" + "\n".join(lines))


async def test_what_spans_no_border_is_the_same_in_home_assistant(day: Day) -> None:
    """Solar began anew at midnight: all that it grew since is of the new day, there as here."""
    assert day.meters["solar"].before(day.start_us) == 0
    late = day.meters["solar"].before(day.end_us)
    (value,) = (await rolled_up(day))["solar"]
    assert value == pytest.approx(day.theirs["solar"] + late, abs=SAME)


async def test_the_balance_is_that_of_home_assistant(day: Day) -> None:
    """What the home used is linear in the meters, so no rule of ours can make it another one."""
    await rolled_up(day)
    answer = await asked(day, "day")
    sources = ("grid_import", "solar", "battery_discharge")
    home = sum(day.expected(name) if name in sources else -day.expected(name) for name in FLOWS)
    assert answer["totals"]["home"] == pytest.approx(home, abs=SAME)


async def test_the_hours_differ_only_in_what_spans_a_border(day: Day) -> None:
    """Resets and the dip included: each hour is Home Assistant's, less what came before it, more what came late."""
    await rolled_up(day)
    answer = await asked(day, "hour")
    columns = ours(answer)
    for name in ("grid_import", "grid_export", "battery_discharge", "fridge", "water"):
        meter = day.meters[name]
        for place, since_us in enumerate(answer["edges_us"][:-1]):
            until_us = answer["edges_us"][place + 1]
            wanted = day.hours[name].get(since_us, 0.0)
            wanted += meter.before(until_us) - meter.before(since_us)
            assert columns[name][place] == pytest.approx(wanted, abs=SAME), (name, iso(since_us))


async def test_an_outage_is_said_to_be_guessed(day: Day) -> None:
    """Home Assistant books what was used in an outage when the meter returns; here it lies in the outage, marked.

    So is the rest of this day, which the server did not live through; what an outage alone is, its own tests say.
    """
    await rolled_up(day)
    entity = await day.product.server.known(day.meters["oven"].entity_id)
    answer = await day.product.server.get(
        "/api/statistics", key=entity["key"], level="5min", start=day.start_us, end=day.end_us
    )
    (series,) = answer["series"]
    gone_us = next(state.ts_us for state in day.meters["oven"].states if state.value is None)
    marked = dict(zip(series["start_us"], series["provenance"], strict=True))
    inside = range(-(-gone_us // FIVE_MINUTES_US) * FIVE_MINUTES_US, gone_us + 2 * HOUR_US, FIVE_MINUTES_US)
    assert {marked[start_us] for start_us in inside} == {"interpolated"}
    for resolution in ("5min", "hour"):
        energy = await asked(day, resolution)
        known = {device["name"]: device["provenance"] for device in energy["devices"]}
        within = [
            at for at, since_us in enumerate(energy["edges_us"][:-1]) if inside[0] <= since_us < gone_us + 2 * HOUR_US
        ]
        assert within
        assert {known["oven"][at] for at in within} == {"interpolated"}
