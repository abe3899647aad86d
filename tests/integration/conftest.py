"""Fixtures of the integration's tests: a real Home Assistant, and a server that speaks the real protocol."""

from collections.abc import AsyncIterator

import pytest
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline import link
from tests.integration.asking import Asking
from tests.integration.fake_server import TOKEN, FakeServer
from tests.integration.home import MockConfigEntry, SetUp


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


@pytest.fixture
def asking(server: FakeServer) -> Asking:
    return Asking(server)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Link try again soon."""
    monkeypatch.setattr(link, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(link, "LONGEST_WAIT_S", 0.05)
    monkeypatch.setattr(link, "LONGEST_WAIT_REFUSED_S", 0.05)
