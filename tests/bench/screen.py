"""From a state change in Home Assistant to the number on the page, at 100 events/s.

In:   nothing; a real Home Assistant, the real server and a headless Chromium that shows the view Now, all on this
      machine.
Out:  milliseconds between a state's `last_updated` and the change of the page's text that shows it.

A hundred power sensors change once a second each. Three of them (solar, grid, battery) are tiles on the page, whose
texts are watched by a MutationObserver. Once a second is below the two changes a second to which the page limits
itself.
"""

import bisect
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, async_playwright

from dev.ha import Connection, Installation, User, log_in, onboard
from tests.bench.figures import Samples
from tests.bench.say import say
from tests.bench.server import TOKEN, Server, free_port, serving

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = {
    "energy_dashboard": ROOT / "custom_components" / "energy_dashboard",
    "bench_source": ROOT / "tests" / "bench" / "components" / "bench_source",
}
TILES = ("solar", "grid", "battery")
PER_S = 100
WARM_UP_CHANGES = 1_000
CHANGES = 12_000
SHOWN_WITHIN_MS = 10_000
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WATCH = """
(element, name) => {
  window.benchSeen ??= [];
  const now = () => performance.timeOrigin + performance.now();
  const note = () => window.benchSeen.push([name, element.textContent.trim(), now()]);
  new MutationObserver(note).observe(element, { childList: true, characterData: true, subtree: true });
}
"""
TAKE = "() => window.benchSeen.splice(0)"
ENERGY_SOURCES = [
    {
        "type": "grid",
        "stat_energy_from": "sensor.bench_import_energy",
        "stat_energy_to": "sensor.bench_export_energy",
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "stat_rate": "sensor.bench_grid_power",
        "cost_adjustment_day": 0,
    },
    {
        "type": "solar",
        "stat_energy_from": "sensor.bench_solar_energy",
        "stat_rate": "sensor.bench_solar_power",
        "config_entry_solar_forecast": None,
    },
    {
        "type": "battery",
        "stat_energy_from": "sensor.bench_discharge_energy",
        "stat_energy_to": "sensor.bench_charge_energy",
        "stat_rate": "sensor.bench_battery_power",
    },
]


class NotShownError(RuntimeError):
    """A state change never reached the page."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed for one tile: texts and when, in ascending time."""

    texts: Sequence[str]
    at_ms: Sequence[float]


def printed(state: str) -> str:
    """Return a power in W as the page prints it: kW with two decimals."""
    return f"{float(state) / 1000:.2f}"


def latencies(changes: Sequence[tuple[str, str, int]], seen: Mapping[str, Seen]) -> list[float]:
    """Return for each change (tile, state, instant in us) after how many ms its tile first showed it."""
    took_ms = []
    for tile, state, ts_us in changes:
        shown = seen[tile]
        wanted, since_ms = printed(state), ts_us / 1e3
        # the clocks of the two processes may differ by a fraction of a ms
        first = bisect.bisect_left(shown.at_ms, since_ms - 1)
        hits = (at_ms for text, at_ms in zip(shown.texts[first:], shown.at_ms[first:], strict=True) if text == wanted)
        at_ms = next(hits, None)
        if at_ms is None or at_ms - since_ms > SHOWN_WITHIN_MS:
            raise NotShownError(f"{tile} never showed {wanted}")
        took_ms.append(at_ms - since_ms)
    return took_ms


@asynccontextmanager
async def home(folder: Path, server: Server) -> AsyncIterator[Connection]:
    """Run a Home Assistant that is connected to the server."""
    installation = Installation(folder / "ha", free_port(), COMPONENTS, extra="bench_source:\n")
    process = await installation.start(folder / "ha.log")
    try:
        await onboard(installation, User())
        tokens = await log_in(installation, User())
        async with Connection(installation.url, tokens["access_token"]) as connection:
            await connection.running()
            await connection.command(
                "energy/save_prefs",
                energy_sources=ENERGY_SOURCES,
                device_consumption=[],
                device_consumption_water=[],
            )
            await connection.flow("energy_dashboard", {"url": server.url, "token": TOKEN})
            yield connection
    finally:
        await process.stop()


@asynccontextmanager
async def page_of(server: Server) -> AsyncIterator[Page]:
    """Open the dashboard's first view."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("ENERGY_CHROMIUM", "/usr/bin/chromium"), args=list(BROWSER_FLAGS)
        )
        try:
            page = await browser.new_page()
            await page.goto(f"{server.url}/#token={TOKEN}")
            yield page
        finally:
            await browser.close()


async def measure(connection: Connection, page: Page, changes: int) -> list[float]:
    """Let the sensors change, and return the latencies of those on the page."""
    await page.evaluate(TAKE)
    answer = await connection.action("bench_source", "run", {"changes": changes, "per_s": PER_S}, response=True)
    await page.wait_for_timeout(2_000)  # two rounds of the page's pacing: everything that will show has shown
    noted = await page.evaluate(TAKE)
    seen = {
        tile: Seen([text for name, text, _ in noted if name == tile], [at for name, _, at in noted if name == tile])
        for tile in TILES
    }
    made = [
        (entity_id.removeprefix("sensor.bench_").removesuffix("_power"), state, ts_us)
        for entity_id, state, ts_us in answer["seen"]
    ]
    return latencies(made, seen)


async def run() -> Mapping[str, Samples]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as name:
        folder = Path(name)
        async with serving(folder / "data") as server, home(folder, server) as connection, page_of(server) as page:
            for tile in TILES:
                number = page.locator(f'ed-live-number[data-entity~="sensor.bench_{tile}_power"]').first
                await number.wait_for(timeout=60_000)
                await number.evaluate(WATCH, tile)
            await measure(connection, page, WARM_UP_CHANGES)
            say(f"{CHANGES / PER_S:.0f} s of changes")
            took_ms = await measure(connection, page, CHANGES)
    return {"screen_p50": Samples(took_ms), "screen_p99": Samples(took_ms)}
