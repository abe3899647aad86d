"""The sidebar panel's proxy: what passes in either direction, when it ends, and when there is a panel at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponseError, DummyCookieJar, WSMsgType, web
from homeassistant.components import frontend
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_USER
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.panel import MODULE_URL, ORIGINS
from custom_components.energy_dashboard.proxy import COOKIE, proxy_path, session_path
from custom_components.energy_dashboard.sessions import MOST_SESSIONS, SESSION_S, PanelSession, PanelSessions
from tests.integration.fake_server import TOKEN
from tests.integration.home import MockConfigEntry
from tests.integration.panel import HTTP_OF_HOME_ASSISTANT, UPGRADE, Browser, Clock, browser_of

pytestmark = HTTP_OF_HOME_ASSISTANT

type GetClient = Callable[[], Awaitable[Any]]


class Pages:
    """A server of pages, of whose requests it keeps what it got."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.heard: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.changed = asyncio.Condition()

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/api/live", self._live)
        app.router.add_get("/link", self._no_link)
        app.router.add_route("*", "/{path:.*}", self._page)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(lambda: bool(condition()))

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _no_link(self, _request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self.got.append(request)
        self.bodies.append(await request.read())
        path = request.match_info["path"]
        if path == "moved":
            raise web.HTTPFound("https://evil.example/")
        if path == "refused":
            return web.Response(status=401)
        if path == "unchanged":
            return web.Response(status=304, headers={"ETag": '"1"'})
        if path == "pieces":
            return await self._pieces(request)
        if path == "broken":
            return await self._broken(request)
        headers = {"Set-Cookie": "stolen=1", "X-Secret": "1", "Cache-Control": "no-cache", "WWW-Authenticate": "Basic"}
        return web.Response(text="a page", headers=headers)

    async def _pieces(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first ")
        await self.until(lambda: "go on" in self.heard)
        await response.write(b"second")
        return response

    async def _broken(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def _live(self, request: web.Request) -> web.StreamResponse:
        self.got.append(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await self._tell()
        await socket.send_str("hello")
        async for message in socket:
            self.heard.append(message.data)
            await socket.send_str(f"heard {message.data}")
        self.sockets.remove(socket)
        await self._tell()
        return socket

    async def go_on(self) -> None:
        self.heard.append("go on")
        await self._tell()


@pytest.fixture
async def pages(socket_enabled: None) -> AsyncIterator[Pages]:  # noqa: ARG001 it lets tests open sockets
    server = Pages()
    runner = await server.start()
    yield server
    await runner.cleanup()


def panels(hass: HomeAssistant) -> dict[str, frontend.Panel]:
    """Return the items of the sidebar."""
    found: dict[str, frontend.Panel] = hass.data[frontend.DATA_PANELS]
    return found


async def add(hass: HomeAssistant, url: str, source: str = SOURCE_USER, number: str = "1") -> MockConfigEntry:
    """Set up an entry in a Home Assistant that has a frontend."""
    assert await async_setup_component(hass, "frontend", {})
    entry = MockConfigEntry(domain=DOMAIN, unique_id=number, source=source, data={CONF_URL: url, CONF_TOKEN: TOKEN})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


@pytest.fixture
async def entry(hass: HomeAssistant, pages: Pages) -> AsyncIterator[MockConfigEntry]:
    entry = await add(hass, pages.url)
    yield entry
    if entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def owner(hass: HomeAssistant, entry: MockConfigEntry, hass_client_no_auth: GetClient) -> Browser:
    browser = await browser_of(hass, await hass_client_no_auth(), entry.entry_id, admin=True)
    await browser.open()
    return browser


@pytest.fixture
async def plain(hass: HomeAssistant, entry: MockConfigEntry, owner: Browser) -> Browser:
    browser = await browser_of(hass, owner.client, entry.entry_id, admin=False)
    await browser.open()
    return browser


async def test_the_cookie_is_short_and_for_nobody_else(owner: Browser) -> None:
    response = await owner.open()
    parts = set(response.headers["Set-Cookie"].split("; "))
    assert {"HttpOnly", "SameSite=Strict", f"Max-Age={SESSION_S}", f"Path={proxy_path(owner.entry_id)}/"} <= parts
    assert response.headers["Cache-Control"] == "no-store"
    assert SESSION_S <= 600


async def test_only_the_exact_path_is_signed(owner: Browser) -> None:
    signed = await owner.sign(session_path(owner.entry_id))
    signature = signed.partition("?")[2]
    for path in (session_path("other"), f"{proxy_path(owner.entry_id)}/", "/api/config"):
        assert (await owner.client.get(f"{path}?{signature}")).status == 401
    assert (await owner.client.post(signed)).status in (401, 405)
    assert (await owner.client.get(session_path(owner.entry_id))).status == 401


async def test_the_server_learns_who_asks_but_not_how_the_user_is_logged_in(pages: Pages, owner: Browser) -> None:
    secret = {"Authorization": f"Bearer {owner.access_token}", "X-Ingress-Path": "/forged", "X-Remote-User-Id": "1"}
    response = await owner.ask("energy/day?from=2026-01-01&zone=Europe/Paris", headers=secret)
    assert await response.text() == "a page"
    got = pages.got[-1]
    assert got.path_qs == "/energy/day?from=2026-01-01&zone=Europe/Paris"
    assert got.headers.getall("Authorization") == [f"Bearer {TOKEN}"]
    assert got.headers.getall("X-Ingress-Path") == [proxy_path(owner.entry_id)]
    assert {"Cookie", "X-Remote-User-Id", "Origin", "Referer"}.isdisjoint(got.headers)
    assert owner.access_token not in str(got.headers)
    assert owner.cookie not in str(got.headers)


async def test_the_servers_cookies_are_dropped(hass: HomeAssistant, owner: Browser) -> None:
    response = await owner.ask("")
    assert response.status == 200
    assert {"Set-Cookie", "X-Secret", "WWW-Authenticate"}.isdisjoint(response.headers)
    assert response.headers["Cache-Control"] == "no-cache"
    assert isinstance(hass.data[ORIGINS][owner.entry_id].client.cookie_jar, DummyCookieJar)


async def test_administrators_write_others_read(pages: Pages, owner: Browser, plain: Browser) -> None:
    here = {"Origin": owner.origin}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await owner.ask("api/tariffs", method, here, data=b"x" * 100_000)).status == 200
        assert (pages.got[-1].method, len(pages.bodies[-1])) == (method, 100_000)
    count = len(pages.got)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await plain.ask("api/tariffs", method, here)).status == 403
        assert (await owner.ask("api/tariffs", method)).status == 403
        assert (await owner.ask("api/tariffs", method, {"Origin": "https://evil.example"})).status == 403
    assert len(pages.got) == count
    assert (await plain.ask("api/tariffs")).status == 200
    assert (await plain.ask("api/tariffs", "HEAD")).status == 200


@pytest.mark.parametrize(
    ("opened_at", "headers", "lets"),
    [
        # A proxy left the port out of the Host, as nginx does with `Host $host`.
        ("https://ha.example:8443", {"Host": "ha.example", "Origin": "https://ha.example:8443"}, True),
        ("http://ha.example:8080", {"Host": "ha.example", "Origin": "http://ha.example:8080"}, True),
        ("https://ha.example:8443", {"Host": "ha.example", "Origin": "https://ha.example:9000"}, False),
        ("https://ha.example:8443", {"Host": "ha.example", "Origin": "http://ha.example:8443"}, False),
        ("https://ha.example:8443", {"Host": "ha.example"}, False),
        # The browser says it itself.
        ("x", {"Host": "10.0.0.5", "Origin": "https://ha.example", "Sec-Fetch-Site": "same-origin"}, True),
        ("https://ha.example", {"Host": "ha.example", "Origin": "https://ha.example", "Sec-Fetch-Site": "none"}, False),
        ("https://ha.example:1", {"Host": "ha.example", "Sec-Fetch-Site": "same-site"}, False),
        ("https://ha.example:1", {"Host": "ha.example", "Sec-Fetch-Site": "cross-site"}, False),
        ("https://ha.example:1", {"Host": "ha.example", "Sec-Fetch-Site": ""}, False),
        # The panel of a browser that still has an earlier version of it names no origin.
        ("", {"Host": "ha.example", "Origin": "https://ha.example"}, True),
        ("", {"Host": "ha.example", "Origin": "https://ha.example:8443"}, False),
        ("", {"Host": "ha.example", "Origin": ""}, False),
        ("null", {"Host": "ha.example", "Origin": "https://evil.example"}, False),
    ],
)
async def test_only_the_panels_own_page_writes_and_listens(
    owner: Browser,
    opened_at: str,
    headers: dict[str, str],
    lets: bool,  # noqa: FBT001 a column of the table
) -> None:
    await owner.open(opened_at)
    assert (await owner.ask("api/tariffs", "POST", headers)).status == (200 if lets else 403)
    response = await owner.ask("api/live", headers=UPGRADE | headers)
    assert response.status == (101 if lets else 403)
    response.close()


async def test_what_opens_a_session_names_the_page_in_the_signed_path(owner: Browser) -> None:
    signed = await owner.sign(f"{session_path(owner.entry_id)}?origin=https%3A%2F%2Fha.example")
    assert (await owner.client.get(signed.replace("ha.example", "evil.example"))).status == 401
    assert (await owner.client.get(signed)).status == 200


@pytest.mark.parametrize("path", ["link", "%6cink", "../x", "%2e%2e/x", "a/%2e%2e%2flink", "./link"])
async def test_what_is_not_the_dashboards_is_not_passed_on(pages: Pages, owner: Browser, path: str) -> None:
    response = await owner.ask(path)
    assert response.status in (400, 401, 404)
    assert [got.path for got in pages.got if "link" in got.path or ".." in got.path] == []


async def test_answers_pass_in_pieces(pages: Pages, owner: Browser) -> None:
    response = await owner.ask("pieces")
    assert await response.content.readany() == b"first "
    await pages.go_on()
    assert await response.read() == b"second"


@pytest.mark.parametrize("path", ["moved", "refused"])
async def test_what_the_server_says_to_us_is_not_passed_on(owner: Browser, path: str) -> None:
    response = await owner.ask(path)
    assert response.status == 502
    assert (await response.json())["error"]["code"] == "server_unreachable"
    assert "Location" not in response.headers


async def test_an_unchanged_page_is_said_to_be_so(owner: Browser) -> None:
    response = await owner.ask("unchanged")
    assert (response.status, response.headers["ETag"]) == (304, '"1"')


async def test_half_an_answer_is_not_a_whole_one(owner: Browser) -> None:
    with pytest.raises(Exception, match=r"payload|closed|disconnected"):
        await (await owner.ask("broken")).read()


async def test_a_server_that_is_away_is_said_to_be(hass: HomeAssistant, owner: Browser, unused_tcp_port: int) -> None:
    await add(hass, f"http://127.0.0.1:{unused_tcp_port}", number="2")
    entry = hass.config_entries.async_entries(DOMAIN)[-1]
    browser = Browser(owner.client, owner.login, owner.access_token, entry.entry_id)
    await browser.open()
    assert (await browser.ask("api/status")).status == 502
    page = await browser.ask("", headers={"Accept": "text/html,*/*"})
    assert page.status == 502
    assert "does not answer" in await page.text()
    assert (await browser.ask("api/live", headers={"Origin": owner.origin})).status == 502
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_session_is_for_one_server(hass: HomeAssistant, pages: Pages, owner: Browser) -> None:
    other = await add(hass, pages.url, number="2")
    stolen = Browser(owner.client, owner.login, owner.access_token, other.entry_id, owner.cookie)
    assert (await stolen.ask("")).status == 401
    assert {"energy-dashboard", f"energy-dashboard-{other.entry_id[-6:].lower()}"} <= set(panels(hass))
    await hass.config_entries.async_unload(other.entry_id)


async def test_the_live_feed_passes_in_both_directions(pages: Pages, owner: Browser) -> None:
    async with owner.client.ws_connect(
        f"{proxy_path(owner.entry_id)}/api/live?site=1",
        headers={"Cookie": f"{COOKIE}={owner.cookie}", "Origin": owner.origin},
    ) as socket:
        assert await socket.receive_str(timeout=30) == "hello"
        await socket.send_str("and you")
        assert await socket.receive_str(timeout=30) == "heard and you"
        assert pages.got[-1].path_qs == "/api/live?site=1"
        assert pages.got[-1].headers["Authorization"] == f"Bearer {TOKEN}"
        await socket.send_str("x" * 5_000)
        assert (await socket.receive(timeout=30)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    await pages.until(lambda: not pages.sockets)


async def attend(browser: Browser) -> Any:
    """Open the live feed."""
    return await browser.client.ws_connect(
        f"{proxy_path(browser.entry_id)}/api/live",
        headers={"Cookie": f"{COOKIE}={browser.cookie}", "Origin": browser.origin},
    )


async def test_the_server_ends_the_live_feed(pages: Pages, owner: Browser) -> None:
    socket = await attend(owner)
    assert await socket.receive_str(timeout=30) == "hello"
    await pages.sockets[0].close()
    assert (await socket.receive(timeout=30)).type is WSMsgType.CLOSE


async def test_a_revoked_login_ends_everything(hass: HomeAssistant, pages: Pages, plain: Browser) -> None:
    socket = await attend(plain)
    assert await socket.receive_str(timeout=30) == "hello"
    hass.auth.async_remove_refresh_token(plain.login)
    closed = await socket.receive(timeout=30)
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1008)
    await pages.until(lambda: not pages.sockets)
    assert (await plain.ask("")).status == 401
    with pytest.raises(ClientResponseError):
        await attend(plain)


async def test_a_user_who_is_switched_off_sees_no_more(hass: HomeAssistant, pages: Pages, plain: Browser) -> None:
    socket = await attend(plain)
    await hass.auth.async_deactivate_user(plain.login.user)
    assert await socket.receive_str(timeout=30) == "hello"
    assert (await socket.receive(timeout=30)).type is WSMsgType.CLOSE
    await pages.until(lambda: not pages.sockets)
    assert (await plain.ask("")).status == 401


async def test_an_administrator_who_is_one_no_more_only_reads(hass: HomeAssistant, owner: Browser) -> None:
    second = await browser_of(hass, owner.client, owner.entry_id, admin=True)
    await second.open()
    assert (await second.ask("api/tariffs", "POST", {"Origin": owner.origin})).status == 200
    await hass.auth.async_update_user(second.login.user, group_ids=["system-users"])
    assert (await second.ask("api/tariffs", "POST", {"Origin": owner.origin})).status == 403
    assert (await second.ask("api/tariffs")).status == 200


async def test_the_panel_comes_and_goes_with_its_entry(
    hass: HomeAssistant, pages: Pages, entry: MockConfigEntry, owner: Browser
) -> None:
    panel = panels(hass)["energy-dashboard"]
    assert (panel.sidebar_title, panel.sidebar_icon, panel.require_admin) == (
        "Energy Dashboard",
        "mdi:meter-electric",
        False,
    )
    assert TOKEN not in str(panel.config)
    socket = await attend(owner)
    assert await socket.receive_str(timeout=30) == "hello"
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert "energy-dashboard" not in panels(hass)
    assert (await socket.receive(timeout=30)).type is WSMsgType.CLOSE
    await pages.until(lambda: not pages.sockets)
    assert (await owner.ask("")).status == 404
    assert (await owner.client.get(await owner.sign(session_path(entry.entry_id)))).status == 404
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await owner.ask("")).status == 200


async def test_the_module_is_there_for_the_frontend(owner: Browser) -> None:
    response = await owner.client.get(f"{MODULE_URL}?v=1")
    assert response.status == 200
    assert "javascript" in response.headers["Content-Type"]
    assert "energy-dashboard-panel" in await response.text()


async def test_what_came_from_the_supervisor_is_shown_by_the_supervisor(hass: HomeAssistant, pages: Pages) -> None:
    entry = await add(hass, pages.url, SOURCE_HASSIO)
    assert "energy-dashboard" not in panels(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_without_a_frontend_there_is_no_panel(hass: HomeAssistant, pages: Pages) -> None:
    entry = MockConfigEntry(domain=DOMAIN, unique_id="1", data={CONF_URL: pages.url, CONF_TOKEN: TOKEN})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert frontend.DATA_PANELS not in hass.data
    assert await hass.config_entries.async_unload(entry.entry_id)


def test_sessions_end_and_are_bounded() -> None:
    clock = Clock(0.0)
    sessions = PanelSessions(clock)
    first = sessions.begin("entry", "login", "https://ha.example")
    assert sessions.find("entry", first) == PanelSession("entry", "login", "https://ha.example", SESSION_S)
    assert sessions.find("other", first) is None
    assert sessions.find("entry", None) is None
    assert sessions.find("entry", "") is None
    assert sessions.find("entry", "invented \udcff") is None
    clock.now_s = SESSION_S - 0.1
    assert sessions.find("entry", first) is not None
    clock.now_s = SESSION_S
    assert sessions.find("entry", first) is None
    many = [sessions.begin("entry", "login", "") for _ in range(MOST_SESSIONS + 1)]
    assert sessions.find("entry", many[0]) is None
    assert sessions.find("entry", many[1]) is not None
    assert len(sessions._sessions) == MOST_SESSIONS
