"""What the SeriesStore has lost is no longer called complete, is asked of Home Assistant again, and is rolled up anew.

In:   the losses of the store, which remembers each until it is settled.
Out:  Coverage without the spans; Statistics without what the readings said; marks for the rollup; a line in the sync
      log of each Site. Gaps follow from Coverage.
Failures: StoreUnavailableError; the supervisor shows it and begins again.

Each step may be done again: a kill on the way costs what came since, which is asked for once more. Hourly statistics
that were imported are kept.
"""

import asyncio
from calendar import month_name
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import batched

from energy_server.ledger.anew import anew
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.model.coverage import Span
from energy_server.store.port import Loss, SeriesStore, StateStore, SyncEntry

LOOK_EVERY_S = 1.0
KEYS_AT_ONCE = 8
"""A month of 5 minutes of so many Entities is 70,000 rows."""

type Sleep = Callable[[float], Awaitable[None]]
type OnChanged = Callable[[str, int, int], None]


class Losses:
    """What was lost, and is being settled."""

    def __init__(
        self,
        series: SeriesStore,
        state: StateStore,
        ledger: CoverageLedger,
        dirty: DirtyMarks,
        on_changed: OnChanged,
        clock_us: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._series = series
        self._state = state
        self._ledger = ledger
        self._dirty = dirty
        self._on_changed = on_changed
        self._clock_us = clock_us
        self._sleep = sleep
        self._void: set[Loss] = set()

    async def run(self) -> None:
        """Settle what is lost, as soon as it is known, until cancelled."""
        while True:
            await self.settle()
            await self._sleep(LOOK_EVERY_S)

    async def void(self) -> None:
        """Take the Coverage of every loss away: the first thing to do, and quick."""
        for loss in await self._series.losses():
            if loss not in self._void:  # what came since then is stored
                await self._ledger.void_within(loss.span)
                self._void.add(loss)

    async def settle(self) -> None:
        """Settle every loss."""
        await self.void()
        for loss in await self._series.losses():
            for site in await self._state.sites():
                await self._roll_anew(site.id, loss.span)
                await self._state.log(self._told(site.id, loss))
            await self._series.forget(loss)
            self._void.discard(loss)

    async def _roll_anew(self, site: str, span: Span) -> None:
        """Let Statistics that were rolled up say nothing, and mark them: the rollup writes where something is known."""
        keys = [entity.key for entity in await self._state.entities(site)]
        for some in batched(keys, KEYS_AT_ONCE, strict=False):
            async with anew(self._series, self._dirty, site, some, span):
                pass
        self._on_changed(site, span.since_us, span.until_us)

    def _told(self, site: str, loss: Loss) -> SyncEntry:
        begins = datetime.fromtimestamp(loss.span.since_us / 1e6, UTC)
        detail = (
            f"The file of {month_name[begins.month]} {begins.year} was damaged. It was set aside as {loss.kept_as}; "
            "its readings are asked of Home Assistant again."
        )
        return SyncEntry(self._clock_us(), site, "damaged", detail, loss.span.since_us, loss.span.until_us)
