"""Messages over an open WebSocket.

In:   JSON as bytes to send; frames of the server.
Out:  the server's messages as dictionaries; a connection whose other end is gone is noticed.
Fails with UnreachableError when the server closed or fell silent, RefusedError(not_energy_server) when it does not
speak JSON objects, aiohttp's ClientError when the connection breaks while sending.
"""

import asyncio
from typing import Any, Final

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType
from homeassistant.util.json import json_loads_object

from .errors import RefusedError, UnreachableError

PING_S: Final = 30.0
"""A server that does not even answer a ping for this long is gone, though nobody closed the connection."""
CLOSE_TIMEOUT_S: Final = 3.0
GOODBYE: Final = b'{"type":"goodbye"}'


class Wire:
    """One WebSocket. Pings are sent and answered here: aiohttp's heartbeat outlives its connection by one timer."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Take an open one."""
        self._socket = socket
        self._heard = 0

    async def send(self, message: bytes) -> None:
        """Send a message."""
        await self._socket.send_frame(message, WSMsgType.TEXT)

    async def receive(self) -> dict[str, Any]:
        """Return the server's next message."""
        while True:
            message = await self._socket.receive()
            self._heard += 1
            match message.type:
                case WSMsgType.TEXT:
                    break
                case WSMsgType.PING:
                    await self._socket.pong(message.data)
                case WSMsgType.PONG:
                    continue
                case _:
                    raise UnreachableError("the server closed the connection")
        try:
            return json_loads_object(message.data)
        except ValueError as err:
            raise RefusedError("the answer is not of an Energy Dashboard server", "not_energy_server") from err

    async def watch(self) -> None:
        """Ping every now and then; ends with UnreachableError when nothing at all came back."""
        while True:
            heard = self._heard
            await self._socket.ping()
            await asyncio.sleep(PING_S)
            if self._heard == heard:
                raise UnreachableError("the server fell silent")

    async def close(self) -> None:
        """Say goodbye and close, for as long as that takes at most; a connection that is gone needs neither."""
        if self._socket.closed:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.send(GOODBYE)
        except TimeoutError, ClientError, OSError:
            return
        finally:
            await self._socket.close()
