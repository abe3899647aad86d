"""MongoDB is killed at random moments under load: nothing that the server acknowledged is lost or comes twice.

The server goes on by itself: nobody starts it again, until it is killed at the end to see what is durable.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dev.processes import free_port
from dev.servers import MongoDB, start
from tests.conftest import FIRST_PORT, QuestDBAddress
from tests.product.running import DASHBOARD
from tests.product.saying import say
from tests.product.server import Server
from tests.server.link.linking import SITE, Client, Json, catalog, hello

KILLS = 50 if os.environ.get("ENERGY_SOAK") else 5
LONGEST_LIFE_S = 1.5
BACK_WITHIN_S = 60.0
KEYS = ("a", "b", "c")
STEP_US = 120_000_000
DAY_US = 86_400_000_000
BEGIN_US = 1_788_220_800_000_000
NOW_US = BEGIN_US + 60 * DAY_US
PACE_S = 0.005

pytestmark = pytest.mark.timeout(120 + 30 * KILLS)


def rows_of_step(step: int) -> list[list[Any]]:
    """Return a reading of each key, some of them unavailabilities."""
    ts_us = BEGIN_US + step * STEP_US
    return [[place, ts_us + place, None if (step + place) % 11 == 0 else step * 0.25] for place in range(len(KEYS))]


def step_of(step: int) -> Json:
    span = [BEGIN_US + step * STEP_US, BEGIN_US + (step + 1) * STEP_US]
    return {"type": "readings", "catalog": 1, "origin": "live", "span": span, "of": "all", "rows": rows_of_step(step)}


class Load:
    """Sends step after step, and knows how many are acknowledged."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._acknowledged = asyncio.Condition()
        self._first_seq = client.seq + 1
        self.sent = 0
        self.stored = 0

    async def send(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            if self.sent - self.stored < 16:  # well inside of the window
                await self._client.number(step_of(self.sent))
                self.sent += 1
            await asyncio.sleep(PACE_S)

    async def listen(self) -> None:
        async for message in self._client.socket:
            answer = json.loads(message.data)
            if answer["type"] == "ack":
                assert answer["refused"] == []
                async with self._acknowledged:
                    self.stored = answer["seq"] - self._first_seq + 1
                    self._acknowledged.notify_all()

    async def until_stored(self, steps: int) -> None:
        async with self._acknowledged, asyncio.timeout(BACK_WITHIN_S):
            await self._acknowledged.wait_for(lambda: self.stored >= steps)


@asynccontextmanager
async def loaded(server: Server) -> AsyncIterator[Load]:
    """Send for the length of the context, and then until all is acknowledged."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        client = Client(await session.ws_connect(f"{server.url}/link"))
        await client.send(hello(now_us=NOW_US))
        await client.expect("welcome")
        entities = catalog(*KEYS)
        for entity in entities["entities"]:
            entity["since_us"] = BEGIN_US
        await client.expect("ack", seq=await client.number(entities))
        load, ending = Load(client), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(load.listen())
            sending = tasks.create_task(load.send(ending))
            yield load
            ending.set()
            await sending
            await load.until_stored(load.sent)
            listening.cancel()
        await client.socket.close()


async def test_killed_under_load(tmp_path: Path, questdb_address: QuestDBAddress) -> None:
    seed = int.from_bytes(os.urandom(4))
    rng = random.Random(seed)  # noqa: S311 moments
    mongodb = MongoDB(tmp_path / "mongodb", free_port(FIRST_PORT + 400))
    running = await start(mongodb)
    settings = {
        "ENERGY_STORAGE": "questdb",
        "ENERGY_QUESTDB_URL": questdb_address.url,
        "ENERGY_QUESTDB_PG_URL": questdb_address.pg_url,
        "ENERGY_MONGODB_URL": mongodb.url,
        "ENERGY_COMMIT_INTERVAL_S": "0.05",
    }
    server = Server(tmp_path / "data", tmp_path / "server.log", free_port(FIRST_PORT + 450), DASHBOARD, settings)
    await server.start()
    async with loaded(server) as load:
        for _ in range(KILLS):
            await load.until_stored(load.stored + 20)
            await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
            await running.kill()
            await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
            running = await start(mongodb)
        await load.until_stored(load.stored + 20)
    await nothing_lost_or_doubled(server, load.sent)
    await server.stop()
    await server.start()
    await nothing_lost_or_doubled(server, load.sent)
    await everything_covered(server, load.sent)
    await server.stop()
    await running.stop()
    say(f"MongoDB was killed {KILLS} times at random moments (seed {seed}): {load.sent} messages, none lost")


async def nothing_lost_or_doubled(server: Server, steps: int) -> None:
    sent = [row for step in range(steps) for row in rows_of_step(step)]
    for place, key in enumerate(KEYS):
        answer = await server.get("/api/readings", key=key, site=SITE, start=BEGIN_US, end=NOW_US)
        assert answer["ts_us"] == [ts_us for at, ts_us, _ in sent if at == place]
        assert answer["value"] == [value for at, _, value in sent if at == place]


async def everything_covered(server: Server, steps: int) -> None:
    end_us = BEGIN_US + steps * STEP_US
    answer = await server.get("/api/completeness", site=SITE, zone="UTC", start=BEGIN_US, end=end_us)
    known_s = sum(day["live_s"] + day["backfilled_s"] for day in answer["days"])  # its claims came late
    assert known_s == pytest.approx((end_us - BEGIN_US) / 1e6)
