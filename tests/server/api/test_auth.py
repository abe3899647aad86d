"""Who gets in: tokens, sessions, attempts, hosts, origins."""

import logging
from typing import Any

import aiohttp
import pytest

from energy_server.api.auth import ATTEMPTS, Attempts, TooManyAttemptsError
from energy_server.api.guard import host_allowed, same_origin
from energy_server.api.logins import SESSION_S
from energy_server.api.routes import ROUTES
from tests.server.serving import BEARER, TOKEN, Running, Start, error_of

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "A" * 22 + "==",
}
CLOSED = [(route.method, route.path) for route in ROUTES if not route.open]


async def ask(server: Running, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"{server.url}{path}", **options) as response,
    ):
        return response.status, await response.json() if response.content_type == "application/json" else None


@pytest.mark.parametrize(
    ("method", "path"), [*CLOSED, ("GET", "/api/nothing"), ("POST", "/api/status"), ("GET", "/api")]
)
async def test_everything_but_the_open_routes_wants_a_token(server: Running, method: str, path: str) -> None:
    status, body = await ask(server, path, method)
    assert status == 401
    assert error_of(body)["code"] == "unauthorized"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        "",
        "Basic dXNlcjpwYXNz",
        TOKEN,
        f"Bearer {TOKEN}x",
        "Bearer \udcff",
        f"Token {TOKEN}",
    ],
)
async def test_a_wrong_token_is_refused(server: Running, header: str) -> None:
    status, body = await ask(server, "/api/status", headers={"Authorization": header})
    assert status == 401
    assert error_of(body)["code"] == "unauthorized"


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer   {TOKEN} "])
async def test_the_token_is_admitted(server: Running, header: str) -> None:
    assert (await ask(server, "/api/status", headers={"Authorization": header}))[0] == 200


async def test_the_open_routes_want_nothing(server: Running) -> None:
    for path in ("/api/health", "/api/ready"):
        assert (await ask(server, path))[0] == 200


async def test_a_session_is_a_cookie_that_scripts_and_other_pages_do_not_get(server: Running) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    origin = {"Origin": server.url}
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.post(f"{server.url}/api/session", json={"token": TOKEN}, headers=origin) as response:
            assert response.status == 204
            cookie = response.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_S}"} <= set(cookie.split("; "))
        assert TOKEN not in cookie
        async with browser.get(f"{server.url}/api/status") as response:
            assert response.status == 200
        async with browser.delete(f"{server.url}/api/session", headers=origin) as response:
            assert response.status == 204
        async with browser.get(f"{server.url}/api/status") as response:
            assert response.status == 401


async def test_a_session_that_is_over_does_not_come_back_by_its_cookie(server: Running) -> None:
    origin = {"Origin": server.url}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.post(f"{server.url}/api/session", json={"token": TOKEN}) as response:
            cookie = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
        async with browser.delete(f"{server.url}/api/session", headers=cookie | origin) as response:
            assert response.status == 204
        async with browser.get(f"{server.url}/api/status", headers=cookie) as response:
            assert response.status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[" * 30_000, None),
        (b"[]", None),
        (b"{}", "token"),
        (b'{"token": 5}', "token"),
        (b'{"token": null}', "token"),
        (b'{"token": "x", "user": "y"}', "user"),
    ],
)
async def test_a_bad_login_is_explained(server: Running, body: bytes, field: str | None) -> None:
    status, answer = await ask(server, "/api/session", "POST", data=body)
    assert status == 400
    assert error_of(answer)["field"] == field


async def test_a_body_over_the_limit_is_refused(server: Running) -> None:
    status, answer = await ask(server, "/api/session", "POST", data=b"x" * 70_000)
    assert status == 413
    assert error_of(answer)["code"] == "too_large"


async def test_ten_wrong_tokens_in_a_minute_are_enough(server: Running) -> None:
    for _ in range(ATTEMPTS):
        assert (await ask(server, "/api/session", "POST", json={"token": "guess"}))[0] == 401
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{server.url}/api/session", json={"token": TOKEN}) as response,
    ):
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 61
        assert error_of(await response.json())["code"] == "too_many_attempts"
    assert (await ask(server, "/api/status", headers=BEARER))[0] == 429
    assert (await ask(server, "/api/health"))[0] == 200


async def test_an_open_session_and_missing_tokens_are_no_attempts(server: Running) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post(f"{server.url}/api/session", json={"token": TOKEN}) as response:
            assert response.status == 204
        for _ in range(ATTEMPTS * 2):
            assert (await ask(server, "/api/status"))[0] == 401
            assert (await ask(server, "/api/status", cookies={"energy_session": "old"}))[0] == 401
        assert (await ask(server, "/api/status", headers=BEARER))[0] == 200
        for _ in range(ATTEMPTS):
            await ask(server, "/api/status", headers={"Authorization": "Bearer guess"})
        async with browser.get(f"{server.url}/api/status") as response:
            assert response.status == 200


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_attempts_are_forgotten_after_a_minute_and_counted_by_address() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(ATTEMPTS):
        attempts.check("1.1.1.1")
        attempts.failed("1.1.1.1")
    with pytest.raises(TooManyAttemptsError):
        attempts.check("1.1.1.1")
    attempts.check("2.2.2.2")
    clock.now_s = 60.0
    attempts.check("1.1.1.1")


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.5:8765",
        "127.0.0.1",
        "[::1]:8765",
        "localhost:8765",
        "LOCALHOST",
        "nas:8765",
        "energy.example.org",
        "nas.",
    ],
)
def test_known_hosts(host: str) -> None:
    assert host_allowed(host, ("nas", "energy.example.org"))


