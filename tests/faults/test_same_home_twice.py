"""A copy of a Home Assistant that runs beside its original is refused, and the original goes on."""

from collections.abc import Callable

import pytest

from dev.ha import HomeAssistantError
from dev.provision import INTEGRATION
from tests.product.load import Load
from tests.product.running import Product, copy_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_second_home_with_the_same_id(product: Product, load_of: Callable[..., Load]) -> None:
    home, server = product.home, product.server
    load = load_of(product)
    await load.announce(server)
    async with copy_of(home, product.folder / "copy") as copy, load.running():
        with pytest.raises(HomeAssistantError, match="site_busy"):
            await copy.connection.flow(INTEGRATION, {"url": server.url, "token": server.token})
        assert await copy.connection.entries(INTEGRATION) == []
        assert await server.is_connected()
    await load.arrived(server)
    assert not [line for line in home.lines() if line.level == "ERROR"]
