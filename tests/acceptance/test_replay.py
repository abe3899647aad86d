"""A day of a real home's power, from the event bus into the store: every reading once, every hour's energy right."""

import asyncio
import csv
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random, SystemRandom

import pytest
import pytest_asyncio

from tests.product.home import EPOCH
from tests.product.load import Series, announce, compare, replay, stored_twice
from tests.product.running import Product
from tests.product.saying import say
from tests.product.waiting import until

RECORDING = "ha-power-24h.csv"
ROWS = 8_723
AGAIN = 1_000
ENTITY = "sensor.recorded_power"
HOUR_US = 3_600_000_000
W_US_PER_KWH = 3_600_000_000 * 1_000
SAME_KWH = 1e-6
IDENTICAL_KWH = 1e-9
# A day in some seconds. Faster than that, the recorder's work for a commit grows with the square of its states.
SPEED = 10_000
AMID_OUTAGES = "sensor.recorded_power_amid_outages"
# Slower, so that there is time for five outages: a day in a minute.
SPEED_AMID_OUTAGES = 1_440
OUTAGES = 5
LONGEST_OUTAGE_S = 6.0

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400, func_only=True)]


def read(path: Path) -> Series:
    with path.open(newline="") as file:
        rows = [
            ((datetime.fromisoformat(line["last_updated"]) - EPOCH) // timedelta(microseconds=1), line["state"])
            for line in csv.DictReader(file)
        ]
    return Series(ENTITY, rows)


def energy_by_hour(series: Series) -> dict[int, float]:
    """Return kWh by the start of the hour: a value holds until the next one, the last one holds to nowhere."""
    hours: dict[int, float] = {}
    for (ts_us, state), (next_us, _) in zip(series.rows, series.rows[1:], strict=False):
        begin_us = ts_us
        while begin_us < next_us:
            hour_us = begin_us // HOUR_US * HOUR_US
            end_us = min(next_us, hour_us + HOUR_US)
            hours[hour_us] = hours.get(hour_us, 0.0) + float(state) * (end_us - begin_us) / W_US_PER_KWH
            begin_us = end_us
    return hours


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def replayed(product: Product, recorded: Path) -> Series:
    """Replay the recording; returns once the server has it."""
    series = read(recorded / RECORDING)
    assert len(series.rows) == ROWS
    await announce(product.home, recorded / RECORDING, ENTITY)
    await product.server.known(ENTITY)
    assert await replay(product.home, recorded / RECORDING, ENTITY, SPEED) == ROWS

    async def arrived() -> bool | None:
        stored = await product.server.readings(ENTITY, series.rows[0][0], series.rows[-1][0] + 1)
        return len(stored) >= ROWS or None

    await product.server.until(arrived, "the last of the recording's readings", 60)
    return series


async def test_every_reading_is_stored_once_with_its_microsecond(product: Product, replayed: Series) -> None:
    result = await compare(product.server, replayed)
    assert result.exact(), result
    say(f"{result.fired} states of the recording, {result.fired} readings: same microsecond, same value")


async def test_the_energy_of_each_hour_is_that_of_the_recording(product: Product, replayed: Series) -> None:
    expected = energy_by_hour(replayed)
    entity = await product.server.known(ENTITY)
    last: dict[int, float] = {}

    async def rolled_up() -> dict[int, float] | None:
        nonlocal last
        answer = await product.server.get(
            "/api/statistics",
            key=entity["key"],
            level="hour",
            start=min(expected),
            end=max(expected) + HOUR_US,
        )
        (series,) = answer["series"]
        last = dict(zip(series["start_us"], series["change"], strict=True))
        near = (abs(last.get(hour_us, 0.0) - kwh) <= SAME_KWH for hour_us, kwh in expected.items())
        return last if all(near) else None

    try:
        found = await until(rolled_up, "the energy of each hour")
    except AssertionError:
        pytest.fail("\n".join(f"{hour_us}: {kwh} {last.get(hour_us)}" for hour_us, kwh in expected.items()))
    assert set(found) == set(expected)
    error_kwh = max(abs(found[hour_us] - kwh) for hour_us, kwh in expected.items())
    say(f"{len(expected)} hours, {sum(expected.values()):.6f} kWh: the largest difference is {error_kwh:.1e} kWh")


@asynccontextmanager
async def outages(product: Product, random: Random) -> AsyncIterator[None]:
    """Have the server killed, stopped or suspended five times, at random moments; leave when it is back for good."""

    async def suffer() -> None:
        server = product.server
        for _ in range(OUTAGES):
            await asyncio.sleep(random.uniform(0.5, 60 / OUTAGES - LONGEST_OUTAGE_S))
            how, length_s = random.choice(("killed", "stopped", "suspended")), random.uniform(0.5, LONGEST_OUTAGE_S)
            say(f"the server is {how} for {length_s:.1f} s")
            if how == "suspended":
                server.running.pause()
            else:
                await (server.kill() if how == "killed" else server.stop())
            await asyncio.sleep(length_s)
            if how == "suspended":
                server.running.resume()
            else:
                await server.start()

    suffering = asyncio.create_task(suffer())
    try:
        yield
    finally:
        await suffering


async def energies(product: Product, entity_id: str, series: Series) -> dict[int, float]:
    """Return kWh by hour as the server has them now."""
    entity = await product.server.known(entity_id)
    span = {"start": series.rows[0][0] // HOUR_US * HOUR_US, "end": series.rows[-1][0] + 1}
    answer = await product.server.get("/api/statistics", key=entity["key"], level="hour", **span)
    (found,) = answer["series"]
    return dict(zip(found["start_us"], found["change"], strict=True))


async def test_five_random_outages_change_nothing(product: Product, replayed: Series, recorded: Path) -> None:
    """The same recording as another entity, while the server comes and goes: the same readings, the same energies."""
    server, seed = product.server, int(os.environ.get("ENERGY_FAULT_SEED") or SystemRandom().randrange(10**6))
    say(f"{OUTAGES} random outages with the seed {seed}")
    await announce(product.home, recorded / RECORDING, AMID_OUTAGES)
    await server.known(AMID_OUTAGES)
    span = replayed.rows[0][0], replayed.rows[-1][0] + 1
    async with outages(product, Random(seed)):  # noqa: S311 chooses when and how
        assert await replay(product.home, recorded / RECORDING, AMID_OUTAGES, SPEED_AMID_OUTAGES) == ROWS
    await server.connected(60)

    async def arrived() -> bool | None:
        return len(await server.readings(AMID_OUTAGES, *span)) >= ROWS or None

    await server.until(arrived, "the readings of the recording", 60)
    without = await server.readings(ENTITY, *span)
    assert await server.readings(AMID_OUTAGES, *span) == without

    async def same() -> bool | None:
        amid, usual = await energies(product, AMID_OUTAGES, replayed), await energies(product, ENTITY, replayed)
        if len(usual) < len(energy_by_hour(replayed)) or amid.keys() != usual.keys():
            return None
        return all(amid[hour_us] == pytest.approx(kwh, abs=IDENTICAL_KWH) for hour_us, kwh in usual.items()) or None

    try:
        await server.until(same, "the same energy in each hour")
    except AssertionError as err:
        amid, usual = await energies(product, AMID_OUTAGES, replayed), await energies(product, ENTITY, replayed)
        differ = [(hour_us, amid.get(hour_us), kwh) for hour_us, kwh in usual.items() if amid.get(hour_us) != kwh]
        raise AssertionError(f"{differ}\n{err}") from err
    hours = energy_by_hour(replayed)
    say(f"{len(without)} readings and the energies of {len(hours)} hours: the same with {OUTAGES} outages as without")


async def test_replaying_it_again_changes_nothing(product: Product, replayed: Series, tmp_path: Path) -> None:
    before = (await product.server.get("/api/status"))["storage"]["readings"]
    again = tmp_path / "again.csv"
    replayed.write(again, replayed.rows[:AGAIN])
    assert await replay(product.home, again, ENTITY) == AGAIN
    marker = await product.home.set(
        "sensor.after_the_recording", "1", {"device_class": "power", "unit_of_measurement": "W"}
    )

    async def arrived() -> bool | None:
        known = await product.server.entity("sensor.after_the_recording")
        return (known is not None and known["latest"] is not None and known["latest"]["ts_us"] == marker) or None

    await product.server.until(arrived, "what happened after the recording")
    result = await compare(product.server, replayed)
    assert result.exact(), result
    assert (await product.server.get("/api/status"))["storage"]["readings"] >= before
    await product.server.stop()
    try:
        assert stored_twice(product.server) == []
    finally:
        await product.server.start()
        await product.server.connected()
