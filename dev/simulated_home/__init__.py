"""A house that behaves, for development: one that shows its sensors in Home Assistant, and replays recordings.

In:   a config entry with the seed and the day from which the meters count.
Out:  sensors, devices and areas; the action `simulated_home.replay`, the commands `simulated_home/import_history` and
      `simulated_home/compile_statistics`.

The model itself (`model`, `sensors`, `history` and below) knows nothing of Home Assistant.
"""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from . import compiling, importing, replay
from .const import CONF_EPOCH_DAY, CONF_SEED, DOMAIN
from .model import House
from .sensors import DEVICES

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [Platform.SENSOR]

type SimulatedHomeEntry = ConfigEntry[House]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register the action and the commands."""
    compiling.register(hass)
    importing.register(hass)
    replay.register(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: SimulatedHomeEntry) -> bool:
    """Compute the house up to now and show its sensors."""
    house = House(entry.data[CONF_SEED], entry.data[CONF_EPOCH_DAY])
    await hass.async_add_executor_job(house.prepare, int(dt_util.utcnow().timestamp()))
    entry.runtime_data = house
    _create_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: SimulatedHomeEntry) -> bool:
    """Take the sensors away."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


def _create_devices(hass: HomeAssistant, entry: SimulatedHomeEntry) -> None:
    """Create the devices, each in its area when it is new."""
    devices, areas = dr.async_get(hass), ar.async_get(hass)
    for name, device in DEVICES.items():
        created = devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, name)},
            name=name,
            manufacturer=device.manufacturer,
            model=device.model,
        )
        if created.area_id is None:
            area = areas.async_get_area_by_name(device.area) or areas.async_create(device.area)
            devices.async_update_device(created.id, area_id=area.id)
