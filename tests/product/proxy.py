"""A TCP proxy between Home Assistant and the server, whose network a test can spoil.

In:   the port to forward to.
Out:  a port of its own; `cut`, `slow`, `halve` spoil it for the length of a context. With `drops_port` requests lose
      the port in their Host, as behind nginx with `proxy_set_header Host $host`; that is for requests of one piece.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PIECE = 65_536


@dataclass(slots=True)
class Proxy:
    """Forwards connections, as well as it is allowed to."""

    target: int
    port: int = 0
    drops_port: bool = False
    _open: bool = True
    _delay_s: float = 0.0
    _answers: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Forward for the length of the context."""
        self._answers.set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self._break()

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Break all connections and refuse new ones."""
        self._open = False
        self._break()
        try:
            yield
        finally:
            self._open = True

    @asynccontextmanager
    async def slow(self, delay_s: float) -> AsyncIterator[None]:
        """Hold each piece back, in both directions."""
        self._delay_s = delay_s
        try:
            yield
        finally:
            self._delay_s = 0.0

    @asynccontextmanager
    async def halve(self) -> AsyncIterator[None]:
        """Let what is sent through, but none of the answers; afterwards the connections are broken."""
        self._answers.clear()
        try:
            yield
        finally:
            self._break()
            self._answers.set()

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, far_writer, answers=False))
                group.create_task(self._forward(far_reader, writer, answers=True))
        finally:
            self._writers -= {writer, far_writer}

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if answers:
                    await self._answers.wait()
                elif self.drops_port:
                    piece = piece.replace(b"Host: 127.0.0.1:%d\r\n" % self.port, b"Host: 127.0.0.1\r\n")
                writer.write(piece)
                await writer.drain()
        writer.close()
