"""The home of the outage bench, a process of its own: the server is away for a day, Home Assistant goes on.

In:   a folder with `clock` in it, the clock of this process, and the numbers of a History, on the command line.
Out:  times and figures as JSON on standard output; `wrong` counts the readings that are missing, different or twice.

The day passes by setting the clocks of both forward, once the outbox is full and has dropped what it could not keep.
What Home Assistant would have recorded meanwhile is written into the recorder's database, into its present run.
"""

import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from custom_components.energy_dashboard.data import EnergyDashboardData
from tests.bench import home
from tests.bench.events_home import connect
from tests.bench.reconcile_home import LATE_EVERY_S, LOOK_EVERY_S, PATIENCE_S, RECORDER, Lateness, live
from tests.bench.recorder_history import History, attributes, insert
from tests.bench.say import say
from tests.bench.server import TOKEN, free_port
from tests.product.clock import Clock
from tests.product.load import in_files
from tests.product.server import Server
from tests.product.verifying import now_us, settled, summary, verify

LIVE_S = 60.0
KEPT_BYTES = 1_500_000
"""What the outbox may keep: a smaller one is sooner full, and more is left to be fetched."""
FILLED_AT_ONCE = 5_000
"""States between two waits for the recorder, which gives up on a home that has too many."""
YOUNG_S = 60.0
"""The recorder may not have written what is younger, so no state of the outage is."""
COUNTED = re.compile(r"recorded readings: missing (\d+), different (\d+)")
SETTLED_S = 660.0
"""So long after a connection the server audits."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs, and the clocks of both."""

    hass: HomeAssistant
    data: EnergyDashboardData
    server: Server
    clocks: tuple[Clock, Clock]
    history: History
    recorder: Path


async def main(folder: Path, history: History) -> None:
    """Measure one outage."""
    clock = Clock(folder / "clock")
    (folder / "server-clock").mkdir()
    clock_of_server = Clock.make(folder / "server-clock", -history.days * 86_400)
    settings = {"ENERGY_TOKEN": TOKEN, **clock_of_server.environment}
    server = Server(folder / "data", folder / "server.log", free_port(), folder, settings)
    await server.start()
    hass = await home.start(folder / "ha", RECORDER)
    for number, name in enumerate(history.names):
        hass.states.async_set(name, "1000000", attributes(number))
    await hass.async_block_till_done()
    entry = await connect(hass, server.url)
    scene = Scene(
        hass, entry.runtime_data, server, (clock, clock_of_server), history, folder / "ha" / "home-assistant_v2.db"
    )
    firing = asyncio.create_task(live(hass, history))
    try:
        report = await measure(scene)
    finally:
        firing.cancel()
        await hass.async_stop(force=True)
        if server.process is not None:
            await server.stop()
    total, twice = await asyncio.to_thread(in_files, server.data_path)
    say(f"{total:,} readings lie in the files, {len(twice)} of them twice")
    report["wrong"] += len(twice)
    json.dump(report, sys.stdout)


async def measure(scene: Scene) -> dict[str, float]:
    """Live a while, lose the server for a day, get it back."""
    await scene.server.connected(PATIENCE_S)
    await asyncio.sleep(LIVE_S)
    scene.data.outbox._max_bytes = KEPT_BYTES
    lacking, end_us = await go_through(scene)
    report = await recover(scene, lacking, end_us)
    report |= await audit(scene)
    report["wrong"] = await wrong(scene)
    return report


async def go_through(scene: Scene) -> tuple[int, int]:
    """Live through an outage; returns the readings that only the recorder has, and the instant of the last of them."""
    history, outbox = scene.history, scene.data.outbox
    await scene.server.stop()
    turn = 0
    while not outbox.dropped_rows:
        for _ in range(FILLED_AT_ONCE):
            number = turn % history.entities
            scene.hass.states.async_set(history.names[number], f"{2_000_000 + turn}", attributes(number))
            turn += 1
        await get_instance(scene.hass).async_block_till_done()
        scene.data.listener._seal()
    began_s = time.time() + 1
    for clock in scene.clocks:
        clock.set(0.0)
    scene.data.listener._seal()
    end_s = time.time() - YOUNG_S
    started_s = time.perf_counter()
    count = await asyncio.to_thread(insert, scene.recorder.parent, history, began_s, end_s)
    say(
        f"the outbox is full with {len(outbox):,} readings, {outbox.dropped_rows:,} had to go; {count:,} of "
        f"{(end_s - began_s) / 3600:.1f} h written into the recorder in {time.perf_counter() - started_s:.0f} s"
    )
    return count + outbox.dropped_rows, int(end_s * 1e6)


