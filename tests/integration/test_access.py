"""Every way to the server, every route: who gets in, and what exactly is answered. The tables are the specification."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.sessions import SESSION_S
from energy_server.api.routes import ROUTES
from tests.integration.home import POWER, MockConfigEntry, state, when
from tests.integration.panel import HTTP_OF_HOME_ASSISTANT, UPGRADE, Browser, Client, Clock, browser_of, sessions_clock
from tests.integration.ways import PAGE, Ask, Users, Ways
from tests.server.serving import BEARER, TOKEN, Process

__all__ = ["sessions_clock"]  # a fixture

pytestmark = HTTP_OF_HOME_ASSISTANT

KINDS = ("open", "data", "live", "log in", "log out", "link", "page", "no route", "no file", "ask")
EXPECTED = {
    # way                    open   data   live   log in log out link   page   no rt. no file ask
    "nothing":              ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "wrong token":          ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "token":                ("in",  "in",  "in",  "in",  "in",  "in",  "in",  "404", "404", "in"),
    "session":              ("in",  "in",  "in",  "in",  "in",  "in",  "in",  "404", "404", "in"),
    "session, ended":       ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "session, invented":    ("in",  "401", "401", "in",  "401", "401", "in",  "401", "404", "401"),
    "session, other page":  ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "session, lost port":   ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "session, own page":    ("in",  "in",  "in",  "in",  "in",  "in",  "in",  "404", "404", "in"),
    "panel, nothing":       ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, token of HA":   ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, owner":         ("in",  "in",  "in",  "in",  "in",  "404", "in",  "404", "404", "in"),
    "panel, plain user":    ("in",  "in",  "in",  "403", "403", "404", "in",  "404", "404", "403"),
    "panel, forged":        ("in",  "in",  "in",  "403", "403", "404", "in",  "404", "404", "403"),
    "panel, other page":    ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "panel, lost port":     ("in",  "in",  "in",  "in",  "in",  "404", "in",  "404", "404", "in"),
    "panel, other port":    ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "panel, own page":      ("in",  "in",  "in",  "in",  "in",  "404", "in",  "404", "404", "in"),
    "panel, same site":     ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "panel, invented":      ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, expired":       ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, other entry":   ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, revoked":       ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, switched off":  ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "panel, removed user":  ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "ingress":              ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "in"),
    "ingress, some user":   ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "in"),
    "ingress, token":       ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "in"),
    "ingress, other page":  ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "ingress, lost port":   ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "403"),
    "ingress, own page":    ("in",  "in",  "in",  "403", "403", "403", "in",  "404", "404", "in"),
    "ingress, same site":   ("in",  "in",  "403", "403", "403", "403", "in",  "404", "404", "403"),
    "ingress, other peer":  ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix and nothing":   ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix, session":      ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "prefix, wrong token":  ("401", "401", "401", "401", "401", "401", "401", "401", "401", "401"),
    "prefix, token":        ("in",  "in",  "in",  "in",  "in",  "403", "in",  "404", "404", "in"),
    "bad prefix, token":    ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
    "bad prefix, ingress":  ("403", "403", "403", "403", "403", "403", "403", "403", "403", "403"),
}  # fmt: skip
SPAN = "start=2026-01-01&end=2026-01-02"
INSIDE = {
    ("GET", "/api/health"): ("", 200),
    ("GET", "/api/ready"): ("", 200),
    ("GET", "/api/status"): ("", 200),
    ("GET", "/api/entities"): ("", 200),
    ("GET", "/api/readings"): (f"?key=sensor.power&{SPAN}", 200),
    ("GET", "/api/statistics"): (f"?key=sensor.power&level=hour&{SPAN}", 200),
    ("GET", "/api/energy"): (f"?resolution=day&{SPAN}", 200),
    ("GET", "/api/completeness"): (f"?{SPAN}", 200),
    ("GET", "/api/completeness/hours"): (f"?{SPAN}", 200),
    ("GET", "/api/completeness/entities"): (f"?{SPAN}", 200),
    ("GET", "/api/sync"): ("", 200),
    ("POST", "/api/sync/clock"): ("", 400),  # the clock is not refused
    ("GET", "/api/backfill"): ("", 200),
    ("POST", "/api/backfill"): ("", 200),
    ("GET", "/api/backfill/{id}"): ("", 200),
    ("DELETE", "/api/backfill/{id}"): ("", 200),
    ("GET", "/api/export"): (f"?{SPAN}", 200),
    ("GET", "/api/live"): ("", 101),
    ("POST", "/api/session"): ("", 204),
    ("DELETE", "/api/session"): ("", 204),
    ("GET", "/api/openapi.json"): ("", 200),
    ("GET", "/link"): ("", 101),
    ("GET", "/"): ("", 200),
    ("GET", "/energy"): ("", 200),
    ("GET", "/api/nothing"): ("", 404),
    ("GET", "/x.js"): ("", 404),
}
"""What each route is asked, and what whoever is let in gets."""
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/api/session"): {"token": TOKEN},
    ("POST", "/api/backfill"): {"start": "2026-01-01", "end": "2026-01-02"},
}
EXTRA = {
    ("GET", "/"): "page",
    ("GET", "/energy"): "page",
    ("GET", "/api/nothing"): "no route",
    ("GET", "/x.js"): "no file",
}


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


KIND_OF = {(r.method, r.path): kind_of(r.method, r.path, socket=r.socket, open_=r.open) for r in ROUTES} | EXTRA


@dataclass(frozen=True, slots=True)
class Opened:
    """The ways to ask, and the id of a backfill that is there."""

    ways: Ways
    job: str


async def begin_backfill(url: str) -> str:
    """Return the id of a new backfill."""
    async with (
        aiohttp.ClientSession(headers=BEARER) as client,
        client.post(f"{url}/api/backfill", json=BODIES["POST", "/api/backfill"]) as response,
    ):
        return str((await response.json())["id"])


async def users_of(hass: HomeAssistant, client: Client, entry_id: str, other_id: str, clock: Clock) -> Users:
    """Open the panel as everybody, then let those sessions end that should be over."""

    async def opened(*, admin: bool = True, entry_id: str = entry_id, page_origin: str | None = None) -> Browser:
        browser = await browser_of(hass, client, entry_id, admin=admin)
        await browser.open(page_origin)
        return browser

    expired = await opened()
    clock.now_s += SESSION_S
    users = Users(
        owner=await opened(),
        plain=await opened(admin=False),
        proxied=await opened(page_origin=PAGE),
        expired=expired,
        other_entry=await opened(entry_id=other_id),
        revoked=await opened(),
        switched_off=await opened(),
        removed=await opened(),
    )
    hass.auth.async_remove_refresh_token(users.revoked.login)
    await hass.auth.async_deactivate_user(users.switched_off.login.user)
    await hass.auth.async_remove_user(users.removed.login.user)
    return users


@pytest.fixture
async def opened(
    hass: HomeAssistant,
    tmp_path: Path,
    socket_enabled: None,  # noqa: ARG001 it lets tests open sockets
    unused_tcp_port_factory: Callable[[], int],
    hass_client_no_auth: Callable[[], Awaitable[Any]],
    sessions_clock: Clock,
) -> AsyncIterator[Opened]:
    """Run the real server and a Home Assistant that is connected to it, and another entry, whose server is away."""
    dashboard = tmp_path / "dashboard"
    dashboard.mkdir()
    (dashboard / "index.html").write_text("<html><head></head></html>")
    port = unused_tcp_port_factory()
    named = {"ingress_port": str(port), "ingress_peer": "127.0.0.1", "dashboard_path": str(dashboard)}
    process = await Process.start(tmp_path / "data", **named)
    urls = (process.url, f"http://127.0.0.1:{unused_tcp_port_factory()}")
    entries = [MockConfigEntry(domain=DOMAIN, unique_id=url, data={CONF_URL: url, CONF_TOKEN: TOKEN}) for url in urls]
    try:
        await process.until("The stores are open")
        assert await async_setup_component(hass, "frontend", {})
        state(hass, "sensor.power", "1.5", POWER)
        for entry in entries:
            entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entries[0].entry_id)
        await hass.async_block_till_done()
        await when(entries[0], lambda now: now.sent >= 1 and now.waiting == 0)
        own_id, other_id = (entry.entry_id for entry in entries)
        users = await users_of(hass, await hass_client_no_auth(), own_id, other_id, sessions_clock)
        yield Opened(Ways(process, f"http://127.0.0.1:{port}", users), await begin_backfill(process.url))
        for entry in entries:
            assert await hass.config_entries.async_unload(entry.entry_id)
    finally:
        await process.stop()


async def differences(opened: Opened, ways: dict[str, Ask]) -> list[tuple[str, str, str, int, int]]:
    """Return the way, the method and the path, what is expected and what was answered, where those differ."""
    wrong = []
    for way, ask in ways.items():
        for (method, path), (query, inside) in INSIDE.items():
            kind = KIND_OF[method, path]
            expected = EXPECTED[way][KINDS.index(kind)]
            status = inside if expected == "in" else int(expected)
            upgrade = UPGRADE if kind in ("live", "link") else {}
            address = path.replace("{id}", opened.job) + query
            answered = await ask(method, address, upgrade, BODIES.get((method, path)))
            if answered != status:
                wrong.append((way, method, path, status, answered))
    return wrong


async def test_who_gets_in_at_the_servers_own_address(opened: Opened) -> None:
    assert await differences(opened, opened.ways.direct()) == []


async def test_who_gets_in_by_ingress(opened: Opened) -> None:
    assert await differences(opened, opened.ways.ingress()) == []


async def test_who_gets_in_by_the_panel(opened: Opened) -> None:
    assert await differences(opened, opened.ways.panel()) == []


async def test_nobody_gets_in_by_the_panel_without_a_session_that_stands(opened: Opened) -> None:
    assert await differences(opened, opened.ways.panel_without_session()) == []


async def test_every_way_and_every_route_is_in_the_tables(opened: Opened) -> None:
    ways = opened.ways
    asked = ways.direct() | ways.ingress() | ways.panel() | ways.panel_without_session()
    assert asked.keys() == EXPECTED.keys()
    assert INSIDE.keys() == KIND_OF.keys()
