"""What all entities of this integration share: one service device for the server, names by translation."""

from homeassistant.const import CONF_URL
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import StatusCoordinator
from .data import EnergyDashboardConfigEntry


class EnergyDashboardEntity(CoordinatorEntity[StatusCoordinator]):
    """An entity of the server's device."""

    _attr_has_entity_name = True

    def __init__(self, entry: EnergyDashboardConfigEntry, description: EntityDescription) -> None:
        """Name it by the server, which outlives an address."""
        super().__init__(entry.runtime_data.coordinator)
        self.entity_description = description
        server_id = entry.unique_id or entry.entry_id
        self._attr_unique_id = f"{server_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, server_id)},
            entry_type=DeviceEntryType.SERVICE,
            translation_key="server",
            sw_version=entry.runtime_data.coordinator.data.server_version,
            configuration_url=entry.data[CONF_URL],
        )
