"""How much of each local day or hour is known, and how; of all Entities together, of some, or of each.

In:   a span, a zone, keys of Entities.
Out:  rows of seconds. TooManyError rather than an endless answer.
"""

import numpy as np
from aiohttp import web
from numpy.typing import NDArray
from pydantic import Field

from energy_server.api.core import Core, core_of, find_entities, find_site
from energy_server.api.energy import check_size
from energy_server.api.known import covered, horizon_us
from energy_server.api.parameters import Key, SpanQuery, Window
from energy_server.api.reply import reply
from energy_server.energy.completeness import DayCompleteness, EntityCoverage
from energy_server.energy.completeness import completeness as table
from energy_server.energy.periods import Resolution, edges, to_datetime
from energy_server.model.site import Site

MOST_KEYS = 200


class CompletenessQuery(SpanQuery):
    """Which days or hours, of which Entities."""

    key: tuple[Key, ...] = Field(
        default=(), max_length=MOST_KEYS, description="Entities, repeatable; all where it is left out."
    )


class EntitiesQuery(SpanQuery):
    """Which span."""


async def completeness(request: web.Request, query: CompletenessQuery) -> web.Response:
    """Answer with the days."""
    site, window, rows = await _rows(core_of(request), query, Resolution.DAY)
    days = [
        {"date": to_datetime(row.start_us, window.zone).date().isoformat(), "length_s": row.length_s, **_seconds(row)}
        for row in rows
    ]
    return reply({"site": site.id, "zone": window.zone.key, "days": days}, request)


async def completeness_hours(request: web.Request, query: CompletenessQuery) -> web.Response:
    """Answer with the hours."""
    site, window, rows = await _rows(core_of(request), query, Resolution.HOUR)
    hours = [{"start_us": row.start_us, "length_s": row.length_s, **_seconds(row)} for row in rows]
    return reply({"site": site.id, "zone": window.zone.key, "hours": hours}, request)


async def completeness_entities(request: web.Request, query: EntitiesQuery) -> web.Response:
    """Answer with each Entity over the whole span."""
    core = core_of(request)
    site = await find_site(core, query.site)
    window = query.window(site.time_zone)
    edges_us = np.array([window.span.since_us, window.span.until_us], np.int64)
    until_us = horizon_us(core.ledger, site.id, core.clock_us())
    known = await _coverage(core, site, window, ())
    entities = []
    for key, one in known.items():
        (row,) = table([one], edges_us, until_us)
        entities.append({"key": key, "length_s": row.length_s, **_seconds(row)})
    return reply({"site": site.id, "zone": window.zone.key, "entities": entities}, request)


async def _rows(
    core: Core, query: CompletenessQuery, resolution: Resolution
) -> tuple[Site, Window, list[DayCompleteness]]:
    site = await find_site(core, query.site)
    window = query.window(site.time_zone)
    start_us, end_us = window.span.since_us, window.span.until_us
    check_size(end_us - start_us, resolution)
    known = await _coverage(core, site, window, query.key)
    edges_us: NDArray[np.int64] = edges(start_us, end_us, resolution, window.zone)
    return site, window, table(list(known.values()), edges_us, horizon_us(core.ledger, site.id, core.clock_us()))


async def _coverage(core: Core, site: Site, window: Window, keys: tuple[str, ...]) -> dict[str, EntityCoverage]:
    entities = await find_entities(core, site.id, keys) if keys else await core.state.entities(site.id)
    start_us, end_us = window.span.since_us, window.span.until_us
    there = [entity for entity in entities if entity.until_us is None or entity.until_us > start_us]
    return {
        entity.key: EntityCoverage(spans, entity.since_us, entity.until_us)
        async for entity, spans in covered(core.ledger, there, start_us, end_us)
    }


def _seconds(row: DayCompleteness) -> dict[str, float]:
    return {
        "live_s": row.live_s,
        "backfilled_s": row.backfilled_s,
        "statistics_s": row.statistics_s,
        "missing_s": row.missing_s,
        "ha_off_s": row.ha_off_s,
    }
