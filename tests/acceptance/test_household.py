"""Four years of a real household, imported as hourly statistics: every year and month in the time zone of Paris.

The recording's clock has no summer time: no hour comes twice and none is skipped when the clocks in Paris change, so it
runs an hour ahead of UTC all year. Where its meter was silent it has zeros, which no household uses for an hour: these
hours are left out, as Home Assistant would have no statistics of them, and must be shown as missing.
"""

import csv
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tests.product.home import EPOCH
from tests.product.running import Product
from tests.product.saying import say

RECORDING = "household-hourly.csv"
HOURS = 34_949
CLOCK = timezone(timedelta(hours=1))
PARIS = ZoneInfo("Europe/Paris")
TOTAL, KITCHEN, LAUNDRY = METERS = ("household:total", "household:kitchen", "household:laundry")
SAME_KWH = 1e-6
PARTITION_KWH = 1e-9
HOUR_US = 3_600_000_000

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300, func_only=True)]


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the recording, kWh by statistic id; nothing where the meter was silent."""

    start: datetime
    used_kwh: dict[str, float]


def read(path: Path) -> list[Hour]:
    with path.open(newline="") as file:
        return [
            Hour(
                datetime.fromisoformat(line["local_hour_start"]).replace(tzinfo=CLOCK).astimezone(UTC),
                {meter: float(line[f"{meter.partition(':')[2]}_kwh"]) for meter in METERS}
                if float(line["total_kwh"])
                else {},
            )
            for line in csv.DictReader(file)
        ]


def to_us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def imported(meter: str, hours: list[Hour]) -> dict[str, Any]:
    """Return an external statistic as Home Assistant's recorder takes it: a growing sum."""
    metadata = {
        "statistic_id": meter,
        "source": "household",
        "name": meter.partition(":")[2],
        "has_sum": True,
        "mean_type": 0,
        "unit_class": "energy",
        "unit_of_measurement": "kWh",
    }
    rows, amount = [], 0.0
    for hour in hours:
        if hour.used_kwh:
            amount += hour.used_kwh[meter]
            rows.append({"start": hour.start.isoformat(), "state": amount, "sum": amount})
    return {"metadata": metadata, "stats": rows}


