"""What helps to find a fault, without anything that opens the server."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant

from .data import EnergyDashboardConfigEntry

SECRET: Final = {CONF_TOKEN}


async def async_get_config_entry_diagnostics(_hass: HomeAssistant, entry: EnergyDashboardConfigEntry) -> dict[str, Any]:
    """Return how the pipeline is."""
    data = entry.runtime_data
    status = data.link.status
    return {
        "entry": async_redact_data(dict(entry.data), SECRET),
        "status": asdict(data.coordinator.snapshot()),
        "link": {
            "welcome": None if status.welcome is None else asdict(status.welcome),
            "problem": None if status.problem is None else status.problem.code,
            "outages": status.outages,
        },
        "outbox": {
            "bytes": data.outbox.bytes,
            "dropped_batches": data.outbox.dropped_batches,
            "clock_steps": data.outbox.clock_steps,
        },
        "imports_pending": data.reconcile.pending,
        "imported_rows": data.reconcile.imports.rows,
        "gaps": {"open": data.reconcile.gaps.open, "rows": data.reconcile.gaps.sent_rows},
        "recorder": asdict(data.watch.status) | {"blind": data.watch.blind()},
        "entities": [remembered.to_json() for remembered in data.memory.entities.values()],
    }
