"""How the server is: storage, background tasks, and for each Site its Link, completeness, Gaps and sync log.

In:   nothing.
Out:  the state of every part, as it is now.
"""

from collections.abc import Sequence
from dataclasses import asdict

from aiohttp import web

from energy_server import __version__
from energy_server.api.core import Core, core_of
from energy_server.api.known import gaps, horizon_us, share
from energy_server.api.parameters import NoQuery
from energy_server.api.reply import reply
from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.model.site import Site
from energy_server.store.port import StoreInfo

MOST_GAPS = 50
MOST_LINES = 50
STORAGE_REASON = "Embedded: no other storage is set."


def _complete(ledger: CoverageLedger, site: str, entities: Sequence[Entity], until_us: int) -> dict[str, object]:
    imported = [
        span.since_us
        for entity in entities
        for span, source in ledger.spans(site, entity, 0, until_us)
        if source is CoverageSource.HOUR
    ]
    live = ledger.live_spans(site)
    return {
        "statistics_since_us": min(imported, default=None),
        "live_since_us": live[0].since_us if live else None,
        "share": share(ledger, entities, Span(live[0].since_us, until_us)) if live else None,
    }


async def _site(core: Core, site: Site) -> dict[str, object]:
    entities = [entity for entity in await core.state.entities(site.id) if entity.until_us is None]
    until_us = horizon_us(core.ledger, site.id, core.clock_us())
    live = core.ledger.live_spans(site.id)
    lacking = gaps(core.ledger, entities, Span(live[0].since_us, until_us), MOST_GAPS) if live else []
    return {
        "id": site.id,
        "name": site.name,
        "time_zone": site.time_zone,
        "currency": site.currency,
        "ha_version": site.ha_version,
        "integration_version": site.integration_version,
        "link": asdict(core.links.status(site.id)),
        "complete": _complete(core.ledger, site.id, entities, until_us),
        "gaps": [
            {
                "since_us": gap.span.since_us,
                "until_us": gap.span.until_us,
                "entities": gap.entities,
                "reason": gap.reason,
            }
            for gap in lacking
        ],
        "sync_log": [
            {"ts_us": line.ts_us, "what": line.what, "detail": line.detail}
            for line in await core.state.sync_log(MOST_LINES)
            if line.site == site.id
        ],
    }


def _storage(info: StoreInfo, trouble: str | None) -> dict[str, object]:
    return {
        "backend": info.backend,
        "reason": STORAGE_REASON,
        "well": info.well and trouble is None,
        "detail": info.detail or trouble,
        "readings": info.readings,
        "statistics": info.statistics,
        "size_bytes": info.size_bytes,
        "free_bytes": info.free_bytes,
        "last_write_us": info.last_write_us,
    }


async def status(request: web.Request, _query: NoQuery) -> web.Response:
    """Answer with the state of every part."""
    core = core_of(request)
    document = {
        "version": __version__,
        "server_id": core.server_id,
        "now_us": core.clock_us(),
        "started_us": core.started_us,
        "storage": _storage(await core.series.info(), core.links.store_trouble()),
        "problems": [asdict(problem) for problem in core.problems()],
        "sites": [await _site(core, site) for site in await core.state.sites()],
    }
    return reply(document, request)
