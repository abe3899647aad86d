"""Roll up anew: Statistics that were rolled up say nothing until the rollup writes what is known now.

In:   Entities and a span; whatever else must be written before the rollup may look.
Out:  their periods empty, and marked; Statistics that were imported are kept.
Failures: StoreUnavailableError. Every step may be done again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np

from energy_server.ledger.dirty import DirtyMarks
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.statistic import HOUR_US, Level, Provenance, Source, StatisticColumns
from energy_server.store.port import SeriesStore

SLICE_US = 31 * 24 * HOUR_US
"""A month of 5 minutes of eight Entities is 70,000 rows."""


@asynccontextmanager
async def anew(
    series: SeriesStore, dirty: DirtyMarks, site: str, keys: Sequence[str], span: Span
) -> AsyncIterator[None]:
    """Empty the Statistics of a span; they are rolled up again when the context is over."""
    async with dirty.marked((), [Claim(site, CoverageSource.STATES, span, tuple(keys))]):
        first_us = span.since_us // HOUR_US * HOUR_US
        for since_us in range(first_us, span.until_us, SLICE_US):
            until_us = min(since_us + SLICE_US, span.until_us)
            for level in Level:
                known = await series.statistics(site, keys, level, Source.ROLLUP, since_us, until_us, ())
                await series.put_statistics(site, level, Source.ROLLUP, _emptied(known))
        yield


def _emptied(columns: StatisticColumns) -> StatisticColumns:
    """Return the same periods, of which nothing is known; their values were not read."""
    rows = len(columns)
    return replace(columns, covered_s=np.zeros(rows), provenance=np.full(rows, Provenance.MISSING, np.uint8))
