"""A hundred power sensors that change at a steady rate, each in its turn, and say exactly when.

In:   the action `bench_source.run` with `changes` and `per_s`.
Out:  that many state changes; the answer lists those of the watched sensors: `[entity_id, state, last_updated in us]`.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import probatio as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.json import JsonValueType

DOMAIN = "bench_source"
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
WATCHED = ("sensor.bench_solar_power", "sensor.bench_grid_power", "sensor.bench_battery_power")
OTHERS = tuple(f"sensor.bench_power_{number}" for number in range(97))
METERS = tuple(f"sensor.bench_{name}_energy" for name in ("solar", "import", "export", "discharge", "charge"))
ATTRIBUTES = {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"}
METER_ATTRIBUTES = {"device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "kWh"}
STEP_W = 10
STEPS = 900
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RUN_SCHEMA = vol.Schema({vol.Required("changes"): cv.positive_int, vol.Required("per_s"): cv.positive_int})


def power(turn: int) -> str:
    """Return the state of a turn: every one prints as another number of kW with two decimals."""
    return str(STEP_W * (turn % STEPS + 1))


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Set the first states and register the action."""
    entities = (*WATCHED, *OTHERS)
    for entity_id in entities:
        hass.states.async_set(entity_id, "0", ATTRIBUTES)
    for entity_id in METERS:  # they stand still: Home Assistant's Energy settings want their ids
        hass.states.async_set(entity_id, "1000", METER_ATTRIBUTES)

    async def run(call: ServiceCall) -> ServiceResponse:
        seen: list[JsonValueType] = []
        started_s = hass.loop.time()
        for number in range(call.data["changes"]):
            entity_id = entities[number % len(entities)]
            hass.states.async_set(entity_id, power(number // len(entities)), ATTRIBUTES)
            state = hass.states.get(entity_id)
            if state is not None and entity_id in WATCHED:
                seen.append([entity_id, state.state, (state.last_updated - EPOCH) // timedelta(microseconds=1)])
            await asyncio.sleep(max(0.0, started_s + (number + 1) / call.data["per_s"] - hass.loop.time()))
        return {"seen": seen}

    hass.services.async_register(DOMAIN, "run", run, RUN_SCHEMA, supports_response=SupportsResponse.ONLY)
    return True
