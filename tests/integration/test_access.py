"""Every way to the server, every route: who gets in. The table is the specification."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.proxy import COOKIE, proxy_path
from energy_server.api.routes import ROUTES
from tests.integration.home import MockConfigEntry
from tests.integration.panel import HTTP_OF_HOME_ASSISTANT, UPGRADE, Browser, browser_of
from tests.server.serving import BEARER, TOKEN, Process

pytestmark = HTTP_OF_HOME_ASSISTANT

KINDS = ("open", "data", "live", "log in", "log out", "link", "page", "no route", "no file", "ask")
EXPECTED = {
    # way                    open   data   live   log in log out link   page   no rt. no file ask
    "nothing":              ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "wrong token":          ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "token":                ("in",  "in",  "in",  "in",  "in",  "in",  "in",  "404", "404", "in"),
    "session":              ("in",  "in",  "in",  "in",  "in",  "in",  "in",  "404", "404", "in"),
    "session, other page":  ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "panel, nothing":       ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, token of HA":   ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, owner":         ("in",  "in",  "in",  "in",  "in",  "404", "in",  "404", "404", "in"),
    "panel, plain user":    ("in",  "in",  "in",  "403", "403", "404", "in",  "404", "404", "403"),
    "panel, other page":    ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "panel, invented":      ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, revoked":       ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "ingress":              ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "in"),
    "ingress, other page":  ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "ingress, other peer":  ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix and nothing":   ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix, session":      ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix, wrong token":  ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "prefix, token":        ("in",  "in",  "in",  "in",  "in",  "403", "in",  "404", "404", "in"),
    "bad prefix, token":    ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "bad prefix, ingress":  ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
}  # fmt: skip
EXTRA = (
    ("GET", "/", "page"),
    ("GET", "/energy", "page"),
    ("GET", "/api/nothing", "no route"),
    ("GET", "/x.js", "no file"),
)
PREFIX = {"X-Ingress-Path": "/api/hassio_ingress/abc"}
BAD_PREFIX = {"X-Ingress-Path": "/a/../b"}
WRONG = {"Authorization": "Bearer a-wrong-one"}
EVIL = "https://evil.example"

type Ask = Callable[[str, str, dict[str, str]], Awaitable[int]]


def kind_of(method: str, path: str, *, socket: bool, open_: bool) -> str:
    """Return the column of a route."""
    if path == "/link":
        return "link"
    if socket:
        return "live"
    if path == "/api/session":
        return "log in" if method == "POST" else "log out"
    if method != "GET":
        return "ask"
    return "open" if open_ else "data"


def address_of(path: str) -> str:
    """Return an address of a route whose answer does not depend on whether a home has connected yet."""
    asked = any(part in path for part in ("{id}", "sync", "backfill"))
    return path.replace("{id}", "any") + ("?nonsense=1" if asked else "")


CELLS = [
    *((r.method, address_of(r.path), kind_of(r.method, r.path, socket=r.socket, open_=r.open)) for r in ROUTES),
    *EXTRA,
]


class Ways:
    """Each way to ask; a connection has an address of its own, so that wrong tokens are counted apart."""

    def __init__(self, process: Process, ingress_url: str, owner: Browser, plain: Browser, revoked: Browser) -> None:
        self._url = process.url
        self._ingress_url = ingress_url
        self._owner, self._plain, self._revoked = owner, plain, revoked
        self._number = 10

    async def _ask(self, url: str, method: str, headers: dict[str, str], peer: str | None = None) -> int:
        self._number += 1
        connector = aiohttp.TCPConnector(local_addr=(peer or f"127.0.0.{self._number % 200 + 10}", 0))
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client,
            client.request(method, url, headers=headers, allow_redirects=False) as response,
        ):
            return response.status

    async def _session(self) -> dict[str, str]:
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{self._url}/api/session", json={"token": TOKEN}) as response,
        ):
            assert response.status == 204
            return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}

    def all(self) -> dict[str, Ask]:
        """Return how to ask in each way."""
        here = {"Origin": self._url}

        def direct(*given: dict[str, str], session: bool = False) -> Ask:
            async def ask(method: str, path: str, extra: dict[str, str]) -> int:
                headers = {key: value for one in (extra, *given) for key, value in one.items()}
                return await self._ask(self._url + path, method, headers | (await self._session() if session else {}))

            return ask

        def ingress(*given: dict[str, str], peer: str = "127.0.0.1") -> Ask:
            async def ask(method: str, path: str, extra: dict[str, str]) -> int:
                headers = {key: value for one in (extra, *given) for key, value in one.items()}
                return await self._ask(self._ingress_url + path, method, headers, peer)

            return ask

        def panel(browser: Browser, cookie: str | None, origin: str, **given: str) -> Ask:
            async def ask(method: str, path: str, extra: dict[str, str]) -> int:
                if cookie is not None:
                    given["Cookie"] = f"{COOKIE}={cookie}"
                url = f"{browser.origin}{proxy_path(browser.entry_id)}{path}"
                return await self._ask(url, method, {"Origin": origin, **extra, **given})

            return ask

        owner, plain, revoked = self._owner, self._plain, self._revoked
        return {
            "nothing": direct(),
            "wrong token": direct(WRONG),
            "token": direct(BEARER),
            "session": direct(here, session=True),
            "session, other page": direct({"Origin": EVIL}, session=True),
            "panel, nothing": panel(owner, None, owner.origin),
            "panel, token of HA": panel(owner, None, owner.origin, Authorization=f"Bearer {owner.access_token}"),
            "panel, owner": panel(owner, owner.cookie, owner.origin),
            "panel, plain user": panel(plain, plain.cookie, plain.origin),
            "panel, other page": panel(owner, owner.cookie, EVIL),
            "panel, invented": panel(owner, "invented", owner.origin),
            "panel, revoked": panel(revoked, revoked.cookie, owner.origin),
            "ingress": ingress(PREFIX, {"Origin": self._ingress_url}),
            "ingress, other page": ingress(PREFIX, {"Origin": EVIL}),
            "ingress, other peer": ingress(PREFIX, BEARER, peer="127.0.0.2"),
            "prefix and nothing": direct(PREFIX),
            "prefix, session": direct(PREFIX, here, session=True),
            "prefix, wrong token": direct(PREFIX, WRONG),
            "prefix, token": direct(PREFIX, BEARER),
            "bad prefix, token": direct(BAD_PREFIX, BEARER),
            "bad prefix, ingress": ingress(BAD_PREFIX),
        }


@pytest.fixture
async def ways(
    hass: HomeAssistant,
    tmp_path: Path,
    socket_enabled: None,  # noqa: ARG001 it lets tests open sockets
    unused_tcp_port_factory: Callable[[], int],
    hass_client_no_auth: Callable[[], Awaitable[Any]],
) -> AsyncIterator[Ways]:
    """Run the real server and Home Assistant, and open the panel as three users, the last of whom is then revoked."""
    dashboard = tmp_path / "dashboard"
    dashboard.mkdir()
    (dashboard / "index.html").write_text("<html><head></head></html>")
    port = unused_tcp_port_factory()
    named = {"ingress_port": str(port), "ingress_peer": "127.0.0.1", "dashboard_path": str(dashboard)}
    process = await Process.start(tmp_path / "data", **named)
    entry = MockConfigEntry(domain=DOMAIN, unique_id="x", data={CONF_URL: process.url, CONF_TOKEN: TOKEN})
    try:
        await process.until("The stores are open")
        assert await async_setup_component(hass, "frontend", {})
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        client = await hass_client_no_auth()
        browsers = [await browser_of(hass, client, entry.entry_id, admin=admin) for admin in (True, False, True)]
        for browser in browsers:
            await browser.open()
        hass.auth.async_remove_refresh_token(browsers[2].login)
        yield Ways(process, f"http://127.0.0.1:{port}", *browsers)
        assert await hass.config_entries.async_unload(entry.entry_id)
    finally:
        await process.stop()


async def test_who_gets_in(ways: Ways) -> None:
    wrong = []
    for way, ask in ways.all().items():
        for method, path, kind in CELLS:
            status = await ask(method, path, UPGRADE if kind in ("live", "link") else {})
            found = str(status) if status in (401, 403, 404, 429) else "in"
            assert status < 500
            if found != EXPECTED[way][KINDS.index(kind)]:
                wrong.append((way, method, path, EXPECTED[way][KINDS.index(kind)], status))
    assert wrong == []
    assert set(ways.all()) == set(EXPECTED)
