"""Dirty marks: which spans of which Entities must be rolled up anew.

In:   the keys and instants of readings, before they are written.
Out:  for each (site, key) the span that its new readings lie in; marks survive a restart as whole UTC hours.
Failures: StoreUnavailableError from `load`, `mark` and `done`; after any of them the call may be repeated.

The order makes it safe: marked, then written, then rolled up, then unmarked. A kill in between costs a repeated rollup.
"""

import asyncio
from collections.abc import Sequence

from energy_server.model.coverage import Span
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import StateStore

type Pair = tuple[str, str]
"""(site, key)"""


class DirtyMarks:
    """The marks of all Sites. A span that was taken stays until it is done, and is handed out again until then."""

    def __init__(self, state: StateStore) -> None:
        self._state = state
        self._fresh: dict[Pair, Span] = {}
        self._fresh_hours: dict[Pair, set[int]] = {}
        self._taken: dict[Pair, Span] = {}
        self._durable: dict[Pair, set[int]] = {}
        self._storing = asyncio.Lock()  # a mark must not be overtaken by the clearing of an older one

    async def load(self) -> None:
        """Read the marks that an earlier run left."""
        for site, key, hour_us in await self._state.dirty():
            self._durable.setdefault((site, key), set()).add(hour_us)
            self._remember((site, key), Span(hour_us, hour_us + HOUR_US), {hour_us})

    async def mark(self, site: str, keys: Sequence[str], ts_us: Sequence[int]) -> None:
        """Mark readings that are about to be written; hours that are marked already cost no I/O."""
        instants: dict[str, list[int]] = {}
        for key, instant_us in zip(keys, ts_us, strict=True):
            instants.setdefault(key, []).append(instant_us)
        async with self._storing:
            new: list[tuple[str, str, int]] = []
            for key, found in instants.items():
                span = Span(min(found), max(found) + 1)
                hours = _hours(found, span)
                self._remember((site, key), span, hours)
                new.extend((site, key, hour) for hour in hours - self._durable.get((site, key), set()))
            if new:
                await self._state.mark_dirty(new)
                for _, key, hour in new:
                    self._durable.setdefault((site, key), set()).add(hour)

    def take(self) -> dict[Pair, Span]:
        """Return everything that is marked and not done; what is marked from now on counts anew."""
        for pair, span in self._fresh.items():
            self._taken[pair] = _hull(self._taken.get(pair, span), span)
        self._fresh = {}
        self._fresh_hours = {}
        return dict(self._taken)

    async def done(self, taken: dict[Pair, Span]) -> None:
        """Forget what was taken and is rolled up, but for what was marked again meanwhile."""
        async with self._storing:
            cleared: list[tuple[str, str, int]] = []
            for pair, span in taken.items():
                if self._taken.get(pair) == span:
                    del self._taken[pair]
                marked_again = self._fresh_hours.get(pair, set())
                rolled = {
                    hour
                    for hour in self._durable.get(pair, set())
                    if span.since_us // HOUR_US * HOUR_US <= hour < span.until_us
                }
                cleared.extend((*pair, hour) for hour in rolled - marked_again)
            if cleared:
                await self._state.clear_dirty(cleared)
                for site, key, hour in cleared:
                    self._durable[site, key].discard(hour)

    def _remember(self, pair: Pair, span: Span, hours: set[int]) -> None:
        self._fresh[pair] = _hull(self._fresh.get(pair, span), span)
        self._fresh_hours.setdefault(pair, set()).update(hours)


def _hours(instants: Sequence[int], span: Span) -> set[int]:
    first = span.since_us // HOUR_US * HOUR_US
    if span.until_us <= first + HOUR_US:
        return {first}  # the usual case
    return {instant_us // HOUR_US * HOUR_US for instant_us in instants}


def _hull(one: Span, other: Span) -> Span:
    return Span(min(one.since_us, other.since_us), max(one.until_us, other.until_us))
