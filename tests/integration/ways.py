"""Every way to the server: its own address, the panel, the Supervisor's ingress, by everybody who might try."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from custom_components.energy_dashboard.proxy import COOKIE, proxy_path
from tests.integration.panel import Browser
from tests.server.serving import BEARER, TOKEN, Process

PREFIX = {"X-Ingress-Path": "/api/hassio_ingress/abc"}
BAD_PREFIX = {"X-Ingress-Path": "/a/../b"}
SOME_USER = {"X-Remote-User-Id": "a1", "X-Remote-User-Name": "guest", "X-Remote-User-Display-Name": "Guest"}
WRONG = {"Authorization": "Bearer a-wrong-one"}
EVIL = "https://evil.example"
PAGE = "https://ha.example:8443"
"""Where the browser has the page, behind a proxy that passes only this name on:"""
LOST_PORT = "ha.example"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
SAME_SITE = {"Sec-Fetch-Site": "same-site"}

type Ask = Callable[[str, str, dict[str, str], Any], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Users:
    """Browsers that have opened the panel."""

    owner: Browser
    plain: Browser
    proxied: Browser
    expired: Browser
    other_entry: Browser
    revoked: Browser
    switched_off: Browser
    removed: Browser


class Ways:
    """Each way to ask; a connection has an address of its own, so that wrong tokens are counted apart."""

    def __init__(self, process: Process, ingress_url: str, users: Users) -> None:
        self._url = process.url
        self._ingress_url = ingress_url
        self._users = users
        self._number = 10

    async def _ask(self, url: str, method: str, headers: dict[str, str], body: Any, peer: str = "") -> int:
        self._number += 1
        connector = aiohttp.TCPConnector(local_addr=(peer or f"127.0.0.{self._number % 200 + 10}", 0))
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client,
            client.request(method, url, headers=headers, json=body, allow_redirects=False) as response,
        ):
            return response.status

    async def _session(self) -> dict[str, str]:
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{self._url}/api/session", json={"token": TOKEN}) as response,
        ):
            assert response.status == 204
            return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}

    async def _ended(self) -> dict[str, str]:
        session = await self._session()
        assert await self._ask(f"{self._url}/api/session", "DELETE", session | {"Origin": self._url}, None) == 204
        return session

    def _direct(self, *given: dict[str, str], session: Callable[[], Awaitable[dict[str, str]]] | None = None) -> Ask:
        async def ask(method: str, path: str, extra: dict[str, str], body: Any) -> int:
            headers = {key: value for one in (extra, *given) for key, value in one.items()}
            return await self._ask(self._url + path, method, headers | (await session() if session else {}), body)

        return ask

    def _ingress(self, *given: dict[str, str], peer: str = "127.0.0.1") -> Ask:
        async def ask(method: str, path: str, extra: dict[str, str], body: Any) -> int:
            headers = {key: value for one in (extra, *given) for key, value in one.items()}
            return await self._ask(self._ingress_url + path, method, headers, body, peer)

        return ask

    def _panel(self, cookie: str | None, origin: str | None = None, **given: str) -> Ask:
        """Ask the proxy of the first entry."""
        owner = self._users.owner
        fixed = {"Origin": origin or owner.origin, **given}
        if cookie is not None:
            fixed["Cookie"] = f"{COOKIE}={cookie}"

        async def ask(method: str, path: str, extra: dict[str, str], body: Any) -> int:
            url = f"{owner.origin}{proxy_path(owner.entry_id)}{path}"
            return await self._ask(url, method, extra | fixed, body)

        return ask

    def direct(self) -> dict[str, Ask]:
        """Return the ways to the server's own address."""
        here, name = {"Origin": self._url}, {"Host": "127.0.0.1"}
        return {
            "nothing": self._direct(),
            "wrong token": self._direct(WRONG),
            "token": self._direct(BEARER),
            "session": self._direct(here, session=self._session),
            "session, ended": self._direct(here, session=self._ended),
            "session, invented": self._direct(here, {"Cookie": "energy_session=invented"}),
            "session, other page": self._direct({"Origin": EVIL}, session=self._session),
            "session, lost port": self._direct(here, name, session=self._session),
            "session, own page": self._direct(here, name, OWN_PAGE, session=self._session),
            "prefix and nothing": self._direct(PREFIX),
            "prefix, session": self._direct(PREFIX, here, session=self._session),
            "prefix, wrong token": self._direct(PREFIX, WRONG),
            "prefix, token": self._direct(PREFIX, BEARER),
            "bad prefix, token": self._direct(BAD_PREFIX, BEARER),
        }

    def ingress(self) -> dict[str, Ask]:
        """Return the ways by the Supervisor's ingress, and to its port."""
        page = {"Origin": PAGE, "X-Forwarded-Host": LOST_PORT}
        own = {"Origin": self._ingress_url}
        return {
            "ingress": self._ingress(PREFIX, own),
            "ingress, some user": self._ingress(PREFIX, own, SOME_USER),
            "ingress, token": self._ingress(PREFIX, own, BEARER),
            "ingress, other page": self._ingress(PREFIX, {"Origin": EVIL}),
            "ingress, lost port": self._ingress(PREFIX, page),
            "ingress, own page": self._ingress(PREFIX, page, OWN_PAGE),
            "ingress, same site": self._ingress(PREFIX, page, SAME_SITE),
            "ingress, other peer": self._ingress(PREFIX, BEARER, peer="127.0.0.2"),
            "bad prefix, ingress": self._ingress(BAD_PREFIX),
        }

    def panel(self) -> dict[str, Ask]:
        """Return the ways by the panel of those who have a session."""
        users = self._users
        cookie = users.owner.cookie
        forged = {"Authorization": f"Bearer {TOKEN}", **PREFIX, **SOME_USER, "X-Forwarded-User": "owner"}
        return {
            "panel, owner": self._panel(cookie),
            "panel, plain user": self._panel(users.plain.cookie),
            "panel, forged": self._panel(users.plain.cookie, **forged),
            "panel, other page": self._panel(cookie, EVIL),
            "panel, lost port": self._panel(users.proxied.cookie, PAGE, Host=LOST_PORT),
            "panel, other port": self._panel(users.proxied.cookie, f"{PAGE}1", Host=LOST_PORT),
            "panel, own page": self._panel(cookie, PAGE, Host=LOST_PORT, **OWN_PAGE),
            "panel, same site": self._panel(cookie, **SAME_SITE),
        }

    def panel_without_session(self) -> dict[str, Ask]:
        """Return the ways by the panel of those who have no session there, or none any more."""
        users = self._users
        return {
            "panel, nothing": self._panel(None),
            "panel, token of HA": self._panel(None, Authorization=f"Bearer {users.owner.access_token}"),
            "panel, invented": self._panel("invented"),
            "panel, expired": self._panel(users.expired.cookie),
            "panel, other entry": self._panel(users.other_entry.cookie),
            "panel, revoked": self._panel(users.revoked.cookie),
            "panel, switched off": self._panel(users.switched_off.cookie),
            "panel, removed user": self._panel(users.removed.cookie),
        }
