"""The sending side of the ingest bench, a process of its own: a WebSocket client that keeps the server's window full.

In:   URL, token, site and number of batches on the command line; then the rows of a batch and the origin, unless they
      are live ones of 500 rows.
Out:  `{"readings", "seconds"}` on standard output: from the first batch sent to the acknowledgement of the last.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence

import aiohttp
import orjson

ENTITIES = 200
ROWS = 500
LONG_AGO_US = 20 * 60 * 1_000_000
LONGER_AGO_US = 10 * 24 * 3_600 * 1_000_000
"""How far back a backfill reaches."""


class RefusedError(RuntimeError):
    """The server did not take everything."""


def entity(place: int, since_us: int) -> dict[str, object]:
    """Return one Entity of the catalog: half counters, half gauges."""
    counter = place % 2 == 0
    return {
        "key": f"{place:032x}",
        "since_us": since_us,
        "entity_id": f"sensor.bench_{place}",
        "name": f"Bench {place}",
        "area": None,
        "device": None,
        "kind": "energy" if counter else "power",
        "unit": "kWh" if counter else "W",
        "state_class": "total_increasing" if counter else "measurement",
        "source": "state",
        "roles": [],
    }


def messages(start_us: int, end_us: int, batches: int, rows_each: int, origin: str) -> list[bytes]:
    """Return the catalog and the batches, encoded: what is measured is the server, not this encoder."""
    rng = random.Random(20261121)  # noqa: S311 made up readings
    step_us = (end_us - start_us) // (batches * rows_each)
    catalog = {"type": "catalog", "seq": 1, "rev": 1, "entities": [entity(n, start_us) for n in range(ENTITIES)]}
    encoded = [orjson.dumps(catalog)]
    for number in range(batches):
        first = number * rows_each
        rows = [
            [
                n % ENTITIES,
                start_us + n * step_us + rng.randrange(step_us),
                n / 1000 if n % 2 == 0 else round(rng.random() * 3000, 1),
            ]
            for n in range(first, first + rows_each)
        ]
        span = [start_us + first * step_us, start_us + (first + rows_each) * step_us]
        document = {"type": "readings", "seq": number + 2, "catalog": 1, "origin": origin, "span": span, "of": "all"}
        encoded.append(orjson.dumps({**document, "rows": rows}))
    return encoded


def hello(site: str, now_us: int) -> bytes:
    """Return the first message."""
    home = {"id": site, "name": site, "time_zone": "UTC", "currency": None, "country": None, "ha_version": "2026.10.4"}
    return orjson.dumps(
        {"type": "hello", "protocol": 1, "now_us": now_us, "site": home, "integration_version": "0.1.0"}
    )


async def answer(socket: aiohttp.ClientWebSocketResponse) -> dict[str, object]:
    """Return the next message that is about data; what the server asks for is left for later."""
    while True:
        message: dict[str, object] = orjson.loads(await socket.receive_str())
        if message["type"] in ("request", "gaps"):
            continue
        if message["type"] == "error" or message.get("refused"):
            raise RefusedError(str(message)[:500])
        return message


async def send(socket: aiohttp.ClientWebSocketResponse, encoded: Sequence[bytes], acked: int, window: int) -> int:
    """Send all messages with at most `window` unacknowledged ones, and return when the last is acknowledged."""
    sent = acked
    last = acked + len(encoded)
    waiting = iter(encoded)
    while acked < last:
        while sent < last and sent - acked < window:
            await socket.send_frame(next(waiting), aiohttp.WSMsgType.TEXT)
            sent += 1
        acked = int(str((await answer(socket))["seq"]))
    return acked


async def main(url: str, token: str, site: str, batches: int, rows_each: int = ROWS, origin: str = "live") -> None:
    """Connect, send, measure."""
    now_us = time.time_ns() // 1_000
    long_ago_us = LONG_AGO_US if origin == "live" else LONGER_AGO_US
    encoded = messages(now_us - long_ago_us, now_us, batches, rows_each, origin)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/link", headers=headers) as socket:
        await socket.send_frame(hello(site, now_us), aiohttp.WSMsgType.TEXT)
        window = int(str((await answer(socket))["window"]))
        acked = await send(socket, encoded[:1], 0, window)
        started_s = time.monotonic()
        await send(socket, encoded[1:], acked, window)
        seconds = time.monotonic() - started_s
        await socket.send_frame(b'{"type":"goodbye"}', aiohttp.WSMsgType.TEXT)
    json.dump({"readings": batches * rows_each, "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    rest = (int(sys.argv[5]), sys.argv[6]) if len(sys.argv) > 5 else ()
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *rest))
