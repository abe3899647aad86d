"""Pass one request or WebSocket on to the server, and its answer back.

In:   a request that was let in, the server it is for.
Out:  the server's answer; 502 where it does not answer, or answers what is not for browsers: a refused token, a
      redirect. An answer that breaks off breaks off for the browser too.

Only the headers of the two lists pass: the server never sees how the user is logged in, and sets no cookie on Home
Assistant's origin. It gets the entry's token, which admits it, and the prefix under which the browser sees its pages.
Limits: 10 s to connect, 60 s of silence within an answer, 16 MiB in a message of the live feed, 4 KiB in one of the
browser's. Bodies pass in pieces.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSCloseCode,
    WSMsgType,
    hdrs,
    web,
)
from aiohttp.helpers import must_be_empty_body
from yarl import URL

PREFIX_HEADER: Final = "X-Ingress-Path"

TIMEOUT: Final = ClientTimeout(total=None, sock_connect=10, sock_read=60)
CONNECT_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
HEARTBEAT_S: Final = 20.0
MOST_BYTES_FROM_SERVER: Final = 16 * 1024 * 1024
MOST_BYTES_FROM_BROWSER: Final = 4 * 1024

TO_SERVER: Final = (
    hdrs.ACCEPT,
    hdrs.ACCEPT_ENCODING,
    hdrs.ACCEPT_LANGUAGE,
    hdrs.IF_MODIFIED_SINCE,
    hdrs.IF_NONE_MATCH,
    hdrs.IF_RANGE,
    hdrs.RANGE,
)
OF_BODY: Final = (hdrs.CONTENT_LENGTH, hdrs.CONTENT_TYPE)
TO_BROWSER: Final = (
    hdrs.ACCEPT_RANGES,
    hdrs.ALLOW,
    hdrs.CACHE_CONTROL,
    hdrs.CONTENT_DISPOSITION,
    hdrs.CONTENT_ENCODING,
    hdrs.CONTENT_LENGTH,
    hdrs.CONTENT_RANGE,
    hdrs.CONTENT_TYPE,
    "Content-Security-Policy",
    hdrs.ETAG,
    hdrs.LAST_MODIFIED,
    "Referrer-Policy",
    hdrs.RETRY_AFTER,
    hdrs.VARY,
    "X-Content-Type-Options",
)

AWAY: Final = """<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>Energy Dashboard</title><body style="font: 16px system-ui; padding: 24px">
<h1 style="font-size: 20px">The Energy Dashboard server does not answer</h1>
<p>Is it running? This page tries again by itself. Readings are kept meanwhile."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A server whose pages are shown below a prefix, until `gone`; `client` keeps no cookies."""

    client: ClientSession
    url: str
    token: str
    prefix: str
    gone: asyncio.Event

    def address(self, path: str, query: str) -> URL:
        """Return the server's own address of a path."""
        return URL(f"{self.url}/{quote(path)}{'?' if query else ''}{query}", encoded=True)

    def headers(self) -> dict[str, str]:
        """Return what tells the server who asks, and where the browser sees it."""
        return {hdrs.AUTHORIZATION: f"Bearer {self.token}", PREFIX_HEADER: self.prefix}


async def pass_request(origin: Origin, request: web.Request, path: str) -> web.StreamResponse:
    """Answer as the server does."""
    body = request.content if request.body_exists else None
    names = TO_SERVER if body is None else (*TO_SERVER, *OF_BODY)
    try:
        async with origin.client.request(
            request.method,
            origin.address(path, request.rel_url.raw_query_string),
            headers=chosen(request.headers, names) | origin.headers(),
            data=body,
            allow_redirects=False,
            auto_decompress=False,
            timeout=TIMEOUT,
            skip_auto_headers={hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT},
        ) as answer:
            return await _relay(request, answer) if _is_for_browsers(answer.status) else unreachable(request)
    except ClientError, TimeoutError:
        return unreachable(request)


async def pass_socket(origin: Origin, request: web.Request, path: str, revoked: asyncio.Event) -> web.StreamResponse:
    """Pass messages on until one side ends it, the login is revoked or the server goes."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            server = await origin.client.ws_connect(
                origin.address(path, request.rel_url.raw_query_string),
                headers=origin.headers(),
                max_msg_size=MOST_BYTES_FROM_SERVER,
                timeout=ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )
    except ClientError, TimeoutError:
        return unreachable(request)
    browser = web.WebSocketResponse(
        receive_timeout=2 * HEARTBEAT_S, max_msg_size=MOST_BYTES_FROM_BROWSER, timeout=CLOSE_TIMEOUT_S
    )
    try:
        await browser.prepare(request)
        await _first(
            _forward(server, browser), _forward(browser, server), _beat(browser), revoked.wait(), origin.gone.wait()
        )
    finally:
        await server.close()
        code = WSCloseCode.POLICY_VIOLATION if revoked.is_set() else WSCloseCode.GOING_AWAY
        await browser.close(code=code)
    return browser


def unreachable(request: web.Request) -> web.Response:
    """Say that the server does not answer: to people as a page that tries again, to programs as the error body."""
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        return web.Response(status=HTTPStatus.BAD_GATEWAY, text=AWAY, content_type="text/html", headers=headers)
    return error_answer(HTTPStatus.BAD_GATEWAY, "server_unreachable", "The server does not answer.")


def error_answer(status: HTTPStatus, code: str, message: str) -> web.Response:
    """Return an answer of our own in the server's one error body."""
    body = {"error": {"code": code, "message": message, "field": None}}
    return web.json_response(body, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})


def chosen(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the headers that pass."""
    return {name: headers[name] for name in names if name in headers}


def _is_for_browsers(status: int) -> bool:
    """Return whether an answer may pass: a refused token and redirects are between the server and us."""
    redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return status != HTTPStatus.UNAUTHORIZED and (not redirects or status == HTTPStatus.NOT_MODIFIED)


async def _relay(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    headers = chosen(answer.headers, TO_BROWSER)
    if must_be_empty_body(request.method, answer.status):
        headers.pop(hdrs.CONTENT_LENGTH, None)
        return web.Response(status=answer.status, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    try:
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
    except ClientError, ConnectionError, TimeoutError:
        if request.transport is not None:
            request.transport.abort()  # half an answer must not look like a whole one
    return response


async def _forward(
    source: ClientWebSocketResponse | web.WebSocketResponse, target: ClientWebSocketResponse | web.WebSocketResponse
) -> None:
    """Pass the messages of one side on; there are only texts. It ends with either side, or when one falls silent."""
    with suppress(ConnectionError, TimeoutError):
        async for message in source:
            if message.type is not WSMsgType.TEXT:
                return
            await target.send_str(message.data)


async def _beat(browser: web.WebSocketResponse) -> None:
    """Ask for a sign of life; aiohttp's own heartbeat would go on for a while after the end."""
    with suppress(ConnectionError):
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await browser.ping()


async def _first(*jobs: Coroutine[Any, Any, object]) -> None:
    """Run jobs until the first has ended, then end the others."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
