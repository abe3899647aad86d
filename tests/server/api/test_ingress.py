"""The listener for the Supervisor, and prefixes: who may use them, and what the dashboard makes of them."""

from typing import Any

import aiohttp
import pytest

from tests.server.serving import BEARER, TOKEN, Running, Start, error_of

PREFIX = {"X-Ingress-Path": "/api/hassio_ingress/Ab_1-c"}
LINK = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "A" * 22 + "==",
}


async def ask(
    url: str, path: str, method: str = "GET", *, peer: str = "127.0.0.1", **options: Any
) -> tuple[int, str, str]:
    """Return the status, the code of the error, the text."""
    connector = aiohttp.TCPConnector(local_addr=(peer, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.request(method, f"{url}{path}", **options) as response,
    ):
        text = await response.text()
        code = error_of(await response.json())["code"] if response.status >= 400 else ""
        return response.status, code, text


async def test_the_supervisor_needs_no_token(server: Running) -> None:
    assert (await ask(server.ingress_url, "/api/status", headers=PREFIX))[0] == 200


@pytest.mark.parametrize("path", ["/", "/index.html", "/energy/day"])
async def test_the_page_lies_below_the_prefix(server: Running, path: str) -> None:
    status, _, text = await ask(server.ingress_url, path, headers=PREFIX)
    assert status == 200
    assert '<base href="/api/hassio_ingress/Ab_1-c/">' in text


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/status", "/api/live", "/link", "/assets/main-1a2b3c4d.js"])
@pytest.mark.parametrize("headers", [{}, BEARER, PREFIX, {"X-Forwarded-For": "127.0.0.1"}, {"X-Remote-User-Id": "1"}])
async def test_nobody_else_may_call_the_listener(server: Running, path: str, headers: dict[str, str]) -> None:
    status, code, _ = await ask(server.ingress_url, path, peer="127.0.0.2", headers=headers)
    assert (status, code) == (403, "peer_not_allowed")


@pytest.mark.parametrize("user", [{}, {"X-Remote-User-Id": "1", "X-Remote-User-Name": "owner"}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/session"), ("DELETE", "/api/session"), ("POST", "/api/status"), ("PUT", "/")]
)
async def test_whoever_the_user_is_ingress_only_reads(
    server: Running, user: dict[str, str], method: str, path: str
) -> None:
    status, code, _ = await ask(server.ingress_url, path, method, headers=PREFIX | user)
    assert (status, code) == (403, "read_only")


async def test_no_browser_opens_the_link(server: Running) -> None:
    for url, headers in ((server.ingress_url, PREFIX), (server.ingress_url, BEARER), (server.url, PREFIX | BEARER)):
        status, code, _ = await ask(url, "/link", headers=headers | LINK)
        assert (status, code) == (403, "read_only")


async def test_the_live_feed_comes_through_ingress(server: Running) -> None:
    async with (
        aiohttp.ClientSession() as browser,
        browser.ws_connect(f"{server.ingress_url}/api/live", headers=PREFIX) as socket,
    ):
        assert (await socket.receive_json(timeout=30))["type"] == "snapshot"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://ha.example", "Host": "ha.example"}, 101),
        ({"Origin": "https://ha.example", "Host": "10.0.0.5:8123", "X-Forwarded-Host": "ha.example"}, 101),
        ({"Origin": "https://evil.example", "Host": "ha.example"}, 403),
        ({"Origin": "https://evil.example", "Host": "evil.example", "X-Forwarded-Host": "ha.example"}, 403),
        ({"Origin": "null", "Host": "ha.example"}, 403),
        # A proxy left the port out of the Host: Chromium says no more of a WebSocket, others do.
        ({"Origin": "https://ha.example:8443", "Host": "ha.example"}, 101),
        ({"Origin": "https://ha.example:8443", "Host": "ha.example", "Sec-Fetch-Site": "same-origin"}, 101),
        ({"Origin": "https://ha.example:8443", "Host": "ha.example", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://ha.example:8443", "Host": "ha.example:9000"}, 403),
        ({"Origin": "https://evil.example:8443", "Host": "ha.example"}, 403),
    ],
)
async def test_pages_of_another_origin_do_not_listen(server: Running, headers: dict[str, str], status: int) -> None:
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{server.ingress_url}/api/live", headers=PREFIX | LINK | headers) as response,
    ):
        assert response.status == status


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "https://ha.example", "Host": "ha.example"}, "not_found"),
        ({"Origin": "https://ha.example:8443", "Host": "ha.example", "Sec-Fetch-Site": "same-origin"}, "not_found"),
        ({"Origin": "https://ha.example:8443", "Host": "ha.example"}, "origin_not_allowed"),
        (
            {"Origin": "https://ha.example:9000", "Host": "ha.example", "Sec-Fetch-Site": "same-site"},
            "origin_not_allowed",
        ),
        ({"Origin": "https://evil.example", "Host": "ha.example"}, "origin_not_allowed"),
        ({"Cookie": "ingress_session=1", "Host": "ha.example"}, "origin_not_allowed"),
    ],
)
async def test_pages_of_another_origin_do_not_write(server: Running, headers: dict[str, str], code: str) -> None:
    answer = await ask(server.ingress_url, "/api/backfill/none", "DELETE", headers=PREFIX | headers)
    assert answer[1] == code


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        "x",
        "/x/",
        "//evil.example",
        "/a//b",
        "/a/../b",
        "/a.b",
        '/a"><script>',
        "https://e",
        "/é",
        "/" + "a" * 300,
    ],
)
async def test_a_malformed_prefix_is_refused_from_everyone(server: Running, prefix: str) -> None:
    for url, headers in ((server.ingress_url, {}), (server.url, BEARER), (server.url, {})):
        status, code, _ = await ask(url, "/", headers={**headers, "X-Ingress-Path": prefix})
        assert (status, code) == (403, "prefix_not_allowed")


async def test_two_prefixes_are_none(server: Running) -> None:
    twice = [("X-Ingress-Path", "/a"), ("X-Ingress-Path", "/b")]
    assert (await ask(server.ingress_url, "/", headers=twice))[1] == "prefix_not_allowed"


async def test_only_who_has_the_token_sets_a_prefix(server: Running) -> None:
    status, _, text = await ask(server.url, "/", headers=PREFIX | BEARER)
    assert (status, '<base href="/api/hassio_ingress/Ab_1-c/">' in text) == (200, True)
    assert (await ask(server.url, "/", headers=PREFIX))[:2] == (403, "prefix_not_allowed")
    assert (await ask(server.url, "/api/health", headers=PREFIX))[:2] == (403, "prefix_not_allowed")
    assert (await ask(server.url, "/", headers=PREFIX | {"Authorization": "Bearer no"}))[:2] == (401, "unauthorized")


async def test_a_session_does_not_set_a_prefix(server: Running) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post(f"{server.url}/api/session", json={"token": TOKEN}) as response:
            assert response.status == 204
        async with browser.get(f"{server.url}/api/status", headers=PREFIX) as response:
            assert response.status == 403
        async with browser.get(f"{server.url}/api/status") as response:
            assert response.status == 200


async def test_without_a_port_for_ingress_there_is_none(start: Start) -> None:
    server = await start(ingress_port=None)
    assert server.ingress_url.endswith(":None")
    assert (await ask(server.url, "/api/status", headers=BEARER))[0] == 200
    assert (await ask(server.url, "/api/status"))[0] == 401
