"""What tests say about a home: sensors, the integration set up in it, and waiting for what should become true."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped] # it ships no types
    MockConfigEntry,
    async_fire_time_changed,
    flush_store,
)

from custom_components.energy_dashboard.coordinator import Snapshot, StatusCoordinator

__all__ = [
    "COUNTER",
    "INTEGRATION",
    "POWER",
    "MockConfigEntry",
    "SetUp",
    "async_fire_time_changed",
    "flush_store",
    "logged",
    "state",
    "when",
]

INTEGRATION = "custom_components.energy_dashboard"

type SetUp = Callable[[], Awaitable[MockConfigEntry]]

POWER = {"device_class": "power", "unit_of_measurement": "W", "state_class": "measurement"}
COUNTER = {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing"}


async def when(entry: MockConfigEntry, condition: Callable[[Snapshot], object]) -> Snapshot:
    """Wait until the integration says that things are so: at each acknowledgement and each change of the Link."""
    coordinator: StatusCoordinator = entry.runtime_data.coordinator
    progress: asyncio.Event = entry.runtime_data.link._progress
    unsubscribe = coordinator.async_add_listener(progress.set)
    try:
        async with asyncio.timeout(30):
            while not condition(coordinator.snapshot()):
                progress.clear()
                await progress.wait()
    finally:
        unsubscribe()
    return coordinator.snapshot()


def state(hass: HomeAssistant, entity_id: str, value: str, attributes: dict[str, Any], **options: Any) -> None:
    """Set a state as an integration would."""
    hass.states.async_set(entity_id, value, attributes, **options)


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Return what the integration logged at a level."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(INTEGRATION) and record.levelno == level
    ]
