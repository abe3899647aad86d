"""The recorded Entities, with their newest reading, rate and completeness.

In:   optionally a Site.
Out:  all Entities of it, or of all Sites.
"""

import asyncio

from aiohttp import web

from energy_server.api.core import Core, core_of, find_site
from energy_server.api.known import horizon_us, share
from energy_server.api.parameters import SiteQuery
from energy_server.api.reply import reply
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Reading

DAY_US = 86_400_000_000


def _describe(
    core: Core, entity: Entity, latest: Reading | None, per_minute: float, last_day: Span
) -> dict[str, object]:
    return {
        "site": entity.site,
        "key": entity.key,
        "entity_id": entity.entity_id,
        "name": entity.name,
        "area": entity.area,
        "device": entity.device,
        "kind": entity.kind,
        "unit": entity.unit,
        "state_class": entity.state_class,
        "since_us": entity.since_us,
        "until_us": entity.until_us,
        "roles": [
            {"role": role.role, "group": role.group, "name": role.name, "parent": role.parent} for role in entity.roles
        ],
        "latest": None if latest is None else {"ts_us": latest.ts_us, "value": latest.value},
        "readings_per_min": per_minute,
        "complete_24h": share(core.ledger, entity, last_day),
    }


async def entities(request: web.Request, query: SiteQuery) -> web.Response:
    """Answer with all Entities."""
    core = core_of(request)
    sites = [await find_site(core, query.site)] if query.site else await core.state.sites()
    rates = core.hub.rates.per_minute()
    rows = []
    for site in sites:
        until_us = horizon_us(core.ledger, site.id, core.clock_us())
        last_day = Span(until_us - DAY_US, until_us)
        latest = await core.series.latest(site.id)
        for entity in await core.state.entities(site.id):
            rate = rates.get((site.id, entity.key), 0.0)
            rows.append(_describe(core, entity, latest.get(entity.key), rate, last_day))
            await asyncio.sleep(0)  # years of many Gaps cost a part of a millisecond an Entity
    return reply({"entities": rows}, request)
