"""From a click to the painted period, on a phone whose CPU is slowed down four times.

In:   the reference year, served by a real process; a headless Chromium of a phone's size.
Out:  ms from the click (as the page gets it) to the frame that shows the new period: its words and its chart; ms from
      the navigation, with an empty cache, to the first contentful paint and to the first painted chart.

A frame has been shown when a task that was queued in it runs. Every kind of period is clicked and stepped through, and
none of them is shown twice in one page, so that nothing the page keeps from an earlier visit helps it.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, Page, async_playwright

from tests.bench.figures import Samples
from tests.bench.reference_year.build import Reference, reference_year
from tests.bench.say import say
from tests.bench.screen import BROWSER_FLAGS
from tests.bench.server import TOKEN, serving

SLOWDOWN = 4
COLD_STARTS = 7
STEPS = 3
BETWEEN_MS = 3_000  # somebody looks at what is shown
BEGIN = {"Day": "week", "Week": "day", "Month": "day", "Year": "day", "Range": "day"}  # what is shown before the kind
PREVIOUS = {
    "Day": "Previous day",
    "Week": "Previous week",
    "Month": "Previous month",
    "Year": "Previous year",
    "Range": "Range before",
}
WATCH = """
(() => {
  const bench = (window.benchPaint = { drawnAt: 0 });
  for (const name of ['fill', 'stroke', 'fillText', 'fillRect', 'clearRect']) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      if (this.canvas.isConnected) bench.drawnAt = performance.now();
      return own.apply(this, given);
    };
  }
  const shown = () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(null);
  }));
  const within = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const element of root.querySelectorAll('*')) {
      const inner = element.shadowRoot && within(element.shadowRoot, selector);
      if (inner) return inner;
    }
    return null;
  };
  const summary = () => within(document, 'ed-steps-card')?.summary ?? '';
  const until = async (holds) => {
    for (;;) {
      const at = await shown();
      if (holds()) return at;
    }
  };
  bench.firstChart = () => until(() => bench.drawnAt > 0 && summary() !== '');
  bench.arm = () => {
    const before = summary();
    bench.took = new Promise((resolve) => {
      addEventListener('click', async ({ timeStamp }) => {
        resolve((await until(() => summary() !== before && bench.drawnAt > timeStamp)) - timeStamp);
      }, { capture: true, once: true });
    });
  };
})()
"""


@asynccontextmanager
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """Open a page of a phone that never was here."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="en-GB"
    )
    try:
        page = await context.new_page()
        await page.add_init_script(WATCH)
        session = await context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        yield page
    finally:
        await context.close()


async def click(page: Page, name: str) -> float:
    """Click a button of the period bar; return how long it took until what it asks for was shown."""
    await page.wait_for_timeout(BETWEEN_MS)
    await page.evaluate("benchPaint.arm()")
    await page.get_by_role("button", name=name, exact=True).click()
    took_ms: float = await page.evaluate("benchPaint.took")
    return took_ms


async def cold(browser: Browser, url: str, day: str) -> tuple[float, float]:
    """Return when a browser with an empty cache has painted the first thing, and the first chart."""
    async with phone(browser) as page:
        await page.goto(f"{url}/energy?day={day}#token={TOKEN}", wait_until="commit")
        chart_ms: float = await page.evaluate("benchPaint.firstChart()")
        first_ms: float = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        return first_ms, chart_ms


async def clicks(browser: Browser, url: str, day: str, kind: str) -> tuple[list[float], list[float]]:
    """Choose a kind of period for that day, then step back; return what each click took."""
    async with phone(browser) as page:
        await page.goto(f"{url}/energy?{BEGIN[kind]}={day}#token={TOKEN}", wait_until="commit")
        await page.evaluate("benchPaint.firstChart()")
        chosen = await click(page, kind)
        steps = STEPS if kind != "Year" else 1
        return [chosen], [await click(page, PREVIOUS[kind]) for _ in range(steps)]


async def measured(url: str, day: str) -> Mapping[str, Samples]:
    """Measure a server that knows the months before that day."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("ENERGY_CHROMIUM", "/usr/bin/chromium"), args=list(BROWSER_FLAGS)
        )
        try:
            starts = [await cold(browser, url, day) for _ in range(COLD_STARTS)]
            took_ms = {kind: await clicks(browser, url, day, kind) for kind in BEGIN}
        finally:
            await browser.close()
    for kind, both in took_ms.items():
        say(f"{kind}: {'; '.join(', '.join(f'{ms:.0f}' for ms in samples) for samples in both)} ms")
    return {
        "paint_kind": Samples([ms for chosen, _ in took_ms.values() for ms in chosen]),
        "paint_step": Samples([ms for _, stepped in took_ms.values() for ms in stepped]),
        "paint_first": Samples([first / 1e3 for first, _ in starts]),
        "paint_chart": Samples([chart / 1e3 for _, chart in starts]),
    }


def last_day(reference: Reference) -> str:
    """Return a day near the end of what is known, so that every kind of period steps back through what is known."""
    return (datetime.fromtimestamp(reference.end_us / 1e6, UTC) - timedelta(days=2)).date().isoformat()


async def run() -> Mapping[str, Samples]:
    """Measure."""
    reference = await reference_year()
    async with serving(reference.data_path) as server:
        return await measured(server.url, last_day(reference))
