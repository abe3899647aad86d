"""A server that speaks MongoDB's protocol as far as the first question, and in that says which versions of it it knows.

In:   the oldest and the newest "wire version" that it claims.
Out:  its address for the length of the context.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import bson

HEADER = struct.Struct("<iiii")  # length, this message's number, the number of what it answers, kind
MESSAGE = 2013
ONE_DOCUMENT = struct.pack("<IB", 0, 0)  # no flags, a section that is one document


@asynccontextmanager
async def other_mongod(oldest: int, newest: int) -> AsyncIterator[str]:
    """Run it."""
    about = {"ismaster": True, "minWireVersion": oldest, "maxWireVersion": newest, "maxBsonObjectSize": 2**24, "ok": 1}
    answer = ONE_DOCUMENT + bson.encode(about)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length, number, _, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
                await reader.readexactly(length - HEADER.size)
                writer.write(HEADER.pack(HEADER.size + len(answer), number, number, MESSAGE) + answer)
        except asyncio.IncompleteReadError, ConnectionError:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1")
    try:
        yield f"mongodb://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
