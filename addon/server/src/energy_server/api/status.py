"""How the server is: storage, background tasks, and for each Site its Link, completeness, Gaps and sync log.

In:   nothing.
Out:  the state of every part, as it is now; while the stores cannot be opened, how each of them is.
Failures: StoreUnavailableError while it is not even known which stores they are.
"""

import asyncio
from dataclasses import asdict

from aiohttp import web

from energy_server import __version__
from energy_server.api.core import STAGE, Core, Opening, core_of
from energy_server.api.known import horizon_us, survey
from energy_server.api.parameters import NoQuery
from energy_server.api.reply import reply
from energy_server.errors import StoreUnavailableError
from energy_server.model.site import Site
from energy_server.storage import Choice
from energy_server.store.port import StateInfo, StoreInfo

MOST_GAPS = 50
MOST_LINES = 50


async def _site(core: Core, site: Site) -> dict[str, object]:
    entities = [entity for entity in await core.state.entities(site.id) if entity.until_us is None]
    until_us = horizon_us(core.ledger, site.id, core.clock_us())
    known = await survey(core.ledger, site.id, entities, until_us, MOST_GAPS)
    lines = [line for line in await core.state.sync_log(MOST_LINES) if line.site == site.id]
    return {
        "id": site.id,
        "name": site.name,
        "time_zone": site.time_zone,
        "currency": site.currency,
        "ha_version": site.ha_version,
        "integration_version": site.integration_version,
        "link": asdict(core.links.status(site.id)),
        "complete": {
            "statistics_since_us": known.statistics_since_us,
            "live_since_us": known.live_since_us,
            "share": known.share,
        },
        "gaps": [asdict(gap) for gap in known.gaps],
        "sync_log": [{"ts_us": line.ts_us, "what": line.what, "detail": line.detail} for line in lines],
    }


def _storage(choice: Choice, info: StoreInfo, trouble: str | None) -> dict[str, object]:
    return {
        "choice": choice.backend,
        "setting": choice.setting,
        "reason": choice.reason,
        "backend": info.backend,
        "well": info.well and trouble is None,
        "detail": info.detail or trouble,
        "readings": info.readings,
        "statistics": info.statistics,
        "size_bytes": info.size_bytes,
        "free_bytes": info.free_bytes,
        "last_write_us": info.last_write_us,
    }


def _series(info: StoreInfo) -> dict[str, object]:
    figures = asdict(info)
    del figures["readings"], figures["statistics"]
    return figures | {
        "role": "series",
        "reachable": info.well or info.size_bytes > 0,
        "rows": info.readings + info.statistics,
        "lag_s": None,
    }


def _state(info: StateInfo) -> dict[str, object]:
    return asdict(info) | {"role": "state", "reachable": info.well, "lag_rows": None, "doing": None}


async def _sites(core: Core) -> list[dict[str, object]]:
    """Return what is known of each Site: nothing while the store that knows them is away, of which `stores` tells."""
    try:
        return [await _site(core, site) for site in await core.state.sites()]
    except StoreUnavailableError:
        return []


def _not_open(opening: Opening) -> dict[str, object]:
    trouble = " ".join(info.detail for info in (opening.series, opening.state) if not info.well and info.detail)
    return {
        "version": __version__,
        "server_id": None,
        "now_us": opening.clock_us(),
        "started_us": opening.started_us,
        "trouble": trouble,
        "storage": _storage(opening.storage, opening.series, trouble),
        "stores": [_series(opening.series), _state(opening.state)],
        "problems": [],
        "sites": [],
    }


async def status(request: web.Request, _query: NoQuery) -> web.Response:
    """Answer with the state of every part."""
    stage = request.app[STAGE]
    if stage.opening is not None and not stage.is_open:
        return reply(_not_open(stage.opening), request)
    core = core_of(request)
    series, state = await asyncio.gather(core.series.info(), core.state.info())
    document = {
        "version": __version__,
        "server_id": core.server_id,
        "now_us": core.clock_us(),
        "started_us": core.started_us,
        "trouble": None,
        "storage": _storage(core.storage, series, core.links.store_trouble()),
        "stores": [_series(series), _state(state)],
        "problems": [asdict(problem) for problem in core.problems()],
        "sites": await _sites(core) if state.well else [],
    }
    return reply(document, request)
