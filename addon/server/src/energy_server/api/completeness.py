"""How much of each local day is known, and how.

In:   a span of days, a zone.
Out:  a row for each day. TooManyError rather than an endless answer.
"""

from aiohttp import web

from energy_server.api.core import core_of, find_site
from energy_server.api.energy import check_size
from energy_server.api.known import covered, horizon_us
from energy_server.api.parameters import SpanQuery
from energy_server.api.reply import reply
from energy_server.energy.completeness import DayCompleteness, EntityCoverage
from energy_server.energy.completeness import completeness as table
from energy_server.energy.periods import Resolution, edges, to_datetime


class CompletenessQuery(SpanQuery):
    """Which days."""


async def completeness(request: web.Request, query: CompletenessQuery) -> web.Response:
    """Answer with the days."""
    core = core_of(request)
    site = await find_site(core, query.site)
    window = query.window(site.time_zone)
    start_us, end_us = window.span.since_us, window.span.until_us
    check_size(end_us - start_us, Resolution.DAY)
    entities = [
        entity for entity in await core.state.entities(site.id) if entity.until_us is None or entity.until_us > start_us
    ]
    coverage = [
        EntityCoverage(spans, entity.since_us, entity.until_us)
        async for entity, spans in covered(core.ledger, entities, start_us, end_us)
    ]
    edges_us = edges(start_us, end_us, Resolution.DAY, window.zone)
    days = table(coverage, edges_us, horizon_us(core.ledger, site.id, core.clock_us()))

    def describe(day: DayCompleteness) -> dict[str, object]:
        return {
            "date": to_datetime(day.start_us, window.zone).date().isoformat(),
            "length_s": day.length_s,
            "live_s": day.live_s,
            "backfilled_s": day.backfilled_s,
            "statistics_s": day.statistics_s,
            "missing_s": day.missing_s,
        }

    return reply({"site": site.id, "zone": window.zone.key, "days": [describe(day) for day in days]}, request)
