"""The worker over real stores. `House.rolled` checks the law: stored Statistics equal the accumulation from raw."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Kind, StateClass
from energy_server.model.reading import Origin
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level, Provenance, Source, StatisticColumns
from energy_server.rollup.rows import chosen
from energy_server.rollup.worker import RollupWorker
from energy_server.store.duckdb import DuckDBSeriesStore
from tests.server.rollup.histories import MIN, Row, S, entity, us
from tests.server.rollup.house import SITE, House

METER = entity(key="meter")
POWER = entity(Kind.POWER, StateClass.MEASUREMENT, key="power")
DAILY = entity(state_class=StateClass.TOTAL, key="daily")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    one = await House(tmp_path, (METER, POWER, DAILY)).open()
    yield one
    await one.close()


def at(clock: str, value: float | None, origin: Origin = Origin.LIVE) -> Row:
    return Row(us(clock), value, None, origin)


async def test_readings_become_statistics_of_both_levels(house: House) -> None:
    await house.arrive({"meter": [at("10:00", 5.0), at("10:10", 7.0)]}, ("10:00", "10:11"))
    await house.rolled()
    five = await house.stored("meter")
    assert five.start_us.tolist()[:2] == [us("10:00"), us("10:05")]
    assert five.change.tolist()[:2] == [1.0, 1.0]
    hour = await house.stored("meter", Level.HOUR)
    assert (hour.start_us.tolist(), hour.change.tolist()) == ([us("10:00")], [2.0])
    assert house.heard[0].since_us <= us("10:00")
    assert house.heard[0].until_us >= us("10:10")


async def test_what_lies_between_marks_that_are_far_apart_is_left_alone(house: House) -> None:
    first_us, days_us = us("10:00"), range(us("10:00"), us("10:00") + 40 * 24 * HOUR_US, 24 * HOUR_US)
    rows = [Row(day_us, number / 2) for number, day_us in enumerate(days_us)]
    await house.arrive({"meter": rows}, Span(first_us, days_us[-1] + HOUR_US))
    await house.rolled()
    between = await house.stored("meter")
    between = chosen(between, (between.start_us > days_us[10]) & (between.start_us < days_us[30]))
    wrong = replace(between, change=between.change + 1.0)
    await house.series.put_statistics(SITE.id, Level.FIVE_MINUTES, Source.ROLLUP, wrong)
    for row in Row(first_us + HOUR_US, 0.1), Row(days_us[-1] + HOUR_US - 1, 20.0):
        await house.arrive({"meter": [row]})
    await house.worker.roll_once()
    five = await house.stored("meter")
    untouched = chosen(five, np.isin(five.start_us, between.start_us))
    assert untouched.change.tolist() == wrong.change.tolist()
    await house.series.put_statistics(SITE.id, Level.FIVE_MINUTES, Source.ROLLUP, between)
    await house.is_current()


async def test_without_news_a_round_writes_nothing(house: House) -> None:
    await house.arrive({"meter": [at("10:00", 5.0)]}, ("10:00", "10:11"))
    await house.rolled()
    house.heard.clear()
    await house.rolled()
    assert house.heard == []


async def test_a_silent_entity_is_rolled_as_coverage_passes(house: House) -> None:
    await house.arrive({"meter": [at("10:00", 5.0)], "power": [at("09:59", 600.0)]}, ("10:00", "10:01"))
    await house.rolled()
    await house.arrive({}, ("10:01", "11:30"))
    await house.rolled()
    assert (await house.stored("power")).change.sum() == pytest.approx(0.9)
    assert len(await house.stored("meter")) == 18
    assert (await house.stored("meter")).change.tolist() == [0.0] * 18


async def test_what_grew_in_silence_corrects_the_zeros_before(house: House) -> None:
    await house.arrive({"meter": [at("08:00", 5.0)]}, ("08:00", "10:58"))
    await house.rolled()
    await house.arrive({"meter": [at("10:59", 6.0)]}, ("10:58", "11:02"))
    await house.rolled()
    five = await house.stored("meter")
    assert five.change[five.start_us < us("09:55")].sum() == 0
    assert five.change.sum() == pytest.approx(1.0)


async def test_what_comes_late_from_the_recorder_closes_the_gap(house: House) -> None:
    await house.arrive({"meter": [at("08:00", 5.0)]}, ("08:00", "08:30"))
    await house.arrive({"meter": [at("09:40", 9.0)]}, ("09:30", "10:00"))
    await house.rolled()
    assert Provenance.INTERPOLATED in set((await house.stored("meter")).provenance.tolist())
    late = [at(f"08:{minute}", 5.0 + minute / 60, Origin.RECORDER) for minute in (35, 45, 55)]
    late += [at(f"09:{minute}", 6.0 + minute / 60, Origin.RECORDER) for minute in (10, 20, 29)]
    span = Span(us("08:30"), us("09:30"))
    await house.arrive({"meter": late}, span, source=CoverageSource.STATES, keys=("meter",))
    await house.rolled()
    found = await house.stored("meter")
    assert found.change.sum() == pytest.approx(4.0)
    assert set(found.provenance.tolist()) == {Provenance.MEASURED, Provenance.BACKFILLED}


async def test_what_live_claims_bring_late_is_backfilled_and_stays_so(house: House) -> None:
    rows = [at(f"08:{minute:02}", minute / 60) for minute in range(40)]
    await house.ledger.late.take(SITE.id, [Span(us("08:11"), us("08:21"))], [])
    await house.arrive({"meter": rows, "power": [at("08:00", 60.0)]}, ("08:00", "08:40"))
    await house.worker.roll_once()
    measured, backfilled = [Provenance.MEASURED], [Provenance.BACKFILLED]
    fives = 2 * measured + 3 * backfilled + 3 * measured
    for key in ("meter", "power"):
        assert (await house.stored(key)).provenance.tolist() == fives
        assert (await house.stored(key, Level.HOUR)).provenance.tolist() == backfilled
    await house.close()
    await house.open()
    await house.arrive({"meter": [at("08:39", 0.7)]})
    await house.worker.roll_once()
    assert (await house.stored("meter")).change.sum() == pytest.approx(0.7)
    assert (await house.stored("meter")).provenance.tolist() == fives


async def test_sending_everything_again_changes_nothing(house: House) -> None:
    rows = {"meter": [at("10:00", 5.0), at("10:10", 7.0)], "power": [at("10:00", 100.0), at("10:20", None)]}
    await house.arrive(rows, ("10:00", "10:31"))
    await house.rolled()
    before = [await house.stored(key) for key in ("meter", "power")]
    await house.arrive(rows, ("10:00", "10:31"))
    await house.rolled()
    for was, key in zip(before, ("meter", "power"), strict=True):
        now = await house.stored(key)
        np.testing.assert_array_equal(was.change, now.change)
        np.testing.assert_array_equal(was.start_us, now.start_us)


async def test_marks_survive_a_restart(house: House) -> None:
    await house.arrive({"meter": [at("10:00", 5.0), at("10:10", 7.0)]}, ("10:00", "10:31"))
    await house.close()
    await house.open()
    await house.rolled()
    assert (await house.stored("meter")).change.sum() == pytest.approx(2.0)
    assert await house.state.dirty() == []


async def test_how_far_coverage_was_rolled_survives_a_restart(house: House) -> None:
    await house.arrive({"power": [at("10:00", 100.0)]}, ("10:00", "10:31"))
    await house.rolled()
    await house.close()
    await house.open()
    house.heard.clear()
    await house.arrive({}, ("10:31", "10:41"))
    await house.rolled()
    assert house.heard == [Span(us("10:30"), us("10:40"))]


async def test_where_coverage_is_taken_away_statistics_are_too(house: House) -> None:
    await house.arrive({"power": [at("10:00", 1200.0)]}, ("10:00", "11:00"))
    await house.rolled()
    assert (await house.stored("power")).change.sum() == pytest.approx(1.2)
    await house.arrive({}, ("10:30", "10:31"))  # the clock was set back
    await house.rolled()
    found = await house.stored("power")
    assert found.start_us.max() == us("10:30")
    assert (await house.stored("power", Level.HOUR)).covered_s.tolist() == [1860.0]
    await house.arrive({}, ("10:31", "11:00"))
    await house.rolled()
    assert (await house.stored("power")).change.sum() == pytest.approx(1.2)


async def test_weeks_are_rolled_in_slices(house: House) -> None:
    start_us = us("10:00")
    rows = [Row(start_us + 7 * HOUR_US * n, 100.0 + n) for n in range(80)]
    await house.arrive({"meter": rows}, Span(start_us, rows[-1].ts_us + MIN))
    await house.rolled()
    assert (await house.stored("meter")).change.sum() == pytest.approx(79.0)


async def test_a_meter_of_negative_values_is_no_endless_search(house: House) -> None:
    rows = [Row(us("10:00") + n * S, -1.0) for n in range(100)]
    await house.arrive({"meter": rows}, ("10:00", "10:30"))
    await house.worker.roll_once()
    assert (await house.stored("meter")).covered_s.sum() == 1800.0


async def test_readings_of_an_entity_that_is_not_known_are_no_hindrance(house: House) -> None:
    await house.arrive({"stranger": [at("10:00", 5.0)], "meter": [at("10:00", 5.0)]}, ("10:00", "10:11"))
    await house.rolled()
    assert len(await house.stored("meter")) == 3
    assert await house.state.dirty() == []


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_of_arrival_gives_the_same(house: House, seed: int) -> None:
    """Live slices in order, recorder slices late and shuffled, some twice; a round of the worker now and then."""
    chance = random.Random(seed)  # noqa: S311 not for secrets
    start_us = us("20:30")
    slices = _random_slices(chance, start_us)
    late = [piece for piece in slices if chance.random() < 0.35]
    for piece in slices:
        if piece not in late:
            await house.arrive(piece[0], piece[1])
            if chance.random() < 0.4:
                await house.rolled()
    chance.shuffle(late)
    for rows, span in [*late, *late[:2]]:
        recorded = {key: [replace(row, origin=Origin.RECORDER) for row in found] for key, found in rows.items()}
        keys = tuple(one.key for one in house.entities)
        await house.arrive(recorded, span, source=CoverageSource.STATES, keys=keys)
        if chance.random() < 0.3:
            await house.rolled()
    await house.rolled()


def _random_slices(chance: random.Random, start_us: int) -> list[tuple[dict[str, list[Row]], Span]]:
    values = {"meter": 100.0, "power": 500.0, "daily": 3.0}
    reset_us = start_us - HOUR_US
    slices = []
    since_us = start_us
    for _ in range(14):
        until_us = since_us + chance.choice((7 * S, 4 * MIN, 17 * MIN, HOUR_US, 3 * HOUR_US))
        rows: dict[str, list[Row]] = {}
        for key in ("meter", "power", "daily"):
            for ts_us in sorted(chance.sample(range(since_us, until_us), chance.choice((0, 0, 1, 5)))):
                values[key] += chance.choice((0.0, 0.25, 1.5))
                if chance.random() < 0.1:
                    values[key], reset_us = 0.5, (reset_us if key == "meter" else ts_us - 3)
                shown = None if chance.random() < 0.15 else values[key]
                rows.setdefault(key, []).append(Row(ts_us, shown, reset_us if key == "daily" and shown else None))
        slices.append((rows, Span(since_us, until_us)))
        since_us = until_us
    return slices


class Failing(DuckDBSeriesStore):
    """A store whose disk is full for a while."""

    full = True

    async def put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        """Refuse while the disk is full."""
        if self.full:
            raise StoreUnavailableError("The disk is full.")
        await super().put_statistics(site, level, source, rows)


async def test_a_store_that_fails_is_told_once_and_tried_again(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await house.series.close()
    house.series = Failing(tmp_path / "series")
    await house.series.open()
    rolled = asyncio.Event()
    rounds = asyncio.Queue[float]()

    async def sleep(wait_s: float) -> None:
        await rounds.put(wait_s)
        await asyncio.sleep(0)

    house.worker = RollupWorker(
        house.series, house.state, house.ledger, house.dirty, lambda *_: rolled.set(), interval_s=5.0, sleep=sleep
    )
    await house.arrive({"meter": [at("10:00", 5.0), at("10:10", 7.0)]}, ("10:00", "10:31"))
    with caplog.at_level(logging.WARNING):
        running = asyncio.create_task(house.worker.run())
        waits_s = [await rounds.get() for _ in range(4)]
        assert not rolled.is_set()
        house.series.full = False
        await rolled.wait()
    running.cancel()
    await asyncio.wait([running])
    assert waits_s == [5.0] * 4
    assert [record.message for record in caplog.records] == ["Statistics wait for the store: The disk is full."]
    await house.rolled()
    assert (await house.stored("meter")).change.sum() == pytest.approx(2.0)


@pytest.mark.parametrize(("flood", "rounds"), [(0, 1), (3, 4), (1_000, 6)])
async def test_a_history_that_pours_in_is_rolled_up_when_it_is_over_or_too_long(
    house: House, flood: int, rounds: int
) -> None:
    waited: list[float] = []
    rolled = asyncio.Event()

    async def sleep(wait_s: float) -> None:
        waited.append(wait_s)
        house.dirty.histories += 50_000 if len(waited) <= flood else 49_999
        await asyncio.sleep(0)

    def on_rolled(_site: str, _start_us: int, _end_us: int) -> None:
        rolled.set()
        running.cancel()

    house.worker = RollupWorker(house.series, house.state, house.ledger, house.dirty, on_rolled, sleep=sleep)
    await house.arrive({"meter": [at("10:00", 5.0), at("10:10", 7.0)]}, ("10:00", "10:31"))
    running = asyncio.create_task(house.worker.run())
    await rolled.wait()
    await asyncio.wait([running])
    assert waited == [5.0] * rounds


async def test_the_last_whole_period_is_rolled_not_the_one_that_goes_on(house: House) -> None:
    await house.arrive({"power": [at("10:00", 100.0)]}, ("10:00", "10:09"))
    await house.rolled()
    document = await house.state.document(f"rolled_until:{SITE.id}")
    assert document == {"ts_us": us("10:05")}
    assert us("10:05") % FIVE_MINUTES_US == 0
