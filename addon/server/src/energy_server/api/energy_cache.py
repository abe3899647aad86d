"""The cells of a home's energy, kept in memory: what is asked for again is not read and struck again.

In:   Entities, edges; word of every span whose Statistics changed.
Out:  `Sums` between the edges, `Days`, `Cells`: the same as without a cache. Failures: StoreUnavailableError.

Cells of each length (`layout.py`) are kept in chunks, with the units of a chunk that are still right; those that
changed are struck anew when they are asked for next. A change reaches its own hours, and the shaped stretches that it
touches (`precedence.py`), which are remembered while their cells are. Other roles or Entities make a home's cells void;
names are nothing to them. All homes together keep at most `MOST_BYTES`, least recently used chunks going first.

What changed while cells were being read is not known to be in them: they answer, and are not kept. The cache belongs to
the process that writes Statistics; another one would not hear of changes.

Cells are struck in a thread, `PIECE_ROWS` at a time. The event loop is held by the sums of a block of a year at most.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.cells import Cells, Days, Summing, Sums, daily, strike
from energy_server.energy.layout import HOURS_A_DAY, QUARTER_US, UNITS_US, Units, layout, touched
from energy_server.energy.meters import Contribution, Meters
from energy_server.energy.periods import DAY_US
from energy_server.energy.precedence import Chosen, choose
from energy_server.energy.series import PARTS, Instants, Series
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level, Source, StatisticColumns
from energy_server.store.port import SeriesStore

CHUNK_UNITS = {DAY_US: 360, HOUR_US: 1_440, QUARTER_US: 1_440, FIVE_MINUTES_US: 120}
"""How many units a chunk has: with 47 meters the cells of a whole one take 0.8 MB at most, quarters 3.4 MB."""
BLOCK_US = CHUNK_UNITS[DAY_US] * DAY_US
"""Chunks of all lengths that lie in such a block are looked at together, so that hours are read once for all."""
MOST_BYTES = 16_000_000
"""A day of 47 meters takes 1 kB, an hour 0.6 kB: ten years by months 4 MB in any zone, a year by days 6 MB."""
PIECE_ROWS = 200_000
"""Rollups of 5 minutes that are read and struck at once: with them a request holds some 20 MB."""
NEAR_HOURS = 7 * 24
"""Hours that are to be struck are read together with what lies between them if they are as near."""
BESIDE_HOURS = 28 * 24
"""How far beyond the span a shaped stretch is looked for at first."""
CHANGE = ("change",)
CHANGE_AND_COVERAGE = ("change", "covered_s")

type Hours = range
"""Consecutive UTC hours, counted from 1970."""
type Needed = tuple[tuple[Contribution, ...], tuple[str, ...]]
"""What cells depend on: the contributions, and the keys of their rows."""
type Place = tuple[str, int, int]
"""Site, length of cells, number of the chunk."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some of the cells of a chunk: those of the units that are `right`, of which there may be none."""

    cells: Cells
    right: NDArray[np.bool]

    @property
    def size_bytes(self) -> int:
        return self.cells.size_bytes + self.right.nbytes


