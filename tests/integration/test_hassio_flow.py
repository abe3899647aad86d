"""The app says where it is: the user confirms, and later starts of the app change the entry by themselves."""

from collections.abc import AsyncIterator

import pytest
from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo

from custom_components.energy_dashboard.const import DOMAIN
from tests.integration.fake_server import TOKEN, FakeServer
from tests.integration.home import MockConfigEntry, SetUp

APP = "Energy Dashboard Server"


@pytest.fixture(autouse=True)
async def _unload(hass: HomeAssistant, server: FakeServer) -> AsyncIterator[None]:  # noqa: ARG001 it stops after this
    """Unload what the flow set up."""
    yield
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        assert await hass.config_entries.async_unload(entry.entry_id)


async def discover(hass: HomeAssistant, server: FakeServer, token: str = TOKEN) -> ConfigFlowResult:
    """Tell Home Assistant what the Supervisor would."""
    config = {"host": "127.0.0.1", "port": server.port, "token": token}
    info = HassioServiceInfo(config=config, name=APP, slug="local_energy_dashboard", uuid="1234")
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_HASSIO}, data=info)
    await hass.async_block_till_done()
    return result


async def test_the_user_only_confirms(hass: HomeAssistant, server: FakeServer) -> None:
    form = await discover(hass, server)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "hassio_confirm"
    assert not form["data_schema"]
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert placeholders["app"] == APP
    assert TOKEN not in str(placeholders)
    assert hass.config_entries.async_entries(DOMAIN) == []
    created = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    await hass.async_block_till_done()
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["data"] == {CONF_URL: server.url, CONF_TOKEN: TOKEN}
    assert created["result"].unique_id == "5e1f"
    assert created["result"].source == SOURCE_HASSIO
    assert created["result"].state is ConfigEntryState.LOADED


async def test_a_second_start_of_the_app_asks_no_second_time(hass: HomeAssistant, server: FakeServer) -> None:
    await discover(hass, server)
    again = await discover(hass, server)
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_in_progress"
    assert len(hass.config_entries.flow.async_progress()) == 1


async def test_a_new_token_or_port_reaches_the_entry(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry, set_up: SetUp
) -> None:
    await set_up()
    server.token = "a token that is quite new"
    await server.cut()
    server.messages.clear()
    result = await discover(hass, server, server.token)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.data[CONF_TOKEN] == server.token
    await server.message("catalog")
    assert entry.state is ConfigEntryState.LOADED


async def test_an_app_that_changes_nothing_leaves_the_entry_alone(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry, set_up: SetUp
) -> None:
    await set_up()
    data = entry.runtime_data
    result = await discover(hass, server)
    assert result["reason"] == "already_configured"
    assert entry.runtime_data is data


async def test_an_app_that_does_not_answer_is_no_question(hass: HomeAssistant, server: FakeServer) -> None:
    await server.stop()
    result = await discover(hass, server)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "app_refused"
    assert hass.config_entries.flow.async_progress() == []
    await server.start()
    assert (await discover(hass, server))["step_id"] == "hassio_confirm"


async def test_an_app_that_refuses_its_own_token_is_no_question(hass: HomeAssistant, server: FakeServer) -> None:
    assert (await discover(hass, server, "another token"))["reason"] == "app_refused"
