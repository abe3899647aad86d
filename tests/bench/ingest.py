"""Durable ingest: how many readings per second a real server acknowledges, 500-row batches, its window kept full.

In:   nothing; each repeat has a fresh server on a fresh folder.
Out:  readings per second, from the first batch sent to the last one acknowledged.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.bench.child import ask
from tests.bench.figures import Samples
from tests.bench.say import say
from tests.bench.server import TOKEN, Server, serving

REPEATS = 5
BATCHES = 1_000


class NotStoredError(RuntimeError):
    """Something was acknowledged that is not there."""


async def count(server: Server) -> int:
    """Return how many readings the server says that it has."""
    async with (
        aiohttp.ClientSession(headers=server.headers) as session,
        session.get(f"{server.url}/api/status") as answer,
    ):
        return int((await answer.json())["storage"]["readings"])


async def run() -> Mapping[str, Samples]:
    """Measure the repeats."""
    rates = []
    for repeat in range(REPEATS):
        with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
            async with serving(Path(folder) / "data") as server:
                sent = await ask("tests.bench.ingest_client", server.url, TOKEN, f"bench-{repeat}", str(BATCHES))
                stored = await count(server)
        if stored != sent["readings"]:
            raise NotStoredError(f"{sent['readings']} readings were acknowledged, {stored} are stored")
        rates.append(sent["readings"] / sent["seconds"])
        say(f"{sent['readings']:,} readings in {sent['seconds']:.1f} s: {rates[-1]:,.0f}/s")
    return {"ingest": Samples(rates)}