def settings() -> dict[str, Any]:
    grid = {
        "type": "grid",
        "stat_energy_from": TOTAL,
        "stat_energy_to": None,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
    devices = [{"stat_consumption": meter, "name": meter.partition(":")[2]} for meter in (KITCHEN, LAUNDRY)]
    return {"energy_sources": [grid], "device_consumption": devices, "device_consumption_water": []}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def household(product: Product, recorded: Path) -> list[Hour]:
    """Import the recording into Home Assistant; returns once the server has it."""
    hours = read(recorded / RECORDING)
    assert len(hours) == HOURS
    for meter in METERS:
        await product.home.connection.command("simulated_home/import_history", **imported(meter, hours))
    await product.home.connection.command("energy/save_prefs", **settings())
    for meter in METERS:
        await product.server.known(meter)
    await product.server.imported(120)
    return hours


async def asked(product: Product, resolution: str, start: datetime, end: datetime) -> dict[str, Any]:
    answer: dict[str, Any] = await product.server.get(
        "/api/energy", resolution=resolution, start=to_us(start), end=to_us(end), zone=PARIS.key
    )
    return answer


def whole_years(hours: list[Hour]) -> tuple[datetime, datetime]:
    """Return the beginning of the first local year of the recording and the end of the last."""
    first, last = (hour.start.astimezone(PARIS).year for hour in (hours[0], hours[-1]))
    return datetime(first, 1, 1, tzinfo=PARIS), datetime(last + 1, 1, 1, tzinfo=PARIS)


def columns(answer: dict[str, Any]) -> dict[str, list[float | None]]:
    """Return what each meter used in each interval."""
    devices = {device["key"]: device["values"] for device in answer["devices"]}
    assert answer["flows"]["home"] == answer["flows"]["grid_import"]
    return {TOTAL: answer["flows"]["grid_import"], KITCHEN: devices[KITCHEN], LAUNDRY: devices[LAUNDRY]}


@pytest.mark.parametrize(("resolution", "parts"), [("year", 1), ("month", 2)])
async def test_years_and_months_are_those_of_the_recording(
    product: Product, household: list[Hour], resolution: str, parts: int
) -> None:
    expected: dict[tuple[int, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for hour in household:
        local = hour.start.astimezone(PARIS)
        for meter, used_kwh in hour.used_kwh.items():
            expected[(local.year, local.month)[:parts]][meter].append(used_kwh)
    answer = await asked(product, resolution, *whole_years(household))
    worst_kwh = 0.0
    for place, start_us in enumerate(answer["edges_us"][:-1]):
        begins = (EPOCH + timedelta(microseconds=start_us)).astimezone(PARIS)
        period = (begins.year, begins.month)[:parts]
        for meter, values in columns(answer).items():
            found = values[place]
            if found is None:
                assert period not in expected, (meter, period)
                continue
            wanted = math.fsum(expected[period][meter])
            assert found == pytest.approx(wanted, abs=SAME_KWH), (meter, period)
            worst_kwh = max(worst_kwh, abs(found - wanted))
    whole = math.fsum(hour.used_kwh.get(TOTAL, 0.0) for hour in household)
    assert answer["totals"]["home"] == pytest.approx(whole, abs=SAME_KWH)
    say(f"{len(expected)} {resolution}s of 3 meters, {whole:.4f} kWh: the largest difference is {worst_kwh:.1e} kWh")


async def test_any_partition_is_the_whole(product: Product, household: list[Hour]) -> None:
    start, end = whole_years(household)
    whole = (await asked(product, "total", start, end))["totals"]["grid_import"]
    for resolution in ("year", "month", "week", "day"):
        values = columns(await asked(product, resolution, start, end))[TOTAL]
        assert math.fsum(value for value in values if value is not None) == pytest.approx(whole, abs=PARTITION_KWH)
    years = [datetime(year, 1, 1, tzinfo=PARIS) for year in range(start.year, end.year + 1)]
    separate = [(await asked(product, "hour", *year))["totals"]["grid_import"] for year in pairwise(years)]
    assert math.fsum(separate) == pytest.approx(whole, abs=PARTITION_KWH)


async def test_missing_hours_are_shown_as_missing(product: Product, household: list[Hour]) -> None:
    silent = [hour.start for hour in household if not hour.used_kwh]
    assert silent, "the recording has silent hours"
    found: dict[int, tuple[float | None, str]] = {}
    first, last = whole_years(household)
    for year in range(first.year, last.year):
        bounds = (datetime(year, 1, 1, tzinfo=PARIS), datetime(year + 1, 1, 1, tzinfo=PARIS))
        answer = await asked(product, "hour", *bounds)
        rows = zip(answer["edges_us"][:-1], answer["flows"]["home"], answer["provenance"], strict=True)
        found |= {start_us: (value, provenance) for start_us, value, provenance in rows}
    for hour in household:
        value, provenance = found.pop(to_us(hour.start))
        assert value == (pytest.approx(hour.used_kwh[TOTAL], abs=SAME_KWH) if hour.used_kwh else None), hour
        assert provenance == ("statistics" if hour.used_kwh else "missing"), hour
    assert set(found.values()) <= {(None, "missing")}, "outside of the recording nothing is known"
    say(f"{len(silent)} of {len(household)} hours are missing, and shown as missing")


async def test_days_say_how_many_hours_they_lack(product: Product, household: list[Hour]) -> None:
    """The household is all that this home has besides sensors that began today."""
    lacking_s: dict[str, float] = defaultdict(float)
    for hour in household:
        lacking_s[hour.start.astimezone(PARIS).date().isoformat()] += 0.0 if hour.used_kwh else 3600.0
    inside, seen = sorted(lacking_s)[1:-1], set[str]()
    for year in sorted({day[:4] for day in inside}):
        answer = await product.server.get(
            "/api/completeness", start=f"{year}-01-01", end=f"{int(year) + 1}-01-01", zone=PARIS.key
        )
        for day in answer["days"]:
            if day["date"] in inside:
                seen.add(day["date"])
                assert day["missing_s"] == pytest.approx(lacking_s[day["date"]], abs=1e-3), day
                assert day["statistics_s"] == pytest.approx(day["length_s"] - day["missing_s"], abs=1e-3), day
    assert seen == set(inside)


async def test_a_partly_missing_day_counts_what_is_known_and_says_so(product: Product, household: list[Hour]) -> None:
    by_day: dict[str, list[Hour]] = defaultdict(list)
    for hour in household:
        by_day[hour.start.astimezone(PARIS).date().isoformat()].append(hour)
    partly = [day for day, hours in by_day.items() if 0 < sum(bool(hour.used_kwh) for hour in hours) < len(hours)]
    assert partly[1:-1]
    for day in partly[1:-1]:
        start = datetime.fromisoformat(day).replace(tzinfo=PARIS)
        answer = await asked(product, "day", start, start + timedelta(days=1))
        known = math.fsum(hour.used_kwh.get(TOTAL, 0.0) for hour in by_day[day])
        assert answer["flows"]["home"] == [pytest.approx(known, abs=SAME_KWH)], day
        assert answer["provenance"] == ["missing"], day
