"""History from Home Assistant's recorder: a first install, and what an outage of the server left.

In:   nothing; each run has a recorder's database of its own, a real Home Assistant on it (`reconcile_home`), a server.
Out:  how long it takes until everything is there, how long the recorder and the event loop are kept from their work.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.child import ask
from tests.bench.figures import Samples
from tests.bench.server import serving

INSTALL = ("100", "30", "10", "5")
"""100 entities that change every 30 s for ten days, and five years of hourly statistics."""
OUTAGE = ("200", "10", "1", "0.01")
"""20 events a second for a day: 1.7 million states."""


async def install(history: tuple[str, ...]) -> dict[str, Any]:
    """Connect a home with this history to an empty server."""
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
        async with serving(Path(folder) / "data") as server:
            return await ask("tests.bench.reconcile_home", str(Path(folder) / "ha"), server.url, *history)


async def run() -> Mapping[str, Samples]:
    """Measure both."""
    first, outage = await install(INSTALL), await install(OUTAGE)
    return {
        "install_usable": Samples([first["usable_s"]]),
        "install_statistics": Samples([first["statistics_s"]]),
        "install_raw": Samples([first["raw_s"] / 60]),
        "install_blocked": Samples([first["blocked_ms"]]),
        "outage_rate": Samples([outage["rate"]]),
        "outage_blocked": Samples([outage["blocked_ms"]]),
        "outage_held": Samples([max(first["held_ms"], outage["held_ms"])]),
        "audit_day": Samples([outage["audit_s"]]),
        "audit_held": Samples([outage["audit_held_ms"]]),
    }
