"""A server that stores nothing: the far end of the Link in the events bench, a process of its own.

In:   a port on the command line; WebSocket connections at /link.
Out:  a welcome, and an acknowledgement for each numbered message, alone and at once (the real server gathers them).
"""

import asyncio
import sys

import orjson
from aiohttp import web

WELCOME = {
    "type": "welcome",
    "protocol": 1,
    "oldest": 1,
    "newest": 1,
    "server_version": "0.1.0",
    "server_id": "bench",
    "window": 64,
    "max_rows": 5_000,
    "max_bytes": 1 << 20,
}


async def link(request: web.Request) -> web.WebSocketResponse:
    """Speak the server's part of the protocol."""
    socket = web.WebSocketResponse(max_msg_size=1 << 21)
    await socket.prepare(request)
    async for frame in socket:
        message = orjson.loads(frame.data)
        if message["type"] == "hello":
            await socket.send_str(orjson.dumps(WELCOME).decode())
        elif "seq" in message:
            await socket.send_str(orjson.dumps({"type": "ack", "seq": message["seq"], "refused": []}).decode())
    return socket


async def ready(_request: web.Request) -> web.Response:
    """Say that the server is up."""
    return web.json_response({"ready": True})


async def main(port: int) -> None:
    """Serve until terminated."""
    app = web.Application()
    app.add_routes([web.get("/link", link), web.get("/api/ready", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
