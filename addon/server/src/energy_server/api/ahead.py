"""Strike the cells of the last years after a start, so that who opens the Energy view first does not wait for them.

In:   the Sites, their Entities.
Out:  cells in the cache: of the last year by local days, as a month, a year and their steps back want them; of the ten
      years before by months, as far back as something is known. Ends when that is done.
Failures: StoreUnavailableError.

It is a week's cells at once, the newest first, then a rest, RESTS times as long as that took: ingest, and who asks
meanwhile, find the store and the processor free for most of the time. The store gives back what it read: of it all 2 to
8 MB of cells are left. What changes afterwards is struck by who asks for it: only that.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from zoneinfo import ZoneInfo

from energy_server.api.core import Core
from energy_server.energy.meters import meters
from energy_server.energy.periods import DAY_US, Resolution, edges, period_of, zone_of
from energy_server.model.site import Site

RESTS = 4
LEAST_REST_S = 0.05
MOST_REST_S = 2.0
YEAR_US = 366 * DAY_US
WEEK_US = 7 * DAY_US
QUARTER_YEAR_US = 80 * DAY_US
"""So many days back, and from there to the beginning of the month, of which only imported hours are known usually."""
MOST_YEARS = 10
SILENT_PIECES = 5
"""After so many parts of months of which nothing is known there will be none."""

type Sleep = Callable[[float], Awaitable[None]]


async def strike_ahead(core: Core, sleep: Sleep = asyncio.sleep) -> None:
    """Strike what is asked for most, one Site after the other."""
    for site in await core.state.sites():
        zone, silent = zone_of(site.time_zone), 0
        for start_us, end_us, resolution in _pieces(core.clock_us(), zone):
            started_s = time.perf_counter()
            known = await _strike(core, site, zone, start_us, end_us, resolution)
            await core.series.rest()
            rest_s = RESTS * (time.perf_counter() - started_s)
            await sleep(min(max(LEAST_REST_S, rest_s), MOST_REST_S))
            silent = 0 if known or resolution is Resolution.DAY else silent + 1
            if silent == SILENT_PIECES:
                break


def _pieces(now_us: int, zone: ZoneInfo) -> Iterator[tuple[int, int, Resolution]]:
    """Yield spans of whole local days, the newest first, and how finely they are wanted."""
    _, end_us = period_of(now_us, Resolution.DAY, zone)
    first_us, _ = period_of(end_us - YEAR_US, Resolution.MONTH, zone)
    while end_us > first_us:
        start_us, _ = period_of(max(first_us, end_us - WEEK_US), Resolution.DAY, zone)
        yield start_us, end_us, Resolution.DAY
        end_us = start_us
    while end_us > now_us - MOST_YEARS * YEAR_US:
        start_us, _ = period_of(end_us - QUARTER_YEAR_US, Resolution.MONTH, zone)
        yield start_us, end_us, Resolution.MONTH
        end_us = start_us


async def _strike(core: Core, site: Site, zone: ZoneInfo, start_us: int, end_us: int, resolution: Resolution) -> bool:
    """Strike a piece; say whether anything is known of it."""
    home = meters(await core.state.entities(site.id))
    sums, _ = await core.energy.sums(site.id, home, edges(start_us, end_us, resolution, zone), 0)
    return bool(sums.known.any())
