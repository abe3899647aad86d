"""What the integration shows in Home Assistant: entities, diagnostics, system information, translations."""

import json
import re
from pathlib import Path
from typing import Any, cast

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from custom_components.energy_dashboard import config_flow, issues, sensor, system_health
from custom_components.energy_dashboard.const import DOMAIN, INTEGRATION_VERSION
from custom_components.energy_dashboard.diagnostics import async_get_config_entry_diagnostics
from tests.integration.fake_server import TOKEN, FakeServer
from tests.integration.home import POWER, SetUp, state, when

FOLDER = Path(config_flow.__file__).parent
CONNECTED = "binary_sensor.energy_dashboard_server_connected"
WAITING = "sensor.energy_dashboard_server_readings_waiting"


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return content


async def test_entities_tell_how_the_link_is(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0 and now.sent)
    await entry.runtime_data.coordinator.async_refresh()
    assert hass.states.is_state(CONNECTED, "on")
    assert hass.states.is_state(WAITING, "0")
    await server.stop()
    await when(entry, lambda now: not now.connected)
    assert hass.states.is_state(CONNECTED, "off")
    state(hass, "sensor.power", "2", POWER)
    await entry.runtime_data.coordinator.async_refresh()
    assert hass.states.is_state(WAITING, "1")


async def test_counts_are_off_until_wanted(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {item.unique_id: item.disabled_by for item in entities} == {
        "5e1f_connected": None,
        "5e1f_waiting": None,
        "5e1f_gaps": None,
        "5e1f_sent": er.RegistryEntryDisabler.INTEGRATION,
        "5e1f_skipped": er.RegistryEntryDisabler.INTEGRATION,
    }
    assert all(item.entity_category == "diagnostic" and item.has_entity_name for item in entities)


async def test_counts_show_what_was_sent_and_skipped_and_why(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        er.async_get(hass).async_update_entity(item.entity_id, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    state(hass, "sensor.power", "nonsense", POWER)
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    await when(entry, lambda now: now.waiting == 0)
    await entry.runtime_data.coordinator.async_refresh()
    assert hass.states.is_state("sensor.energy_dashboard_server_readings_stored", "2")
    skipped = hass.states.get("sensor.energy_dashboard_server_states_without_a_reading")
    assert skipped is not None
    assert (skipped.state, skipped.attributes["not_numeric"]) == ("1", 1)


async def test_there_is_one_service_device(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    entry = await set_up()
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [(device.name, device.entry_type, device.configuration_url) for device in devices] == [
        ("Energy Dashboard server", dr.DeviceEntryType.SERVICE, server.url)
    ]


async def test_diagnostics_tell_all_but_the_token(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await server.row("sensor.power", 1.0)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert TOKEN not in json.dumps(told)
    assert told["entry"]["token"] == "**REDACTED**"
    assert told["link"]["welcome"]["server_id"] == "5e1f"
    assert told["entities"][0]["entity_id"] == "sensor.power"
    assert told["outbox"]["dropped_batches"] == 0


async def test_system_health(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    registered: list[Any] = []

    class Registration:
        def async_register_info(self, info: Any) -> None:
            registered.append(info)

    system_health.async_register(hass, cast(SystemHealthRegistration, Registration()))
    assert await registered[0](hass) == {}
    entry = await set_up()
    await when(entry, lambda now: now.connected)
    told = await registered[0](hass)
    assert await told.pop("can_reach_server") == "ok"
    assert told == {
        "connected": True,
        "server_version": "0.1.0",
        "waiting": entry.runtime_data.coordinator.data.waiting,
    }
    assert server.violations == []


def test_everything_is_translated() -> None:
    words = load("translations/en.json")
    assert set(words["config"]["error"]) == config_flow.KNOWN_ERRORS | {"refused"}
    assert set(words["issues"]) == issues.OWN_ISSUE | {"refused"}
    assert set(words["entity"]["sensor"]) == {description.translation_key for description in sensor.COUNTS}
    assert set(load("icons.json")["entity"]["sensor"]) == set(words["entity"]["sensor"])
    assert set(words["config"]["step"]) == {"user", "reconfigure", "reauth_confirm", "hassio_confirm"}
    for step in words["config"]["step"].values():
        assert set(step.get("data", {})) == set(step.get("data_description", {}))
    assert not re.search(r"https?://", json.dumps(words))  # addresses are placeholders


def test_the_manifest_is_sorted_and_fits() -> None:
    manifest = load("manifest.json")
    assert list(manifest) == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]
    assert manifest["domain"] == DOMAIN == FOLDER.name
    assert manifest["version"] == INTEGRATION_VERSION
    assert manifest["requirements"] == []
    assert manifest["after_dependencies"] == ["energy", "frontend", "hassio", "http", "panel_custom", "recorder"]
    assert {path.name for path in (FOLDER / "brand").iterdir()} >= {"icon.png", "icon@2x.png", "logo.png"}
