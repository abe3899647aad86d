"""Stands in for Home Assistant's Supervisor: takes the discovery of an app, and shows the app by ingress.

In:   the environment: APP (name of the app's host), SUPERVISOR_TOKEN, SERVICES (what its config.yaml lists under
      `discovery`), INGRESS (the secret in the address of its pages); PORT and INGRESS_PORT where they are not the
      Supervisor's own.
Out:  a listener on port 80, or PORT. `/discovery` is the Supervisor's; `/api/hassio_ingress/SECRET/` is what Home
      Assistant and the Supervisor do together with a request of a browser; `/test/` is for tests.

It runs by itself, with nothing but aiohttp, inside the app's network at the Supervisor's address.
"""

import asyncio
import os
from typing import Any

import aiohttp
from aiohttp import hdrs, web

APP = os.environ["APP"]
TOKEN = os.environ["SUPERVISOR_TOKEN"]
SERVICES = os.environ["SERVICES"].split(",")
INGRESS = os.environ["INGRESS"]
PORT = int(os.environ.get("PORT", "80"))
INGRESS_PORT = int(os.environ.get("INGRESS_PORT", "8099"))
USER = {"X-Remote-User-Id": "a1b2", "X-Remote-User-Name": "owner", "X-Remote-User-Display-Name": "Owner"}
# What is said anew on each leg of the way.
OF_ONE_LEG = {
    hdrs.ACCEPT_ENCODING,
    hdrs.CONNECTION,
    hdrs.CONTENT_ENCODING,
    hdrs.CONTENT_LENGTH,
    hdrs.SEC_WEBSOCKET_EXTENSIONS,
    hdrs.SEC_WEBSOCKET_KEY,
    hdrs.SEC_WEBSOCKET_PROTOCOL,
    hdrs.SEC_WEBSOCKET_VERSION,
    hdrs.TRANSFER_ENCODING,
    hdrs.UPGRADE,
}
CLIENT = web.AppKey("client", aiohttp.ClientSession)
TOLD = web.AppKey("told", list[dict[str, Any]])

routes = web.RouteTableDef()


def _result(status: int, **fields: object) -> web.Response:
    return web.json_response({"result": "ok" if status == 200 else "error", **fields}, status=status)


@routes.post("/discovery")
async def discovery(request: web.Request) -> web.Response:
    """Take the message of an app."""
    if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {TOKEN}":
        return _result(401, message="unauthorized")
    body = await request.json()
    if set(body) != {"service", "config"} or not isinstance(body["config"], dict):
        return _result(400, message="not the form of a discovery")
    if body["service"] not in SERVICES:
        return _result(403, message="Apps must list services they provide via discovery in their config!")
    request.app[TOLD].append(body)
    return _result(200, data={"uuid": "0" * 32})


@routes.get("/test/told")
async def told(request: web.Request) -> web.Response:
    """Return every message that was taken."""
    return web.json_response(request.app[TOLD])


@routes.get("/test/direct")
async def direct(request: web.Request) -> web.Response:
    """Return what the app's own listener answers to Home Assistant, with the token and without."""
    config = request.app[TOLD][-1]["config"]
    url = f"http://{config['host']}:{config['port']}/api/status"
    answers = {}
    for name, headers in (("token", {hdrs.AUTHORIZATION: f"Bearer {config['token']}"}), ("nothing", {})):
        async with request.app[CLIENT].get(url, headers=headers) as answer:
            answers[name] = answer.status
    return web.json_response(answers)


def _passed_on(request: web.Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name not in OF_ONE_LEG and name not in USER}
    headers["X-Ingress-Path"] = f"/api/hassio_ingress/{INGRESS}"
    headers["X-Forwarded-For"] = request.remote or ""
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = request.scheme
    return headers | USER


async def _forward(
    source: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
    sink: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
) -> None:
    async for message in source:
        await (sink.send_str(message.data) if message.type is aiohttp.WSMsgType.TEXT else sink.send_bytes(message.data))
    await sink.close()


@routes.route("*", "/api/hassio_ingress/{secret}/{path:.*}")
async def ingress(request: web.Request) -> web.StreamResponse:
    """Pass a browser's request on."""
    if request.match_info["secret"] != INGRESS:
        return web.Response(status=401)
    url = f"http://{APP}:{INGRESS_PORT}/{request.match_info['path']}"
    headers = _passed_on(request)
    if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
        browser = web.WebSocketResponse()
        await browser.prepare(request)
        async with request.app[CLIENT].ws_connect(url, params=request.query, headers=headers) as app:
            await asyncio.gather(_forward(browser, app), _forward(app, browser))
        return browser
    async with request.app[CLIENT].request(
        request.method, url, params=request.query, headers=headers, data=await request.read(), allow_redirects=False
    ) as answer:
        kept = {name: value for name, value in answer.headers.items() if name not in OF_ONE_LEG}
        return web.Response(status=answer.status, headers=kept, body=await answer.read())


async def _app() -> web.Application:
    app = web.Application()
    app.add_routes(routes)
    app[TOLD] = []
    # An app that was just replaced has another address.
    app[CLIENT] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(use_dns_cache=False))
    return app


if __name__ == "__main__":
    web.run_app(_app(), port=PORT, print=None)
