"""Fetch what the rollup of a span of one Entity needs: its readings, their neighbours, and their Coverage.

In:   an Entity, a span. Out:  `Gathered`: the readings of the span with the last usable one before and the first one
      after it, and the Coverage of the time between those. `affected`: which span a change of readings reaches.
      Failures: StoreUnavailableError.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Reading, ReadingSlice
from energy_server.rollup.accumulate import is_counter
from energy_server.rollup.counter import usable
from energy_server.rollup.gauge import HOLD_MAX_US
from energy_server.rollup.pieces import merge
from energy_server.store.port import SeriesStore

EXACT = (CoverageSource.LIVE, CoverageSource.STATES)
END_US = 2**62
MOST_TRIES = 20
"""How many readings that do not count (negative ones of a `total_increasing`) are passed over to find a neighbour."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What `accumulate` needs."""

    readings: ReadingSlice
    covered: list[Span]


def joined(slices: Sequence[ReadingSlice]) -> ReadingSlice:
    """Return consecutive slices as one."""
    return ReadingSlice(
        ts_us=np.concatenate([one.ts_us for one in slices]),
        value=np.concatenate([one.value for one in slices]),
        reset_us=np.concatenate([one.reset_us for one in slices]),
        origin=np.concatenate([one.origin for one in slices]),
    )


class Gatherer:
    """Reads from the SeriesStore and the ledger; remembers the neighbours before the current hour of each Entity."""

    def __init__(self, series: SeriesStore, ledger: CoverageLedger) -> None:
        self._series = series
        self._ledger = ledger
        self._before: dict[tuple[str, str], tuple[int, ReadingSlice]] = {}
        self._ahead: dict[tuple[str, str, int, int], ReadingSlice] = {}

    async def look_ahead(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> None:
        """Read what `gather` is going to be asked for, of many Entities at once; what is newer then, is marked anew."""
        found = await self._series.read_many(site, keys, start_us, end_us)
        self._ahead |= {(site, key, start_us, end_us): found.get(key, _NOTHING) for key in keys}

    def forget_ahead(self) -> None:
        """Forget what was read ahead and not asked for."""
        self._ahead = {}

    def changed(self, site: str, key: str, since_us: int) -> None:
        """Forget what readings at `since_us` and later may have made untrue."""
        remembered = self._before.get((site, key))
        if remembered is not None and since_us < remembered[0]:
            del self._before[site, key]

    async def gather(self, entity: Entity, start_us: int, end_us: int, latest: Reading | None) -> Gathered:
        """Return the readings and the Coverage for the span; `latest` is the Entity's newest reading."""
        before = await self._neighbour_before(entity, start_us, latest)
        if latest is None or latest.ts_us < start_us:
            readings = before  # it fell silent before, as most do in most periods: no query
        else:
            inside = self._ahead.pop((entity.site, entity.key, start_us, end_us), None)
            if inside is None:
                inside = await self._series.read(entity.site, entity.key, start_us, end_us)
            readings = joined((before, inside, await self._after(entity, end_us, latest)))
        first_us = min(start_us, int(readings.ts_us[0])) if len(readings) else start_us
        last_us = max(end_us, int(readings.ts_us[-1])) if len(readings) else end_us
        return Gathered(readings, self._covered(entity, first_us, last_us))

    async def affected(self, entity: Entity, changed: Span, latest: Reading | None) -> Span:
        """Return the span whose Statistics depend on the readings of the changed one."""
        since_us = changed.since_us - HOLD_MAX_US
        if is_counter(entity):
            before = await self._neighbour_before(entity, changed.since_us, latest)
            since_us = int(before.ts_us[0]) if len(before) else changed.since_us
        after = await self._after(entity, changed.until_us, latest)
        if len(after):
            return Span(since_us, int(after.ts_us[-1]))
        # Nothing follows: the last value stands as far as Coverage reaches, whatever the sources of that are.
        _, covered_until = merge(self._covered(entity, changed.since_us, END_US))
        reached = covered_until[covered_until > changed.until_us]
        return Span(since_us, int(reached[0]) if len(reached) else changed.until_us)

    def _covered(self, entity: Entity, start_us: int, end_us: int) -> list[Span]:
        spans = self._ledger.spans(entity.site, entity, start_us, end_us)
        return [span for span, source in spans if source in EXACT]

    async def _neighbour_before(self, entity: Entity, ts_us: int, latest: Reading | None) -> ReadingSlice:
        remembered = self._before.get((entity.site, entity.key))
        if remembered is not None and (remembered[0] == ts_us or _ends_with(remembered[1], latest, ts_us)):
            return remembered[1]
        found = [await self._series.before(entity.site, entity.key, ts_us)]
        while _go_on(entity, found, found[0]):
            found.insert(0, await self._series.before(entity.site, entity.key, int(found[0].ts_us[0])))
        before = joined(found)
        self._before[entity.site, entity.key] = (ts_us, before)
        return before

    async def _after(self, entity: Entity, ts_us: int, latest: Reading | None) -> ReadingSlice:
        if latest is None or latest.ts_us < ts_us:
            return _NOTHING
        found = [await self._series.after(entity.site, entity.key, ts_us)]
        while _go_on(entity, found, found[-1]):
            found.append(await self._series.after(entity.site, entity.key, int(found[-1].ts_us[-1]) + 1))
        return joined(found)


_NOTHING = ReadingSlice(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.uint8))


def _go_on(entity: Entity, found: Sequence[ReadingSlice], newest: ReadingSlice) -> bool:
    return len(newest) > 0 and len(found) < MOST_TRIES and not usable(entity, newest).any()


def _ends_with(before: ReadingSlice, latest: Reading | None, ts_us: int) -> bool:
    """Say whether the slice ends with the newest reading of all, which lies before the instant."""
    return latest is not None and latest.ts_us < ts_us and len(before) > 0 and int(before.ts_us[-1]) == latest.ts_us
