"""The dashboard, opened by a browser that has the server's token.

In:   a page, a server.
Out:  the page signed in: other addresses of the server may follow.
"""

from playwright.async_api import Page, expect

from tests.product.server import Server


async def open_dashboard(page: Page, server: Server) -> None:
    """Sign in by the token in the address, and wait until what only a session may see is there."""
    await page.goto(f"{server.url}/#token={server.token}")
    await expect(page.get_by_role("region", name="Power now")).to_be_visible()
