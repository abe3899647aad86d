"""Readings of one Entity.

In:   a key, a span, and optionally how many points are enough.
Out:  every reading of the span with the one in force at its start; or at most `points` buckets that keep the
      extremes. A span that holds no more readings than `points` is given as it is. TooManyError rather than an
      endless answer.
"""

import numpy as np
from aiohttp import web
from pydantic import Field

from energy_server.api.core import core_of, find_entities, find_site
from energy_server.api.parameters import Key, SpanQuery
from energy_server.api.reply import column, reply
from energy_server.errors import TooManyError
from energy_server.model.coverage import Span
from energy_server.model.reading import ReadingSlice, ReducedSlice
from energy_server.store.port import SeriesStore

MOST_READINGS = 200_000
MOST_POINTS = 10_000


class ReadingsQuery(SpanQuery):
    """What to read, and how finely."""

    key: Key = Field(description="Key of the Entity.")
    points: int | None = Field(
        default=None, ge=1, le=MOST_POINTS, description="At most so many buckets; without it, every reading."
    )


async def _in_force(series: SeriesStore, site: str, key: str, ts_us: int) -> dict[str, object] | None:
    earlier = await series.before(site, key, ts_us)
    if not len(earlier):
        return None
    value = float(earlier.value[-1])
    return {"ts_us": int(earlier.ts_us[-1]), "value": None if np.isnan(value) else value}


async def _whole(series: SeriesStore, site: str, key: str, span: Span) -> dict[str, object]:
    rows: ReadingSlice = await series.read(site, key, span.since_us, span.until_us)
    before = await _in_force(series, site, key, span.since_us)
    return {"reduced": False, "before": before, "ts_us": column(rows.ts_us), "value": column(rows.value)}


def _buckets(rows: ReducedSlice) -> dict[str, object]:
    return {
        "reduced": True,
        "bucket_us": rows.bucket_us,
        "bucket_start_us": column(rows.start_us),
        "min": column(rows.minimum),
        "max": column(rows.maximum),
        "mean": column(rows.mean),
        "count": column(rows.count),
    }


async def readings(request: web.Request, query: ReadingsQuery) -> web.Response:
    """Answer with readings."""
    core = core_of(request)
    site = await find_site(core, query.site)
    (entity,) = await find_entities(core, site.id, [query.key])
    span = query.window(site.time_zone).span
    reduced = await core.series.reduce(site.id, entity.key, span.since_us, span.until_us, query.points or 1)
    count = int(reduced.count.sum())
    if query.points is None and count > MOST_READINGS:
        raise TooManyError(
            f"The span holds {count:,} readings, more than {MOST_READINGS:,}: use points, or a shorter span",
            field="points",
        )
    whole = query.points is None or count <= query.points
    body = await _whole(core.series, site.id, entity.key, span) if whole else _buckets(reduced)
    head = {"key": entity.key, "unit": entity.unit, "start_us": span.since_us, "end_us": span.until_us}
    return reply({**head, **body}, request)