@dataclass(slots=True)
class _Kept:
    """A home whose cells are kept, how often its Statistics changed, its shaped stretches."""

    needed: Needed
    changes: int = 0
    shaped: set[tuple[int, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request is about; `hours` are those whose cells it needs, too, when it needs those of days."""

    site: str
    home: Meters
    kept: _Kept
    hours: Units


class EnergyCache:
    """The cells of all homes."""

    def __init__(self, series: SeriesStore, most_bytes: int = MOST_BYTES) -> None:
        self._series = series
        self._most_bytes = most_bytes
        self._kept: dict[str, _Kept] = {}
        self._chunks: OrderedDict[Place, _Chunk] = OrderedDict()
        self.size_bytes = 0

    def changed(self, site: str, start_us: int, end_us: int) -> None:
        """Hear that Statistics of a span changed."""
        kept = self._kept.get(site)
        if kept is None:
            return
        kept.changes += 1
        start_us, end_us = _reached(kept.shaped, start_us, end_us)
        for (of, cell_us, number), chunk in self._chunks.items():
            if of == site:
                first, unit_us = number * CHUNK_UNITS[cell_us], UNITS_US[cell_us]
                low, stop = start_us // unit_us - first, -(-end_us // unit_us) - first
                chunk.right[max(0, low) : max(0, stop)] = False

    async def sums(self, site: str, home: Meters, edges_us: Instants, before_us: int) -> tuple[Sums, Days]:
        """Return the sums between edges, and the days that the span, or the time `before_us` it, has a part of."""
        wanted = layout(edges_us)
        seen = touched(max(0, int(edges_us[0]) - before_us), int(edges_us[-1]), DAY_US)
        asked = _Asked(site, home, self._of(site, home), wanted[HOUR_US])
        summing, days = Summing(len(home.keys), edges_us), [Cells.nothing(len(home.keys))]
        block = None
        for start_us, cell_us, units in _by_block({**wanted, DAY_US: seen}):
            if start_us // BLOCK_US != block:
                block = start_us // BLOCK_US
                await asyncio.sleep(0)  # so that others have their turn
            found = await self._found(asked, cell_us, units)
            if cell_us == DAY_US:
                days.append(found)
                found = found.of(_between(wanted[DAY_US], units[0], units[-1] + 1), DAY_US)
            summing.add(found)
        return summing.sums(), Days.of(days)

    async def cells(self, site: str, home: Meters, cell_us: int, units: Units) -> Cells:
        """Return the cells of this length of some units (`layout.py`)."""
        asked = _Asked(site, home, self._of(site, home), units[:0])
        found = [await self._found(asked, cell_us, part) for _, _, part in _by_block({cell_us: units})]
        return Cells.together([Cells.nothing(len(home.keys)), *found])

    def _of(self, site: str, home: Meters) -> _Kept:
        kept, needed = self._kept.get(site), (home.contributions, tuple(home.keys))
        if kept is None or kept.needed != needed:
            for place in [place for place in self._chunks if place[0] == site]:
                self._forget(place)
            kept = self._kept[site] = _Kept(needed)
        return kept

    async def _found(self, asked: _Asked, cell_us: int, units: Units) -> Cells:
        """Return the cells of some units of one chunk; strike and keep those that are not known."""
        number = int(units[0]) // CHUNK_UNITS[cell_us]
        place = (asked.site, cell_us, number)
        chunk, first, unit_us = self._chunks.get(place), number * CHUNK_UNITS[cell_us], UNITS_US[cell_us]
        right = np.zeros(len(units), np.bool) if chunk is None else chunk.right[units - first]
        parts = []
        if chunk is not None:
            self._chunks.move_to_end(place)
            parts.append(chunk.cells.of(units[right], unit_us))
            if right.all():
                return parts[0]
        for hours, new in _pieces(units[~right], cell_us, self._longest(asked.home, cell_us)):
            struck = await self._struck(asked, hours, cell_us, new)
            parts.append(struck.of(new, unit_us))
        found = Cells.together(parts)
        return found if len(parts) == 1 else found.pick(np.argsort(found.start_us))

    def _longest(self, home: Meters, cell_us: int) -> int:
        """Return how many hours are struck at once."""
        fine = home.balance_keys if cell_us >= HOUR_US else home.keys
        days = PIECE_ROWS // (PARTS * HOURS_A_DAY * max(1, len(fine)))
        return HOURS_A_DAY * max(1, min(days, CHUNK_UNITS[DAY_US]))

    async def _struck(self, asked: _Asked, hours: Hours, cell_us: int, new: Units) -> Cells:
        """Strike cells of these hours, and keep those of the new units if nothing changed meanwhile."""
        site, kept, changes = asked.site, asked.kept, asked.kept.changes
        chosen = await self._chosen(asked.home, site, hours, cell_us)
        struck = shorter = await asyncio.to_thread(_cells, asked.home, chosen, hours, min(cell_us, HOUR_US))
        if cell_us == DAY_US:
            struck = daily(shorter)
        if self._kept.get(site) is kept and kept.changes == changes:
            kept.shaped.update(chosen.shaped)
            self._keep(site, cell_us, new, struck)
            if cell_us == DAY_US:
                self._keep(site, HOUR_US, _between(asked.hours, hours.start, hours.stop), shorter)
        return struck

    def _keep(self, site: str, cell_us: int, units: Units, struck: Cells) -> None:
        """Put the cells of some units into their chunks."""
        for _, _, part in _by_block({cell_us: units}):
            number = int(part[0]) // CHUNK_UNITS[cell_us]
            place = (site, cell_us, number)
            renewed = _with(self._chunks.get(place), part, cell_us, struck)
            self._forget(place)
            self._chunks[place] = renewed
            self.size_bytes += renewed.size_bytes
        while self.size_bytes > self._most_bytes:
            self._forget(next(iter(self._chunks)))

    def _forget(self, place: Place) -> None:
        if (chunk := self._chunks.pop(place, None)) is not None:
            self.size_bytes -= chunk.size_bytes

    async def _chosen(self, home: Meters, site: str, hours: Hours, cell_us: int) -> Chosen:
        """Return what counts in these hours, and beside them as far as a shaped stretch reaches."""
        low, high, beside = hours.start, hours.stop, BESIDE_HOURS
        while True:
            read = await self._read(home, site, range(low, high), cell_us)
            chosen = await asyncio.to_thread(choose, home.keys, *read)
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
        fine, coarse = (home.balance_keys, home.other_keys) if cell_us >= HOUR_US else (home.keys, [])

        async def read(keys: Sequence[str], level: Level, source: Source, columns: Sequence[str]) -> StatisticColumns:
            return await self._series.statistics(site, keys, level, source, start_us, end_us, columns)

        imported = await read(home.keys, Level.HOUR, Source.IMPORT, CHANGE)
        five = read(fine, Level.FIVE_MINUTES, Source.ROLLUP, CHANGE)
        # Coverage decides between a rollup and an import: without imports it would be read in vain.
        rolled = (home.keys, CHANGE_AND_COVERAGE) if len(imported) else (coarse, CHANGE)
        return *await asyncio.gather(five, read(rolled[0], Level.HOUR, Source.ROLLUP, rolled[1])), imported


def _by_block(wanted: Mapping[int, Units]) -> Iterator[tuple[int, int, Units]]:
    """Yield the start of each chunk, the length of its cells, its units: by blocks, longer cells first, ascending."""
    parts = []
    for rank, (cell_us, units) in enumerate(wanted.items()):
        borders = np.flatnonzero(np.diff(units // CHUNK_UNITS[cell_us])) + 1
        for part in np.split(units, borders) if len(units) else []:
            start_us = int(part[0]) // CHUNK_UNITS[cell_us] * CHUNK_UNITS[cell_us] * UNITS_US[cell_us]
            parts.append((start_us // BLOCK_US, rank, start_us, cell_us, part))
    for _, _, start_us, cell_us, part in sorted(parts, key=lambda part: part[:3]):
        yield start_us, cell_us, part


def _between(units: Units, start: int, stop: int) -> Units:
    """Return those of the units that lie in a range."""
    first, last = np.searchsorted(units, (start, stop))
    return units[first:last]


def _pieces(units: Units, cell_us: int, longest: int) -> Iterator[tuple[Hours, Units]]:
    """Yield hours that are to be struck together, at most so many, and which of the units they have."""
    length = UNITS_US[cell_us] // HOUR_US
    for near in np.split(units, np.flatnonzero(np.diff(units) * length > NEAR_HOURS) + 1):
        start = 0
        while start < len(near):
            stop = int(np.searchsorted(near, near[start] + longest // length))
            yield range(int(near[start]) * length, (int(near[stop - 1]) + 1) * length), near[start:stop]
            start = stop


def _reached(shaped: set[tuple[int, int]], start_us: int, end_us: int) -> tuple[int, int]:
    """Return how far a change reaches, and forget the stretches that it changes."""
    while touching := {one for one in shaped if one[0] <= end_us and one[1] >= start_us}:
        shaped -= touching
        start_us = min(start_us, *(since_us for since_us, _ in touching))
        end_us = max(end_us, *(until_us for _, until_us in touching))
    return start_us, end_us


def _with(chunk: _Chunk | None, new: Units, cell_us: int, struck: Cells) -> _Chunk:
    """Return a chunk of which some units are what was struck of them."""
    unit_us, count = UNITS_US[cell_us], CHUNK_UNITS[cell_us]
    first = int(new[0]) // count * count
    fresh = np.zeros(count, np.bool)
    fresh[new - first] = True
    here = struck.of(new, unit_us)
    if chunk is None:
        return _Chunk(here.copy(), fresh)
    kept = chunk.cells.pick((chunk.right & ~fresh)[chunk.cells.start_us // unit_us - first])
    both = Cells.together([kept, here])
    return _Chunk(both.pick(np.argsort(both.start_us)), chunk.right | fresh)


def _cells(home: Meters, chosen: Chosen, hours: Hours, cell_us: int) -> Cells:
    """Strike the cells of these hours, as far as something is known."""
    borders_us = _borders(chosen.series.values(), hours, cell_us)
    return strike(home, chosen.series, borders_us) if len(borders_us) else Cells.nothing(len(home.keys))


def _borders(series: Iterable[Series], hours: Hours, cell_us: int) -> Instants:
    """Return the borders of the cells of these hours, as far as something is known; none where nothing is."""
    rows = [rows.start_us for one in series for rows in (one.five, one.hours) if len(rows)]
    if not rows:
        return np.empty(0, np.int64)
    first_us, last_us = min(int(starts[0]) for starts in rows), max(int(starts[-1]) for starts in rows)
    low, high = max(hours.start, first_us // HOUR_US), min(hours.stop, last_us // HOUR_US + 1)
    return np.arange(low * HOUR_US, high * HOUR_US + 1 if low < high else 0, cell_us, dtype=np.int64)
