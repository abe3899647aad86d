"""A copy of a Home Assistant that runs beside its original is refused, and the original goes on."""

from collections.abc import Callable

import pytest

from dev.ha import HomeAssistantError
from dev.provision import INTEGRATION
from tests.product.home import Home
from tests.product.load import Load
from tests.product.running import Product, copy_of
from tests.product.server import Server
from tests.product.waiting import true

BACK_WITHIN_S = 60.0

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_second_home_with_the_same_id(product: Product, load_of: Callable[..., Load]) -> None:
    home, server = product.home, product.server
    load = load_of(product)
    await load.announce(server)
    async with copy_of(home, product.folder / "copy") as copy:
        async with load.running():
            with pytest.raises(HomeAssistantError, match="site_busy"):
                await copy.connection.flow(INTEGRATION, {"url": server.url, "token": server.token})
            assert await copy.connection.entries(INTEGRATION) == []
            assert await server.is_connected()
        await load.arrived(server)
        await _takes_the_place(copy, home, server)
    assert not [line for line in home.lines() if line.level == "ERROR"]


async def _takes_the_place(copy: Home, home: Home, server: Server) -> None:
    """Let the copy connect while its original is away, and have the original back."""
    (entry,) = await home.connection.entries(INTEGRATION)
    entry_id = entry["entry_id"]
    await home.connection.command("config_entries/disable", entry_id=entry_id, disabled_by="user")
    await copy.connection.flow(INTEGRATION, {"url": server.url, "token": server.token})
    await server.connected()
    await home.connection.command("config_entries/disable", entry_id=entry_id, disabled_by=None)

    async def look() -> bool:
        log = [line["what"] for line in (await server.get("/api/sync"))["log"]]
        return "copy" in log and "connected" in log[: log.index("copy")]  # newest first

    await true(look, "the original to be back, and the copy to be told of", BACK_WITHIN_S)
    assert await server.is_connected()
