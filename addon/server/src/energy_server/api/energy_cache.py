"""The cells of a home's energy, kept in memory: what is asked for again is not read and struck again.

In:   Entities, spans; word of every span whose Statistics changed.
Out:  `Cells`, the same as without a cache. Failures: StoreUnavailableError.

Cells of an hour (of a quarter where local days begin inside UTC hours) are kept in chunks of `CHUNK_HOURS`, with the
hours that are still right; those that changed are struck anew when they are asked for next. A change reaches its own
hours, and the shaped stretches that it touches (`precedence.py`), which are remembered while their cells are. Other
roles or Entities make a home's cells void. All homes together keep at most `MOST_BYTES`, least recently used chunks
going first.

What changed while cells were being read is not known to be in them: they answer, and are not kept. The cache belongs to
the process that writes Statistics; another one would not hear of changes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.cells import Cells, strike
from energy_server.energy.meters import Meters
from energy_server.energy.precedence import Chosen, choose
from energy_server.energy.series import PARTS, Series
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level, Source, StatisticColumns
from energy_server.store.port import SeriesStore

CHUNK_HOURS = 720
MOST_BYTES = 16_000_000
PIECE_ROWS = 200_000
"""Rollups of 5 minutes that are read and struck at once: so few hold the event loop up for some milliseconds only."""
NEAR_HOURS = 7 * 24
"""Hours that are to be struck are read together with what lies between them if they are as near."""
BESIDE_HOURS = 28 * 24
"""How far beyond the span a shaped stretch is looked for at first."""
CHANGE = ("change",)
CHANGE_AND_COVERAGE = ("change", "covered_s")

type Hours = range
"""Consecutive UTC hours, counted from 1970."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some of the cells of `CHUNK_HOURS`: those of the hours that are `right`, of which there may be none."""

    cells: Cells
    right: NDArray[np.bool]

    @property
    def size_bytes(self) -> int:
        return self.cells.size_bytes + self.right.nbytes


@dataclass(slots=True)
class _Kept:
    """A home whose cells are kept, how often its Statistics changed, its shaped stretches."""

    home: Meters
    changes: int = 0
    shaped: set[tuple[int, int]] = field(default_factory=set)