async def recover(scene: Scene, lacking: int, end_us: int) -> dict[str, float]:
    """Start the server, and wait until it has everything."""
    gaps, lateness = scene.data.reconcile.gaps, Lateness()
    gc.collect()  # as in a Home Assistant that has been running for a while: what its start left behind is not ours
    gc.callbacks.append(lateness.collecting)
    before = gaps.sent_rows
    await scene.server.start()
    await scene.server.connected(PATIENCE_S)
    began_s = time.perf_counter()
    watching = asyncio.create_task(lateness.watch())
    async with asyncio.timeout(PATIENCE_S):
        while gaps.sent_rows - before < lacking or await is_lacking(scene.server, end_us):  # noqa: ASYNC110 told to nobody
            await asyncio.sleep(LOOK_EVERY_S)
    passed_s = time.perf_counter() - began_s
    rows = gaps.sent_rows - before
    say(f"{rows:,} of {lacking:,} lacking readings fetched after {passed_s:.1f} s")
    await settled(scene.server, now_us(), PATIENCE_S)
    settled_s = time.perf_counter() - began_s
    watching.cancel()
    gc.callbacks.remove(lateness.collecting)
    report = {
        "rows": rows,
        "recovered": rows / lacking,
        "rate": rows / passed_s,
        "settled_s": settled_s,
        "held_ms": scene.data.reconcile.holding.longest_s * 1e3,
        "blocked_ms": lateness.longest_s * 1e3,
        "over_50_ms": lateness.over_50_ms,
        "busy_ms": lateness.busy_s * 1e3,
        "collected_ms": lateness.collected_s * 1e3,
        "live_waits": len(scene.data.outbox),
    }
    say(json.dumps(report))
    return report


async def is_lacking(server: Server, end_us: int) -> bool:
    """Tell whether anything is open that was before the instant."""
    sync = await server.get("/api/sync")
    return any(gap["state"] == "open" and gap["since_us"] < end_us for gap in sync["gaps"]["list"])


async def audit(scene: Scene) -> dict[str, float]:
    """Let the server audit, and take the time from its first question to its line in the sync log."""
    reconcile = scene.data.reconcile
    held_s, reconcile.holding.longest_s = reconcile.holding.longest_s, 0.0
    scene.clocks[1].set(SETTLED_S)
    async with asyncio.timeout(PATIENCE_S):
        while not reconcile.audit.waiting:  # noqa: ASYNC110 the product has no event for it
            await asyncio.sleep(LATE_EVERY_S)
        began_s = time.perf_counter()
        while (line := await audited(scene.server)) is None:  # noqa: ASYNC110 another process tells nobody
            await asyncio.sleep(LOOK_EVERY_S / 4)
    spent = {"audit_s": time.perf_counter() - began_s, "audit_held_ms": reconcile.holding.longest_s * 1e3}
    reconcile.holding.longest_s = max(held_s, reconcile.holding.longest_s)
    hours = (line["until_us"] - line["since_us"]) / 3_600_000_000
    say(f"{line['detail']} ({line['rows']:,} readings of {hours:.0f} h): {json.dumps(spent)}")
    return spent


async def audited(server: Server) -> Mapping[str, Any] | None:
    """Return the line of the sync log about an audit of readings."""
    log = (await server.get("/api/sync"))["log"]
    return next((line for line in log if line["what"] == "audit" and line["source"] == "recorder"), None)


async def wrong(scene: Scene) -> int:
    """Compare every reading with the recorder's; returns how many are missing or different."""
    until_us = now_us()
    await settled(scene.server, until_us, PATIENCE_S)
    status, text = await verify(scene.recorder, scene.server, until_us)
    found = COUNTED.search(text)
    assert found is not None, text
    say(summary(text))
    assert (status == 0) == (found.groups() == ("0", "0")), text
    return sum(map(int, found.groups()))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), History(int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), 0.0)))
