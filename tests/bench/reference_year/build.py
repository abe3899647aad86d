"""Make the reference year through the product's own stores and its own accumulation, once, and keep it.

In:   the signals.
Out:  a data folder as a server leaves it: 12 months of readings (each month sorted), their Statistics, five years of
      imported hours before them, Site, catalog and Coverage. About 5 minutes; resumed at the month where it was
      interrupted.

Readings and Statistics are appended in the order of time, as they arrive in life, and sorted by the store's own upkeep.
What is skipped is the Link: rows are valid by construction, and a month's dirty marks would only
say that all of it is to be rolled up.
"""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.reading import NO_RESET, Origin, ReadingBatch, ReadingSlice
from energy_server.model.statistic import HOUR_US, Level, Provenance, Source, StatisticColumns
from energy_server.rollup.accumulate import accumulate, hours
from energy_server.rollup.levels import SPREAD_MAX_US
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds
from energy_server.store.sqlite import SqliteStateStore
from tests.bench.reference_year.entities import SITE, Signal, signals
from tests.bench.reference_year.signals import DAY_US, Course, Instants, Values, course, instants, total, values
from tests.bench.say import say

VERSION = 4
FOLDER = Path(__file__).resolve().parents[3] / ".cache" / "reference-year"
MONTHS = 12
YEARS_IMPORTED = 5
ROWS_PER_APPEND = 200_000
MEMORY_LIMIT_MB = 512
AT_ONCE = Thresholds(settled_s=0, pause_share=0)
"""Nobody else writes, and nobody waits."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The finished reference year."""

    data_path: Path
    signals: Sequence[Signal]
    start_us: int
    end_us: int
    readings: int
    readings_bytes: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The readings of one Signal in one month, in ascending time."""

    ts_us: Instants
    value: Values

    def pick(self, rows: slice) -> Drawn:
        """Return some of the readings."""
        return Drawn(self.ts_us[rows], self.value[rows])


def month_us(number: int) -> int:
    """Return the start of month 0 (November 2025) to 12 (its end)."""
    return int(datetime(2025 + (10 + number) // 12, (10 + number) % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


START_US = month_us(0)
END_US = month_us(MONTHS)
ORIGIN_US = int(datetime(2025 - YEARS_IMPORTED, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000


class Progress:
    """What is done already, in a file beside the data."""

    def __init__(self, folder: Path) -> None:
        """Read the file; a folder of another version is emptied."""
        self._file = folder / "progress.json"
        self.months: list[int] = []
        self.imported = False
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        if known.get("version") == VERSION:
            self.months, self.imported = known["months"], known["imported"]
        elif folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)

    def save(self) -> None:
        """Write the file."""
        document = {"version": VERSION, "months": self.months, "imported": self.imported}
        self._file.write_text(json.dumps(document))

    @property
    def done(self) -> bool:
        """Return whether nothing is left to do."""
        return self.imported and len(self.months) == MONTHS


async def reference_year() -> Reference:
    """Return the reference year, making what is missing of it."""
    progress = Progress(FOLDER)
    made = signals(START_US)
    data_path = FOLDER / "data"
    data_path.mkdir(exist_ok=True)
    if not progress.done:
        store = DuckDBSeriesStore(data_path / "series", memory_limit_mb=MEMORY_LIMIT_MB, thresholds=AT_ONCE)
        await store.open()
        try:
            await _make(store, progress, [course(signal, ORIGIN_US) for signal in made])
            await _describe(store, data_path, made)
        finally:
            await store.close()
    readings = sum(
        len(instants(signal, month_us(number), month_us(number + 1))) for signal in made for number in range(MONTHS)
    )
    files = (data_path / "series" / "readings").glob("*.duckdb*")
    return Reference(data_path, made, START_US, END_US, readings, sum(file.stat().st_size for file in files))


async def _make(store: DuckDBSeriesStore, progress: Progress, courses: Sequence[Course]) -> None:
    if not progress.imported:
        say("reference year: five years of hourly statistics")
        for drawn in courses:
            await store.put_statistics(SITE.id, Level.HOUR, Source.IMPORT, imported(drawn))
        progress.imported = True
        progress.save()
    for number in range(MONTHS):
        if number in progress.months:
            continue
        started_s = time.monotonic()
        rows = await _make_month(store, courses, number)
        progress.months.append(number)
        progress.save()
        took_s = time.monotonic() - started_s
        say(f"reference year: month {number + 1} of {MONTHS}, {rows:,} readings, {took_s:.0f} s")


async def _make_month(store: DuckDBSeriesStore, courses: Sequence[Course], number: int) -> int:
    start_us, end_us = month_us(number), month_us(number + 1)
    month = [draw(one, number) for one in courses]
    for batch in batches(courses, month):
        await store.append([batch])
    five = [rolled(one, drawn, number) for one, drawn in zip(courses, month, strict=True)]
    levels = {Level.FIVE_MINUTES: five, Level.HOUR: [hours(part) for part in five]}
    for level, parts in levels.items():
        columns = in_order_of_time(parts)
        for day_us in range(start_us, end_us, DAY_US):
            await store.put_statistics(SITE.id, level, Source.ROLLUP, between(columns, day_us, day_us + DAY_US))
    while await store.upkeep():
        pass
    return sum(len(drawn.ts_us) for drawn in month)


def draw(one: Course, number: int) -> Drawn:
    """Return the readings of a Signal in a month; none outside of the year."""
    if not 0 <= number < MONTHS:
        return Drawn(np.empty(0, np.int64), np.empty(0))
    ts_us = instants(one.signal, month_us(number), month_us(number + 1))
    return Drawn(ts_us, values(one, ts_us))


def batches(courses: Sequence[Course], month: Sequence[Drawn]) -> Iterator[ReadingBatch]:
    """Yield the readings of all Signals in the order of time."""
    keys = np.array([one.signal.entity.key for one in courses], dtype=object)
    place = np.repeat(np.arange(len(month)), [len(drawn.ts_us) for drawn in month])
    ts_us = np.concatenate([drawn.ts_us for drawn in month])
    value = np.concatenate([drawn.value for drawn in month])
    order = np.argsort(ts_us, kind="stable")
    for first in range(0, len(order), ROWS_PER_APPEND):
        rows = order[first : first + ROWS_PER_APPEND]
        yield ReadingBatch(
            SITE.id,
            Origin.LIVE,
            keys[place[rows]].tolist(),
            ts_us[rows].tolist(),
            value[rows].tolist(),
            [None] * len(rows),
        )


def rolled(one: Course, drawn: Drawn, number: int) -> StatisticColumns:
    """Return the Statistics of 5 minutes of a month, from its readings and their neighbours."""
    before, after = draw(one, number - 1), draw(one, number + 1)
    parts = (before.pick(slice(-1, None)), drawn, after.pick(slice(0, 1)))
    ts_us = np.concatenate([part.ts_us for part in parts])
    count = len(ts_us)
    readings = ReadingSlice(
        ts_us,
        np.concatenate([part.value for part in parts]),
        np.full(count, NO_RESET, np.int64),
        np.full(count, Origin.LIVE, np.uint8),
    )
    entity = one.signal.entity
    return accumulate(
        entity,
        readings,
        [Span(START_US, END_US)],
        month_us(number),
        month_us(number + 1),
        ZoneInfo(SITE.time_zone),
        SPREAD_MAX_US.get(entity.kind, HOUR_US),
    )


def imported(one: Course) -> StatisticColumns:
    """Return the hourly Statistics of the years before, as Home Assistant would have them."""
    start_us = np.arange(ORIGIN_US, START_US, HOUR_US, dtype=np.int64)
    count = len(start_us)
    unknown = np.full(count, np.nan)
    covered_s = np.full(count, HOUR_US / 1e6)
    place = np.zeros(count, np.int32)
    provenance = np.full(count, Provenance.STATISTICS, np.uint8)
    entity = one.signal.entity
    if entity.counter:
        at_us = np.append(start_us, START_US)
        sums = total(one, at_us)
        return StatisticColumns(
            [entity.key], place, start_us, unknown, unknown, unknown, np.diff(sums), sums[1:], covered_s, provenance
        )
    mean = values(one, start_us)
    return StatisticColumns(
        [entity.key], place, start_us, mean, mean * 0.9, mean * 1.1, unknown, unknown, covered_s, provenance
    )


def _picked(columns: StatisticColumns, rows: np.ndarray | slice) -> StatisticColumns:
    return StatisticColumns(
        columns.keys,
        columns.place[rows],
        columns.start_us[rows],
        columns.mean[rows],
        columns.minimum[rows],
        columns.maximum[rows],
        columns.change[rows],
        columns.last[rows],
        columns.covered_s[rows],
        columns.provenance[rows],
    )


def in_order_of_time(parts: Sequence[StatisticColumns]) -> StatisticColumns:
    """Return the Statistics of several Entities, one per part, as the worker would have written them."""
    place = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    whole = StatisticColumns(
        [part.keys[0] for part in parts],
        place,
        np.concatenate([part.start_us for part in parts]),
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.minimum for part in parts]),
        np.concatenate([part.maximum for part in parts]),
        np.concatenate([part.change for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.covered_s for part in parts]),
        np.concatenate([part.provenance for part in parts]),
    )
    return _picked(whole, np.lexsort((place, whole.start_us)))


def between(columns: StatisticColumns, start_us: int, end_us: int) -> StatisticColumns:
    """Return the rows of a span, of columns in the order of time."""
    first, stop = np.searchsorted(columns.start_us, (start_us, end_us))
    return _picked(columns, slice(int(first), int(stop)))


async def _describe(store: DuckDBSeriesStore, data_path: Path, made: Sequence[Signal]) -> None:
    """Write the Site, its catalog and its Coverage."""
    state = SqliteStateStore(data_path / "state.sqlite")
    await state.open()
    try:
        await state.save_site(SITE)
        await state.save_catalog(SITE.id, [signal.entity for signal in made], START_US)
        ledger = CoverageLedger(state, store.store_id)
        await ledger.load()
        await ledger.record(Claim(SITE.id, CoverageSource.LIVE, Span(START_US, END_US)))
        for signal in made:
            hours_before = Claim(SITE.id, CoverageSource.HOUR, Span(ORIGIN_US, START_US), (signal.entity.key,))
            await ledger.record(hours_before)
        await ledger.close()
        await state.put_document(f"rolled_until:{SITE.id}", {"ts_us": END_US})
    finally:
        await state.close()
