"""Dirty marks: which spans of which Entities must be rolled up anew.

In:   the keys and instants of readings, before they are written.
Out:  for each (site, key) the spans that its new readings lie in; marks survive a restart as whole UTC hours.
Failures: StoreUnavailableError from `load`, `marked` and `done`; after any of them the call may be repeated.

The order makes it safe: marked, then written, then rolled up, then unmarked. A kill in between costs a repeated rollup.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from energy_server.ledger.spans import SpanSet
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import StateStore

FAR_US = 24 * HOUR_US
"""Marks that are nearer are one span. What lies between others need not be rolled up, which may be years."""

type Pair = tuple[str, str]
"""(site, key)"""


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Where the new readings of one Entity lie: the span of all, and the hours that have some."""

    span: Span
    hours: set[int]


class DirtyMarks:
    """The marks of all Sites. A span that was taken stays until it is done, and is handed out again until then."""

    def __init__(self, state: StateStore) -> None:
        self.histories = 0
        """How many readings of other origins than live came so far."""
        self._state = state
        self._fresh: dict[Pair, SpanSet] = {}
        self._fresh_hours: dict[Pair, set[int]] = {}
        self._taken: dict[Pair, SpanSet] = {}
        self._writing: list[dict[Pair, _Marks]] = []
        self._durable: dict[Pair, set[int]] = {}
        self._perhaps: dict[Pair, set[int]] = {}  # what the store has, also where a call failed that may have been done
        self._storing = asyncio.Lock()  # a mark must not be overtaken by the clearing of an older one

    async def load(self) -> None:
        """Read the marks that an earlier run left."""
        for site, key, hour_us in await self._state.dirty():
            self._durable.setdefault((site, key), set()).add(hour_us)
            self._perhaps.setdefault((site, key), set()).add(hour_us)
            self._remember((site, key), Span(hour_us, hour_us + HOUR_US), {hour_us})

    @asynccontextmanager
    async def marked(self, batches: Sequence[ReadingBatch], claims: Sequence[Claim] = ()) -> AsyncIterator[None]:
        """Mark what changes, then let the caller write it; only when that is over can the marks be taken.

        Readings change their own instants, a claim of exact states all of its span (live Coverage grows at its end,
        where the worker looks anyway). Hours that are marked already cost no I/O.
        """
        marks = _marks(batches, claims)
        self.histories += sum(len(batch) for batch in batches if batch.origin is not Origin.LIVE)
        self._writing.append(marks)
        try:
            await self._make_durable(marks)
            yield
        finally:  # what failed may still have been written
            self._writing.remove(marks)
            for pair, mark in marks.items():
                self._remember(pair, mark.span, mark.hours)

    async def _make_durable(self, marks: dict[Pair, _Marks]) -> None:
        async with self._storing:
            new = [
                (*pair, hour) for pair, mark in marks.items() for hour in mark.hours - self._durable.get(pair, set())
            ]
            if new:
                for site, key, hour in new:
                    self._perhaps.setdefault((site, key), set()).add(hour)
                await self._state.mark_dirty(new)
                for site, key, hour in new:
                    self._durable.setdefault((site, key), set()).add(hour)

    def take(self) -> dict[Pair, SpanSet]:
        """Return everything that is marked and not done; what is marked from now on counts anew."""
        for pair, spans in self._fresh.items():
            for span in spans:
                self._taken[pair] = _near(self._taken.get(pair, []), span)
        self._fresh = {}
        self._fresh_hours = {}
        return dict(self._taken)

    async def done(self, taken: Mapping[Pair, SpanSet]) -> None:
        """Forget what was taken and is rolled up, but for what was marked again meanwhile."""
        async with self._storing:
            cleared: list[tuple[str, str, int]] = []
            done = [pair for pair, spans in taken.items() if self._taken.get(pair) == spans]  # no more was taken since
            for pair in done:
                marked_again = self._fresh_hours.get(pair, set()).union(
                    *(marks[pair].hours for marks in self._writing if pair in marks)
                )
                rolled = {
                    hour
                    for hour in self._perhaps.get(pair, set())
                    if any(span.since_us // HOUR_US * HOUR_US <= hour < span.until_us for span in taken[pair])
                }
                cleared.extend((*pair, hour) for hour in rolled - marked_again)
            if cleared:
                for site, key, hour in cleared:
                    self._durable.get((site, key), set()).discard(hour)
                await self._state.clear_dirty(cleared)
                for site, key, hour in cleared:
                    self._perhaps[site, key].discard(hour)
            for pair in done:
                del self._taken[pair]

    def _remember(self, pair: Pair, span: Span, hours: set[int]) -> None:
        self._fresh[pair] = _near(self._fresh.get(pair, []), span)
        self._fresh_hours.setdefault(pair, set()).update(hours)


def _marks(batches: Sequence[ReadingBatch], claims: Sequence[Claim]) -> dict[Pair, _Marks]:
    marks: dict[Pair, _Marks] = {}
    for claim in claims:
        if claim.source is CoverageSource.STATES and claim.span.until_us > claim.span.since_us:
            first = claim.span.since_us // HOUR_US * HOUR_US
            hours = set(range(first, claim.span.until_us, HOUR_US))
            for key in claim.keys or ():
                _add(marks, (claim.site, key), claim.span, hours)
    for batch in batches:
        for key, (span, hours) in _of_keys(batch).items():
            _add(marks, (batch.site, key), span, hours)
    return marks


def _add(marks: dict[Pair, _Marks], pair: Pair, span: Span, hours: set[int]) -> None:
    known = marks.get(pair)
    marks[pair] = _Marks(_hull(known.span, span), known.hours | hours) if known else _Marks(span, hours)


def _of_keys(batch: ReadingBatch) -> dict[str, tuple[Span, set[int]]]:
    """Return for each key the span that its readings lie in, and the hours that have some."""
    if not len(batch):
        return {}
    places = {key: place for place, key in enumerate(dict.fromkeys(batch.keys))}
    place = np.array([places[key] for key in batch.keys], np.intp)
    ts = np.array(batch.ts_us, np.int64)
    order = np.lexsort((ts, place))
    place, ts = place[order], ts[order]
    hour = ts // HOUR_US * HOUR_US
    begins = np.append(True, place[1:] != place[:-1])
    ends = np.append(begins[1:], True)
    spans = map(Span, ts[begins].tolist(), (ts[ends] + 1).tolist(), strict=True)
    hours: list[set[int]] = [set() for _ in places]
    new = begins | np.append(True, hour[1:] != hour[:-1])
    for at, start_us in zip(place[new].tolist(), hour[new].tolist(), strict=True):
        hours[at].add(start_us)
    return dict(zip(places, zip(spans, hours, strict=True), strict=True))


def _near(spans: SpanSet, span: Span) -> SpanSet:
    """Return the spans with one more, which takes in those that are near."""
    near = [one for one in spans if one.since_us - FAR_US < span.until_us and span.since_us < one.until_us + FAR_US]
    for one in near:
        span = _hull(span, one)
    return [span] if len(near) == len(spans) else sorted([span, *(one for one in spans if one not in near)])


def _hull(one: Span, other: Span) -> Span:
    return Span(min(one.since_us, other.since_us), max(one.until_us, other.until_us))
