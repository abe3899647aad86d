"""Names and durations that several modules share."""

import logging
from typing import Final

DOMAIN: Final = "energy_dashboard"
INTEGRATION_VERSION: Final = "0.1.0"
LOGGER: Final = logging.getLogger(__package__)

SIGNAL_ENERGY_SETTINGS: Final = f"{DOMAIN}_energy_settings"
"""Sent when the user saves Home Assistant's Energy settings."""

EARLIEST_US: Final = 1_790_812_800_000_000
"""2026-10-01, before this release was built: a clock that shows less is not set yet, and nothing is captured by it."""

OUTBOX_BYTES: Final = 32 * 1024 * 1024
"""About half a day of a busy home while the server is away; what is older is fetched from the recorder."""
