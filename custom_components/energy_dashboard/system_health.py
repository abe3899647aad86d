"""Home Assistant's system information page."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import EnergyDashboardConfigEntry


@callback
def async_register(_hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the page's section."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how the first server is."""
    entries: list[EnergyDashboardConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if not entries:
        return {}
    entry = entries[0]
    snapshot = entry.runtime_data.coordinator.snapshot()
    return {
        "can_reach_server": system_health.async_check_can_reach_url(hass, f"{entry.data[CONF_URL]}/api/health"),
        "connected": snapshot.connected,
        "server_version": snapshot.server_version or "unknown",
        "waiting": snapshot.waiting,
    }
