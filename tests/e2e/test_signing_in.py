"""Signing in: a browser without a session is asked for the token; a wrong one is said to be wrong."""

import pytest
from playwright.async_api import expect

from dev.ha import HomeAssistantError
from dev.provision import INTEGRATION
from tests.product.browser import Watched
from tests.product.running import Product

WRONG = "a-token-that-is-not-the-server's"

pytestmark = pytest.mark.asyncio(loop_scope="session")


def refused(troubles: list[str]) -> bool:
    """Say whether all that went wrong is that the server asked for the token."""
    return all(line.startswith(("401:", "console error: Failed to load resource")) for line in troubles)


async def test_the_form(product: Product, stranger: Watched) -> None:
    page = stranger.page
    await page.goto(product.server.url)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("Token").fill(WRONG)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not the server")
    await page.get_by_label("Token").fill(product.server.token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Power now")).to_be_visible()
    assert refused(stranger.troubles), stranger.troubles


async def test_a_wrong_token_in_the_address(product: Product, stranger: Watched) -> None:
    page = stranger.page
    await page.goto(f"{product.server.url}/#token={WRONG}")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert WRONG not in page.url
    assert refused(stranger.troubles), stranger.troubles


@pytest.mark.parametrize(
    ("url", "token", "error"),
    [
        ("{server}", WRONG, "invalid_auth"),
        ("http://127.0.0.1:1", "{token}", "cannot_connect"),
        ("{home}", "{token}", "not_energy_server"),
        ("not an address", "{token}", "invalid_url"),
    ],
)
async def test_the_config_flow_says_what_is_wrong(product: Product, url: str, token: str, error: str) -> None:
    server, home = product.server, product.home
    entries = await home.connection.entries(INTEGRATION)
    settings = {
        "url": url.format(server=server.url, home=home.installation.url),
        "token": token.format(token=server.token),
    }
    with pytest.raises(HomeAssistantError, match=error):
        await home.connection.flow(INTEGRATION, settings)
    assert await home.connection.entries(INTEGRATION) == entries
    await server.connected()
