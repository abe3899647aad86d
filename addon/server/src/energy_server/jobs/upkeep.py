"""Let the SeriesStore keep itself in order, every few minutes.

In:   the store's own judgement of what is due.
Out:  a line in the sync log of each Site for each thing that was done.
Failures: StoreUnavailableError, and what is a defect in the store; the supervisor shows it and begins again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from energy_server.store.port import SeriesStore, StateStore, SyncEntry

INTERVAL_S = 300.0

type Sleep = Callable[[float], Awaitable[None]]


async def keep_in_order(
    series: SeriesStore, state: StateStore, clock_us: Callable[[], int], sleep: Sleep = asyncio.sleep
) -> None:
    """Look after the store until cancelled, one thing at a time."""
    while True:
        await sleep(INTERVAL_S)
        while (done := await series.upkeep()) is not None:
            for site in await state.sites():
                await state.log(SyncEntry(clock_us(), site.id, "upkeep", done))