class EnergyCache:
    """The cells of all homes."""

    def __init__(self, series: SeriesStore, most_bytes: int = MOST_BYTES) -> None:
        self._series = series
        self._most_bytes = most_bytes
        self._kept: dict[str, _Kept] = {}
        self._chunks: OrderedDict[tuple[str, int, int], _Chunk] = OrderedDict()
        self.size_bytes = 0

    def changed(self, site: str, start_us: int, end_us: int) -> None:
        """Hear that Statistics of a span changed."""
        kept = self._kept.get(site)
        if kept is None:
            return
        kept.changes += 1
        start_us, end_us = _reached(kept.shaped, start_us, end_us)
        wrong = _hours(start_us, end_us)
        for (of, _, number), chunk in self._chunks.items():
            if of == site:
                chunk.right[_inside(wrong, number)] = False

    async def cells(self, site: str, home: Meters, start_us: int, end_us: int, cell_us: int) -> Cells:
        """Return the cells that start in the span; those of 5 minutes are not kept."""
        hours = _hours(start_us, end_us)
        if cell_us == FIVE_MINUTES_US:
            return (await self._struck(home, site, [hours], cell_us))[0].within(start_us, end_us)
        kept = self._of(site, home)
        changes = kept.changes
        known = {number: self._chunks.get((site, cell_us, number)) for number in _numbers(hours)}
        wrong = list(_joined(_wrong(hours, known)))
        struck, shaped = await self._struck(home, site, wrong, cell_us)
        if self._kept.get(site) is kept and kept.changes == changes:
            kept.shaped |= shaped
            parts = self._renewed(site, cell_us, known, wrong, struck)
        else:
            parts = [(await self._struck(home, site, [hours], cell_us))[0]]
        return Cells.together(parts).within(start_us, end_us)

    def _of(self, site: str, home: Meters) -> _Kept:
        kept = self._kept.get(site)
        if kept is None or kept.home != home:
            for place in [place for place in self._chunks if place[0] == site]:
                self._forget(place)
            kept = self._kept[site] = _Kept(home)
        return kept

    def _renewed(
        self, site: str, cell_us: int, known: dict[int, _Chunk | None], wrong: Collection[Hours], struck: Cells
    ) -> list[Cells]:
        """Put what was struck into its chunks; return the cells of all of these chunks."""
        parts = []
        for number, chunk in known.items():
            new = [_inside(hours, number) for hours in wrong]
            if chunk is None or any(part.start < part.stop for part in new):
                renewed = _with(chunk, number, new, struck)
                self._remember((site, cell_us, number), renewed)
            else:
                renewed = chunk
                if (site, cell_us, number) in self._chunks:
                    self._chunks.move_to_end((site, cell_us, number))
            parts.append(renewed.cells)
        while self.size_bytes > self._most_bytes:
            self._forget(next(iter(self._chunks)))
        return parts

    def _remember(self, place: tuple[str, int, int], chunk: _Chunk) -> None:
        self._forget(place)
        self._chunks[place] = chunk
        self.size_bytes += chunk.size_bytes

    def _forget(self, place: tuple[str, int, int]) -> None:
        if (chunk := self._chunks.pop(place, None)) is not None:
            self.size_bytes -= chunk.size_bytes

    async def _struck(
        self, home: Meters, site: str, wanted: Iterable[Hours], cell_us: int
    ) -> tuple[Cells, set[tuple[int, int]]]:
        """Read and strike the cells of these hours."""
        parts = [Cells.nothing(len(home.keys))]
        shaped: set[tuple[int, int]] = set()
        fine = home.balance_keys if cell_us == HOUR_US else home.keys
        length = max(CHUNK_HOURS, PIECE_ROWS // (PARTS * max(1, len(fine))))
        for hours in wanted:
            for start in range(hours.start, hours.stop, length):
                piece = range(start, min(start + length, hours.stop))
                chosen = await self._chosen(home, site, piece, cell_us)
                borders_us = _borders(chosen.series.values(), piece, cell_us)
                if len(borders_us):
                    parts.append(strike(home, chosen.series, borders_us))
                shaped.update(chosen.shaped)
        return Cells.together(parts), shaped

    async def _chosen(self, home: Meters, site: str, hours: Hours, cell_us: int) -> Chosen:
        """Return what counts in these hours, and beside them as far as a shaped stretch reaches."""
        low, high, beside = hours.start, hours.stop, BESIDE_HOURS
        while True:
            chosen = choose(home.keys, *await self._read(home, site, range(low, high), cell_us))
            earlier = low > 0 and any(start_us <= low * HOUR_US for start_us, _ in chosen.shaped)
            later = any(end_us >= high * HOUR_US for _, end_us in chosen.shaped)
            if not earlier and not later:
                return chosen
            low, high = max(0, low - beside * earlier), high + beside * later
            beside *= 2

    async def _read(
        self, home: Meters, site: str, hours: Hours, cell_us: int
    ) -> tuple[StatisticColumns, StatisticColumns, StatisticColumns]:
        """Return rollups of 5 minutes, of hours, and imported hours."""
        start_us, end_us = hours.start * HOUR_US, hours.stop * HOUR_US
        fine, coarse = (home.balance_keys, home.other_keys) if cell_us == HOUR_US else (home.keys, [])

        async def read(keys: Sequence[str], level: Level, source: Source, columns: Sequence[str]) -> StatisticColumns:
            return await self._series.statistics(site, keys, level, source, start_us, end_us, columns)

        imported = await read(home.keys, Level.HOUR, Source.IMPORT, CHANGE)
        five = read(fine, Level.FIVE_MINUTES, Source.ROLLUP, CHANGE)
        # Coverage decides between a rollup and an import: without imports it would be read in vain.
        rolled = (home.keys, CHANGE_AND_COVERAGE) if len(imported) else (coarse, CHANGE)
        return *await asyncio.gather(five, read(rolled[0], Level.HOUR, Source.ROLLUP, rolled[1])), imported


def _hours(start_us: int, end_us: int) -> Hours:
    """Return the hours of which the span has a part."""
    return range(start_us // HOUR_US, max(-(-end_us // HOUR_US), start_us // HOUR_US))


def _numbers(hours: Hours) -> range:
    """Return the numbers of the chunks of which the hours have a part."""
    return range(hours.start // CHUNK_HOURS, -(-hours.stop // CHUNK_HOURS))


def _inside(hours: Hours, number: int) -> slice:
    """Return the part of a chunk that lies in the hours, counted from the chunk's first hour."""
    first = number * CHUNK_HOURS
    low = min(max(hours.start - first, 0), CHUNK_HOURS)
    return slice(low, max(low, min(hours.stop - first, CHUNK_HOURS)))


def _reached(shaped: set[tuple[int, int]], start_us: int, end_us: int) -> tuple[int, int]:
    """Return how far a change reaches, and forget the stretches that it changes."""
    while touched := {one for one in shaped if one[0] <= end_us and one[1] >= start_us}:
        shaped -= touched
        start_us = min(start_us, *(since_us for since_us, _ in touched))
        end_us = max(end_us, *(until_us for _, until_us in touched))
    return start_us, end_us


def _wrong(hours: Hours, known: dict[int, _Chunk | None]) -> Iterator[Hours]:
    """Yield the hours that are not known, or not right any more."""
    for number, chunk in known.items():
        part, first = _inside(hours, number), number * CHUNK_HOURS
        if chunk is None:
            yield range(first + part.start, first + part.stop)
            continue
        wrong = part.start + np.flatnonzero(~chunk.right[part])
        if len(wrong):
            yield range(first + int(wrong[0]), first + int(wrong[-1]) + 1)


def _joined(parts: Iterable[Hours]) -> Iterator[Hours]:
    """Yield ascending hours, those that are near as one."""
    one: Hours | None = None
    for part in parts:
        if one is not None and part.start - one.stop <= NEAR_HOURS:
            one = range(one.start, part.stop)
            continue
        if one is not None:
            yield one
        one = part
    if one is not None:
        yield one


def _with(chunk: _Chunk | None, number: int, new: Sequence[slice], struck: Cells) -> _Chunk:
    """Return a chunk in which some hours are what was struck of them."""
    right = np.zeros(CHUNK_HOURS, np.bool) if chunk is None else chunk.right.copy()
    fresh = np.zeros(CHUNK_HOURS, np.bool)
    for part in new:
        fresh[part] = True
    first = number * CHUNK_HOURS
    here = struck.within(first * HOUR_US, (first + CHUNK_HOURS) * HOUR_US)
    here = here.pick(fresh[here.start_us // HOUR_US - first])
    if chunk is None:
        return _Chunk(here, right | fresh)
    kept = chunk.cells.pick((right & ~fresh)[chunk.cells.start_us // HOUR_US - first])
    both = Cells.together([kept, here])
    return _Chunk(both.pick(np.argsort(both.start_us)), right | fresh)


def _borders(series: Iterable[Series], hours: Hours, cell_us: int) -> NDArray[np.int64]:
    """Return the borders of the cells of these hours, as far as something is known; none where nothing is."""
    rows = [rows.start_us for one in series for rows in (one.five, one.hours) if len(rows)]
    if not rows:
        return np.empty(0, np.int64)
    known = _hours(min(int(starts[0]) for starts in rows), max(int(starts[-1]) for starts in rows) + 1)
    low, high = max(hours.start, known.start), min(hours.stop, known.stop)
    return np.arange(low * HOUR_US, high * HOUR_US + 1 if low < high else 0, cell_us, dtype=np.int64)
