"""Whether the Link to the server stands."""

from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnergyDashboardConfigEntry
from .entity import EnergyDashboardEntity

PARALLEL_UPDATES: Final = 0

CONNECTED: Final = BinarySensorEntityDescription(
    key="connected",
    translation_key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: EnergyDashboardConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensor."""
    async_add_entities([ConnectedSensor(entry, CONNECTED)])


class ConnectedSensor(EnergyDashboardEntity, BinarySensorEntity):
    """On while the server is connected."""

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.data.connected