@pytest.mark.parametrize(
    "host", ["", "evil.example", "nas.evil.example", "[::1", "a@nas", "127.0.0.1.evil.example", ":8765"]
)
def test_unknown_hosts(host: str) -> None:
    assert not host_allowed(host, ("nas", "energy.example.org"))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://nas:8765", "nas:8765", True),
        ("https://nas", "nas", True),
        ("https://nas", "nas:443", True),
        ("http://NAS:8765", "nas:8765", True),
        ("http://[::1]:8765", "[::1]:8765", True),
        ("http://nas:8766", "nas:8765", False),
        ("http://nas", "nas:8765", False),
        ("http://evil.example", "nas:8765", False),
        ("null", "nas:8765", False),
        ("", "nas:8765", False),
        ("http://nas:x", "nas:8765", False),
    ],
)
def test_origins(origin: str, host: str, same: bool) -> None:  # noqa: FBT001 a column of the table
    assert same_origin(origin, host) is same


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://nas:8443", "nas", True),
        ("https://nas:8443", "nas:8443", True),
        ("https://nas:8443", "nas:9000", False),
        ("https://nas:8443", "nas:443", False),
        ("https://evil.example:8443", "nas", False),
        ("null", "nas", False),
    ],
)
def test_origins_where_the_port_of_the_host_was_lost(origin: str, host: str, same: bool) -> None:  # noqa: FBT001 as above
    assert same_origin(origin, host, any_port=True) is same


@pytest.mark.parametrize(
    ("headers", "lets"),
    [
        # Behind a proxy that leaves the port out of the Host, the browser has to say it itself.
        ({"Host": "localhost", "Origin": "https://localhost:8443", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Host": "localhost", "Origin": "https://localhost:8443"}, False),
        ({"Host": "localhost", "Origin": "https://localhost:9000", "Sec-Fetch-Site": "same-site"}, False),
        ({"Host": "localhost", "Origin": "https://localhost", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Host": "localhost", "Origin": "https://localhost", "Sec-Fetch-Site": "none"}, False),
        ({"Host": "localhost", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Host": "evil.example", "Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ],
)
async def test_what_the_browser_says_of_the_page_counts(
    server: Running,
    headers: dict[str, str],
    lets: bool,  # noqa: FBT001 a column of the table
) -> None:
    assert (await ask(server, "/api/session", "DELETE", headers=BEARER | headers))[0] == (204 if lets else 403)
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{server.url}/api/live", headers=BEARER | UPGRADE | headers) as response,
    ):
        assert response.status == (101 if lets else 403)


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/status", "/link", "/api/live"])
async def test_a_rebound_name_is_refused_everywhere(server: Running, path: str) -> None:
    status, body = await ask(server, path, headers={**BEARER, "Host": "evil.example:8765"})
    assert status == 403
    assert error_of(body)["code"] == "host_not_allowed"


async def test_a_configured_name_is_allowed(start: Start) -> None:
    server = await start(allowed_hosts=("energy.example.org",))
    assert (await ask(server, "/api/status", headers={**BEARER, "Host": "energy.example.org"}))[0] == 200


async def test_other_pages_may_neither_write_nor_listen(server: Running) -> None:
    evil = {"Origin": "http://evil.example"}
    for method, path in (("POST", "/api/session"), ("DELETE", "/api/session")):
        status, body = await ask(server, path, method, headers=BEARER | evil, json={"token": TOKEN})
        assert status == 403
        assert error_of(body)["code"] == "origin_not_allowed"
    async with aiohttp.ClientSession() as client:
        for path in ("/api/live", "/link"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as err:
                await client.ws_connect(f"{server.url}{path}", headers=BEARER | evil)
            assert err.value.status == 403


async def test_a_websocket_by_cookie_alone_must_name_its_origin(server: Running) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await browser.post(f"{server.url}/api/session", json={"token": TOKEN})
        with pytest.raises(aiohttp.WSServerHandshakeError) as err:
            await browser.ws_connect(f"{server.url}/api/live")
        assert err.value.status == 403
        async with browser.ws_connect(f"{server.url}/api/live", origin=server.url) as socket:
            assert (await socket.receive_json())["type"] == "snapshot"


async def test_every_answer_has_the_security_headers(server: Running) -> None:
    for path in ("/", "/api/health", "/api/status", "/api/nothing", "/assets/main-1a2b3c4d.js"):
        async with server.client.get(f"{server.url}{path}") as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'self'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "aiohttp" not in response.headers["Server"]


async def test_the_token_is_never_logged_wherever_it_was_put(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        server = await start(access_log=True)
        await ask(server, f"/api/status?token={TOKEN}", headers=BEARER)
        await ask(server, f"/api/status?{TOKEN}=1", headers=BEARER)
        await ask(server, f"/api/{TOKEN}", headers=BEARER)
        await ask(server, f"/{TOKEN}")
        await ask(server, "/api/status", headers={"Authorization": TOKEN})
        await ask(server, "/api/status", cookies={"energy_session": TOKEN})
        await ask(server, f"/api/readings?key={TOKEN}&start={TOKEN}&end={TOKEN}", headers=BEARER)
        await ask(server, "/api/session", "POST", json={"token": TOKEN})
        await ask(server, "/api/session", "POST", json={"tokens": TOKEN})
        await ask(server, "/api/session", "POST", data=TOKEN)
        await ask(server, "/api/session", TOKEN.upper(), headers=BEARER)
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN.upper() not in caplog.text
