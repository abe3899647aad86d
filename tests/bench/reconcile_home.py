"""The home of the reconcile bench, a process of its own: Home Assistant on a recorder full of history.

In:   a folder, the server's address, and the numbers of a History, on the command line.
Out:  times and figures as JSON on standard output.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from homeassistant.core import HomeAssistant

from tests.bench import home
from tests.bench.events_home import connect
from tests.bench.recorder_history import History, attributes, build
from tests.bench.say import say
from tests.bench.server import TOKEN

RECORDER = "recorder:\n  auto_purge: false\n"
LOOK_EVERY_S = 0.2
LATE_EVERY_S = 0.002
PATIENCE_S = 1_200.0
LIVE_EVERY_S = 0.05
OLDEST_GENERATION = 2


@dataclass(slots=True)
class Lateness:
    """How late the event loop is: the longest that anything kept it from its turn, and that it computed in one."""

    longest_s: float = 0.0
    over_50_ms: int = 0
    busy_s: float = 0.0
    collected_s: float = 0.0
    """The longest that the garbage collector stopped everything."""
    collections: int = 0
    """How often it went through all of Home Assistant's memory."""
    _began_s: float = 0.0

    def collecting(self, phase: str, info: dict[str, int]) -> None:
        """Time the garbage collector."""
        if phase == "start":
            self._began_s = time.perf_counter()
            return
        self.collected_s = max(self.collected_s, time.perf_counter() - self._began_s)
        self.collections += info["generation"] == OLDEST_GENERATION

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            due_s, cpu_s = time.perf_counter() + LATE_EVERY_S, time.thread_time()
            await asyncio.sleep(LATE_EVERY_S)
            late_s = time.perf_counter() - due_s
            self.busy_s = max(self.busy_s, time.thread_time() - cpu_s)
            self.longest_s = max(self.longest_s, late_s)
            self.over_50_ms += late_s > 0.05


async def live(hass: HomeAssistant, history: History) -> None:
    """Go on changing states, 20 a second: the live path has priority."""
    turn = 0
    while True:
        number = turn % history.entities
        hass.states.async_set(history.names[number], str(1_000_000 + turn), attributes(number))
        turn += 1
        await asyncio.sleep(LIVE_EVERY_S)


class Watcher:
    """Asks the server how far it is."""

    def __init__(self, session: aiohttp.ClientSession, url: str, began_s: float) -> None:
        self._session = session
        self._url = url
        self._began_s = began_s

    async def get(self, path: str) -> dict[str, Any]:
        """Return an answer of the API."""
        async with self._session.get(f"{self._url}{path}") as answer:
            content: dict[str, Any] = await answer.json()
            return content

    async def until(self, what: str, path: str, condition: Callable[[dict[str, Any]], object]) -> float:
        """Wait until an answer is as wanted; returns the seconds since the beginning."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition(await self.get(path)):  # noqa: ASYNC110 another process tells nobody
                await asyncio.sleep(LOOK_EVERY_S)
        passed_s = time.perf_counter() - self._began_s
        say(f"{what}: {passed_s:.1f} s")
        return passed_s


async def main(folder: Path, url: str, history: History) -> None:
    """Measure one install."""
    started_s = time.perf_counter()
    build(folder, history, time.time())
    say(f"{history.states:,} states, {history.hours:,} hours: built in {time.perf_counter() - started_s:.0f} s")
    hass = await home.start(folder, RECORDER)
    for number, name in enumerate(history.names):
        hass.states.async_set(name, "1000000", attributes(number))
    await hass.async_block_till_done()
    lateness = Lateness()
    gc.collect()  # as in a Home Assistant that has been running for a while: what its start left behind is not ours
    gc.callbacks.append(lateness.collecting)
    began_s = time.perf_counter()
    entry = await connect(hass, url)
    tasks = [asyncio.create_task(lateness.watch()), asyncio.create_task(live(hass, history))]
    reconcile = entry.runtime_data.reconcile
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        watcher = Watcher(session, url, began_s)
        newest = min(history.hours, history.entities * 1_000)
        usable_s = await watcher.until("usable", "/api/status", lambda now: now["storage"]["statistics"] >= newest)
        statistics_s = await watcher.until(
            "statistics",
            "/api/status",
            lambda now: now["storage"]["statistics"] >= history.hours and not reconcile.pending,
        )
        raw_s = await watcher.until(
            "raw",
            "/api/status",
            lambda now: reconcile.gaps.sent_rows >= history.readings and now["storage"]["readings"] >= history.readings,
        )
    holding = reconcile.holding
    report = {
        "usable_s": usable_s,
        "statistics_s": statistics_s,
        "raw_s": raw_s,
        "rows": reconcile.gaps.sent_rows,
        "rate": reconcile.gaps.sent_rows / (raw_s - statistics_s),
        "held_ms": holding.longest_s * 1e3,
        "blocked_ms": lateness.longest_s * 1e3,
        "over_50_ms": lateness.over_50_ms,
        "busy_ms": lateness.busy_s * 1e3,
        "collected_ms": lateness.collected_s * 1e3,
        "collections": lateness.collections,
        "live_waits": len(entry.runtime_data.outbox),
    }
    say(json.dumps(report))
    for task in tasks:
        task.cancel()
    await hass.async_stop(force=True)
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]),
            sys.argv[2],
            History(int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6])),
        )
    )
