"""The two WebSockets: the dashboard's live feed, and the Link of the integration.

In:   an upgrade request.
Out:  an open WebSocket until one side leaves; an HTTP error if there is no Core or the request is no upgrade.
"""

from aiohttp import web

from energy_server.api.core import Core, core_of, find_site
from energy_server.api.live import Row
from energy_server.api.parameters import NoQuery, SiteQuery
from energy_server.errors import EnergyServerError


class UpgradeRequiredError(EnergyServerError):
    """The route is a WebSocket."""

    code = "upgrade_required"


def check_upgrade(request: web.Request) -> None:
    """Raise UpgradeRequiredError for an ordinary request."""
    if not web.WebSocketResponse().can_prepare(request):
        raise UpgradeRequiredError("This is a WebSocket.")


async def snapshot(core: Core, site: str | None) -> dict[str, object]:
    """Return the newest reading of every Entity and which Sites are connected."""
    ids = [known.id for known in await core.state.sites() if site in (None, known.id)]
    rows: list[Row] = []
    for id_ in ids:
        latest = (await core.series.latest(id_)).values()
        rows += core.hub.newest(id_, [(reading.key, reading.ts_us, reading.value) for reading in latest])
    connected = {id_: core.links.status(id_).connected for id_ in ids}
    return {"type": "snapshot", "now_us": core.clock_us(), "rows": rows, "connected": connected}


async def live(request: web.Request, query: SiteQuery) -> web.StreamResponse:
    """Send new readings as they come, beginning with a snapshot."""
    core = core_of(request)
    check_upgrade(request)
    site = (await find_site(core, query.site)).id if query.site else None
    return await core.hub.attend(request, site, lambda: snapshot(core, site))


async def link(request: web.Request, _query: NoQuery) -> web.StreamResponse:
    """Serve one integration."""
    core = core_of(request)
    check_upgrade(request)
    return await core.links.handle(request)
