"""History from Home Assistant's recorder: a first install, and what an outage of the server left.

In:   nothing; each run has a real Home Assistant on a database of its own (`reconcile_home`, `outage_home`).
Out:  how long it takes until everything is there, how long the recorder and the event loop are kept from their work.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.child import ask
from tests.bench.figures import Samples
from tests.bench.server import serving
from tests.product.clock import Clock

INSTALL = ("100", "30", "10", "5")
"""100 entities that change every 30 s for ten days, and five years of hourly statistics."""
OUTAGE = ("200", "10", "1")
"""20 events a second for a day: 1.7 million states."""
DAY_S = 86_400


async def install(history: tuple[str, ...]) -> dict[str, Any]:
    """Connect a home with this history to an empty server."""
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
        async with serving(Path(folder) / "data") as server:
            return await ask("tests.bench.reconcile_home", str(Path(folder) / "ha"), server.url, *history)


async def outage(history: tuple[str, ...]) -> dict[str, Any]:
    """Take the server away from a connected home for as long as the history is."""
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
        (Path(folder) / "clock").mkdir()
        clock = Clock.make(Path(folder) / "clock", -float(history[2]) * DAY_S)
        return await ask("tests.bench.outage_home", folder, *history, environment=clock.environment)


async def run() -> Mapping[str, Samples]:
    """Measure both."""
    first, away = await install(INSTALL), await outage(OUTAGE)
    return {
        "install_usable": Samples([first["usable_s"]]),
        "install_statistics": Samples([first["statistics_s"]]),
        "install_raw": Samples([first["raw_s"] / 60]),
        "install_blocked": Samples([first["blocked_ms"]]),
        "outage_wrong": Samples([away["wrong"]]),
        "outage_rate": Samples([away["rate"]]),
        "outage_blocked": Samples([away["blocked_ms"]]),
        "outage_held": Samples([max(first["held_ms"], away["held_ms"])]),
        "audit_day": Samples([away["audit_s"]]),
        "audit_held": Samples([away["audit_held_ms"]]),
    }
