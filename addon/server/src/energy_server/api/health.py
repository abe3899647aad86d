"""Whether the process is there, and whether it can work.

In:   nothing.
Out:  200, or for `ready` StoreUnavailableError (503) while the stores cannot be used.
"""

import asyncio

from aiohttp import web

from energy_server import __version__
from energy_server.api.core import core_of
from energy_server.api.parameters import NoQuery
from energy_server.api.reply import reply
from energy_server.errors import StoreUnavailableError


async def health(request: web.Request, _query: NoQuery) -> web.Response:
    """Answer: the process is alive."""
    return reply({"status": "ok", "version": __version__}, request)


async def ready(request: web.Request, _query: NoQuery) -> web.Response:
    """Answer: the stores are open and well, and take what arrives."""
    core = core_of(request)
    for store in await asyncio.gather(core.series.info(), core.state.info()):
        if not store.well:
            raise StoreUnavailableError(store.detail or "The store is not well.")
    if (trouble := core.links.store_trouble()) is not None:
        raise StoreUnavailableError(trouble)
    return reply({"status": "ready"}, request)
