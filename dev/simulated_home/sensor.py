"""Show the house's sensors in Home Assistant, second by second.

In:   the House of the config entry.
Out:  a state of each sensor whenever it shows something else.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from . import SimulatedHomeEntry
from .const import DOMAIN
from .model import House, day_number
from .sensors import SENSORS, Gauge, Sensor, is_offline, reset_s, shown

AHEAD_S = 600


async def async_setup_entry(
    hass: HomeAssistant, entry: SimulatedHomeEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors and let time pass."""
    seconds = Seconds(hass, entry.runtime_data)
    entry.async_on_unload(seconds.stop)
    async_add_entities(SimulatedSensor(entry.runtime_data, sensor, seconds) for sensor in SENSORS)


class SimulatedSensor(SensorEntity):
    """One sensor of the house."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, house: House, sensor: Sensor, seconds: Seconds) -> None:
        """Describe it; its first state is that of now."""
        self.sensor = sensor
        self._seconds = seconds
        self._house = house
        self.entity_id = sensor.entity_id
        self._attr_unique_id = f"{DOMAIN}_{sensor.key}"
        self._attr_name = sensor.name
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, sensor.device)})
        self._attr_native_unit_of_measurement = sensor.unit
        self._attr_state_class = SensorStateClass(sensor.state_class)
        self._attr_device_class = SensorDeviceClass(sensor.device_class) if sensor.device_class else None
        if isinstance(sensor.source, Gauge):
            self._attr_suggested_display_precision = sensor.source.decimals
        self._slot = -1
        self._looked: tuple[float | None, bool, int | None] = (None, False, None)
        self.look(int(dt_util.utcnow().timestamp()))

    async def async_added_to_hass(self) -> None:
        """Look at the model from now on."""
        self._seconds.watch(self)

    def look(self, at_s: int) -> bool:
        """Read the model at this second; say whether it shows something else."""
        slot = at_s // self.sensor.source.every_s
        available = not is_offline(self.sensor, at_s)
        if slot == self._slot and available == self._looked[1]:
            return False
        self._slot = slot
        value = shown(self._house, self.sensor, at_s)
        began_s = reset_s(self._house, self.sensor, at_s)
        self._attr_available = available
        self._attr_native_value = value
        self._attr_last_reset = None if began_s is None else datetime.fromtimestamp(began_s, UTC)
        before, self._looked = self._looked, (value, available, began_s)
        return self._looked != before


class Seconds:
    """Looks at every sensor at the beginning of each second, and computes the next day before it begins."""

    def __init__(self, hass: HomeAssistant, house: House) -> None:
        """Begin at the next second."""
        self._hass = hass
        self._house = house
        self._entities: list[SimulatedSensor] = []
        self._prepared = day_number(int(dt_util.utcnow().timestamp()))
        self._preparing: asyncio.Future[None] | None = None
        self._timer = self._next()

    def watch(self, entity: SimulatedSensor) -> None:
        """Let this sensor look at the model from now on."""
        self._entities.append(entity)

    def _next(self) -> asyncio.TimerHandle:
        return self._hass.loop.call_later(1.0 - dt_util.utcnow().timestamp() % 1.0, self._tick)

    @callback
    def _tick(self) -> None:
        self._timer = self._next()
        at_s = int(dt_util.utcnow().timestamp())
        self._prepare(at_s)
        if day_number(at_s) > self._prepared:
            return
        for entity in self._entities:
            if entity.look(at_s):
                entity.async_write_ha_state()

    def _prepare(self, at_s: int) -> None:
        """Compute the day after this one in a thread, some minutes before it is needed."""
        soon_s = at_s + AHEAD_S
        if day_number(soon_s) > self._prepared and self._preparing is None:
            self._preparing = self._hass.async_add_executor_job(self._house.prepare, soon_s)
            self._preparing.add_done_callback(partial(self._done, day_number(soon_s)))

    def _done(self, number: int, job: asyncio.Future[None]) -> None:
        self._preparing = None
        if not job.cancelled() and job.exception() is None:
            self._prepared = number

    @callback
    def stop(self) -> None:
        """Let time stand still."""
        self._timer.cancel()
