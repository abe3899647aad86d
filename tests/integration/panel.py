"""What tests of the sidebar panel have in common: users, and browsers that open the panel as its module does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_USER
from homeassistant.auth.models import RefreshToken
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard import panel
from custom_components.energy_dashboard.proxy import COOKIE, proxy_path, session_path

HTTP_OF_HOME_ASSISTANT = pytest.mark.filterwarnings("ignore:It is recommended to use web")
"""Home Assistant's own, when it sets up its web server."""

type Client = TestClient[Any, Any]

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "A" * 22 + "==",
}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def sessions_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Count the time of the panel's sessions by a clock of the test's."""
    clock = Clock(1_000.0)
    monkeypatch.setattr(panel, "monotonic", clock)
    return clock


@dataclass
class Browser:
    """A user's browser, logged in to Home Assistant."""

    client: Client
    login: RefreshToken
    access_token: str
    entry_id: str
    cookie: str = ""

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def sign(self, path: str) -> str:
        """Have Home Assistant sign a path, over its WebSocket."""
        async with self.client.ws_connect("/api/websocket") as socket:
            assert (await socket.receive_json())["type"] == "auth_required"
            await socket.send_json({"type": "auth", "access_token": self.access_token})
            assert (await socket.receive_json())["type"] == "auth_ok"
            await socket.send_json({"id": 1, "type": "auth/sign_path", "path": path})
            signed: str = (await socket.receive_json())["result"]["path"]
            return signed

    async def open(self, page_origin: str | None = None) -> ClientResponse:
        """Begin a session, as the panel's module does, whose page is at the given origin or here."""
        origin = quote(self.origin if page_origin is None else page_origin, safe="")
        response = await self.client.get(await self.sign(f"{session_path(self.entry_id)}?origin={origin}"))
        assert response.status == 200, await response.text()
        self.cookie = response.cookies[COOKIE].value
        self.client.session.cookie_jar.clear()
        return response

    async def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, **options: Any
    ) -> ClientResponse:
        """Ask the proxy, with the session's cookie."""
        all_headers = {"Cookie": f"{COOKIE}={self.cookie}", **(headers or {})}
        return await self.client.request(
            method, f"{proxy_path(self.entry_id)}/{path}", headers=all_headers, allow_redirects=False, **options
        )


async def browser_of(hass: HomeAssistant, client: Client, entry_id: str, *, admin: bool) -> Browser:
    """Return the browser of a new user."""
    user = await hass.auth.async_create_user("Someone", group_ids=[GROUP_ID_ADMIN if admin else GROUP_ID_USER])
    login = await hass.auth.async_create_refresh_token(user, "https://example.org/")
    return Browser(client, login, hass.auth.async_create_access_token(login), entry_id)
