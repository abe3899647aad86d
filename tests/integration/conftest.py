"""Fixtures of the integration's tests: a real Home Assistant, and a server that speaks the real protocol."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fake_server import TOKEN, FakeServer
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.coordinator import Snapshot, StatusCoordinator

type SetUp = Callable[[], Awaitable[MockConfigEntry]]

POWER = {"device_class": "power", "unit_of_measurement": "W", "state_class": "measurement"}
COUNTER = {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing"}


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load this integration; the recorder, where a test wants it, has to be there first."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[FakeServer]:  # noqa: ARG001 it lets tests open sockets
    """A server that breaks no rule and saw none broken."""
    fake = FakeServer()
    await fake.start()
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest.fixture
def entry(server: FakeServer) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Energy Dashboard",
        unique_id="5e1f",
        data={CONF_URL: server.url, CONF_TOKEN: TOKEN},
    )


@pytest.fixture
async def set_up(hass: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> AsyncIterator[SetUp]:
    """Set up the integration and wait until its catalog has arrived; unload it after the test."""

    async def run() -> MockConfigEntry:
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await server.message("catalog")
        return entry

    yield run
    if entry.state.recoverable and entry.entry_id in hass.config_entries.async_entry_ids():
        await hass.config_entries.async_unload(entry.entry_id)


async def when(entry: MockConfigEntry, condition: Callable[[Snapshot], object]) -> Snapshot:
    """Wait until the integration says that things are so: at each acknowledgement and each change of the Link."""
    coordinator: StatusCoordinator = entry.runtime_data.coordinator
    progress: asyncio.Event = entry.runtime_data.link._progress
    unsubscribe = coordinator.async_add_listener(progress.set)
    try:
        async with asyncio.timeout(10):
            while not condition(coordinator.snapshot()):
                progress.clear()
                await progress.wait()
    finally:
        unsubscribe()
    return coordinator.snapshot()


def state(hass: HomeAssistant, entity_id: str, value: str, attributes: dict[str, Any], **options: Any) -> None:
    """Set a state as an integration would."""
    hass.states.async_set(entity_id, value, attributes, **options)
