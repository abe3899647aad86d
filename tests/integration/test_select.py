"""Which entities are recorded, and what they are in the home."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from custom_components.energy_dashboard.catalog import HEARS_SETTINGS
from custom_components.energy_dashboard.pipeline.model import Kind, Role
from custom_components.energy_dashboard.pipeline.select import Candidate, energy_devices, kind_of, roles_of, unit_of
from tests.integration.fake_server import FakeServer, Message
from tests.integration.home import COUNTER, POWER, MockConfigEntry, SetUp, async_fire_time_changed, flush_store, state

PRICES = {"stat_cost": None, "number_energy_price": None, "stat_compensation": None}
SETTINGS: dict[str, Any] = {
    "energy_sources": [
        {
            "type": "grid",
            "stat_energy_from": "sensor.import",
            "stat_energy_to": "sensor.export",
            "stat_rate": "sensor.grid_power_inverted",
            "power_config": {"stat_rate_inverted": "sensor.grid_power"},
            "entity_energy_price": "sensor.price",
            "entity_energy_price_export": "input_number.feed_in",
            "name": "Main",
            **PRICES,
        },
        {"type": "solar", "stat_energy_from": "sensor.roof", "stat_rate": "sensor.roof_power"},
        {"type": "solar", "stat_energy_from": "sensor.barn"},
        {
            "type": "battery",
            "stat_energy_from": "sensor.out",
            "stat_energy_to": "sensor.in",
            "stat_rate": "sensor.battery_power",
            "stat_soc": "sensor.soc",
        },
        {"type": "gas", "stat_energy_from": "sensor.gas", "stat_rate": "sensor.gas_flow"},
        {"type": "water", "stat_energy_from": "sensor.water"},
        {"type": "home", "stat_rate": "sensor.home_power"},
        {"type": "fusion", "stat_energy_from": "sensor.mr_fusion"},
        {"type": 5},
        "nonsense",
        {"type": "grid", "stat_energy_from": None, "stat_energy_to": 7, "stat_rate": ""},
    ],
    "device_consumption": [
        {"stat_consumption": "sensor.heating", "name": "Heating"},
        {"stat_consumption": "sensor.pump", "stat_rate": "sensor.pump_power", "included_in_stat": "sensor.heating"},
        None,
    ],
    "device_consumption_water": [{"stat_consumption": "sensor.shower", "included_in_stat": "sensor.water"}],
    "of_the_future": [{"x": 1}],
}


def test_the_energy_settings_give_roles() -> None:
    roles = {
        statistic_id: [(role.role, role.group, role.name, role.parent) for role in found]
        for statistic_id, found in roles_of(SETTINGS).items()
    }
    assert roles == {
        "sensor.import": [(Role.GRID_IMPORT, "grid:0", "Main", None)],
        "sensor.export": [(Role.GRID_EXPORT, "grid:0", "Main", None)],
        "sensor.grid_power_inverted": [(Role.GRID_POWER, "grid:0", "Main", None)],
        "sensor.price": [(Role.PRICE_IMPORT, "grid:0", "Main", None)],
        "input_number.feed_in": [(Role.PRICE_EXPORT, "grid:0", "Main", None)],
        "sensor.roof": [(Role.SOLAR, "solar:0", None, None)],
        "sensor.roof_power": [(Role.SOLAR_POWER, "solar:0", None, None)],
        "sensor.barn": [(Role.SOLAR, "solar:1", None, None)],
        "sensor.out": [(Role.BATTERY_DISCHARGE, "battery:0", None, None)],
        "sensor.in": [(Role.BATTERY_CHARGE, "battery:0", None, None)],
        "sensor.battery_power": [(Role.BATTERY_POWER, "battery:0", None, None)],
        "sensor.soc": [(Role.BATTERY_LEVEL, "battery:0", None, None)],
        "sensor.gas": [(Role.GAS, "gas:0", None, None)],
        "sensor.water": [(Role.WATER, "water:0", None, None)],
        "sensor.home_power": [(Role.HOME_POWER, "home:0", None, None)],
        "sensor.heating": [(Role.DEVICE, "device:0", "Heating", None)],
        "sensor.pump": [(Role.DEVICE, "device:1", None, "sensor.heating")],
        "sensor.pump_power": [(Role.DEVICE_POWER, "device:1", None, "sensor.heating")],
        "sensor.shower": [(Role.WATER_DEVICE, "water_device:0", None, "sensor.water")],
    }


@pytest.mark.parametrize(
    "settings",
    [None, {}, {"energy_sources": None}, {"energy_sources": 5, "device_consumption": "abc"}, {"energy_sources": [[]]}],
)
def test_settings_of_any_shape_are_no_error(settings: dict[str, Any] | None) -> None:
    assert roles_of(settings) == {}


@pytest.mark.parametrize(
    ("device_class", "unit", "state_class", "kind"),
    [
        ("energy", "kWh", "total_increasing", Kind.ENERGY),
        ("energy", "kWh", "total", Kind.ENERGY),
        ("energy", "kWh", None, None),  # a forecast
        ("energy_storage", "kWh", "measurement", None),
        ("power", "W", "measurement", Kind.POWER),
        ("power", "W", None, Kind.POWER),
        ("power_factor", "%", "measurement", None),
        ("gas", "m³", "total_increasing", Kind.GAS),
        ("water", "L", "total_increasing", Kind.WATER),
        ("temperature", "°C", "measurement", None),
        ("monetary", "EUR", "total", None),
        ("monetary", "EUR/kWh", None, Kind.PRICE),
        (None, "EUR/kWh", "measurement", Kind.PRICE),
        (None, "gCO2eq/kWh", "measurement", Kind.CARBON),
        (None, "km/kWh", "measurement", None),
        ("battery", "%", "measurement", None),  # of a door sensor
        (None, None, None, None),
    ],
)
def test_device_classes_and_units_decide(
    device_class: str | None, unit: str | None, state_class: str | None, kind: Kind | None
) -> None:
    assert kind_of(Candidate("sensor.x", device_class, unit, state_class), (), frozenset()) is kind
    assert kind_of(Candidate("number.x", device_class, unit, state_class), (), frozenset()) is None


def test_the_battery_of_a_device_that_measures_energy_is_one_of_the_home() -> None:
    battery = Candidate("sensor.soc", "battery", "%", "measurement", device_id="inverter")
    meter = Candidate("sensor.power", "power", "W", "measurement", device_id="inverter")
    door = Candidate("sensor.door", "battery", "%", "measurement", device_id="door")
    devices = energy_devices([battery, meter, door])
    assert kind_of(battery, (), devices) is Kind.BATTERY_LEVEL
    assert kind_of(door, (), devices) is None


def test_a_role_decides_before_the_device_class() -> None:
    roles = roles_of({"energy_sources": [{"type": "gas", "stat_energy_from": "sensor.gas"}]})["sensor.gas"]
    candidate = Candidate("sensor.gas", "energy", "MWh", "total_increasing")
    kind = kind_of(candidate, roles, frozenset())
    assert kind is Kind.GAS
    assert unit_of(kind, candidate, "EUR") == "kWh"
    assert unit_of(kind, Candidate("sensor.gas", None, None, None), "EUR") == "m³"
    assert unit_of(kind, Candidate("sensor.gas", None, "%", None), "EUR") is None


# ---- the catalog, in a real Home Assistant


@pytest.fixture
async def manager(hass: HomeAssistant) -> EnergyManager:
    return await async_get_manager(hass)


async def settle(hass: HomeAssistant) -> None:
    """Let the second pass that changes of the registries wait."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2), fire_all=True)
    await hass.async_block_till_done()


async def catalog(server: FakeServer, rev: int) -> dict[str, Message]:
    message = await server.message("catalog", lambda message: message["rev"] == rev)
    return {entity["entity_id"]: entity for entity in message["entities"]}


async def test_registries_name_entities(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    area = ar.async_get(hass).async_create("Utility room")
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", "1")}, name="P1 meter"
    )
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    registered = er.async_get(hass).async_get_or_create(
        "sensor",
        "test",
        "1",
        suggested_object_id="import",
        device_id=device.id,
        original_name="Import",
        original_device_class="energy",
        unit_of_measurement="Wh",
        capabilities={"state_class": "total_increasing"},
    )
    disabled = er.async_get(hass).async_get_or_create(
        "sensor",
        "test",
        "2",
        disabled_by=er.RegistryEntryDisabler.USER,
        original_device_class="power",
    )
    state(hass, "sensor.plain", "1", POWER | {"friendly_name": "Plain one"})
    state(hass, "sensor.other", "1", {"device_class": "humidity"})
    await set_up()
    entities = await catalog(server, 1)
    assert set(entities) == {"sensor.import", "sensor.plain"}
    assert disabled.entity_id not in entities
    entity = entities["sensor.import"]
    assert {key: entity[key] for key in entity if key != "since_us"} == {
        "key": registered.id,
        "entity_id": "sensor.import",
        "name": "Import",
        "area": "Utility room",
        "device": "P1 meter",
        "kind": "energy",
        "unit": "kWh",
        "state_class": "total_increasing",
        "source": "state",
        "roles": [],
    }
    assert entities["sensor.plain"]["key"] == "sensor.plain"
    assert entities["sensor.plain"]["name"] == "Plain one"


async def test_saving_the_energy_settings_sends_a_new_catalog(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, manager: EnergyManager
) -> None:
    assert manager.data is None
    for name in ("import", "export", "heating", "pump"):
        state(hass, f"sensor.{name}", "1", COUNTER)
    state(hass, "input_number.feed_in", "0.08", {})
    await set_up()
    assert all(entity["roles"] == [] for entity in (await catalog(server, 1)).values())
    await manager.async_update(SETTINGS | {"energy_sources": SETTINGS["energy_sources"][:1]})  # type: ignore[arg-type]
    await settle(hass)
    entities = await catalog(server, 2)
    assert entities["sensor.import"]["roles"] == [{"role": "grid_import", "group": "grid:0", "name": "Main"}]
    assert entities["sensor.pump"]["roles"] == [{"role": "device", "group": "device:1", "parent": "sensor.heating"}]
    assert entities["input_number.feed_in"]["unit"] == "EUR/kWh"
    assert entities["sensor.price"]["kind"] == "price"  # named by the settings, not there yet
    await server.row("input_number.feed_in", 0.08)


async def test_the_settings_are_listened_to_once_per_run(
    hass: HomeAssistant, set_up: SetUp, manager: EnergyManager
) -> None:
    entry = await set_up()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass.data[HEARS_SETTINGS]
    assert len(manager._update_listeners) == 1
    await manager.async_update({"energy_sources": []})  # type: ignore[typeddict-item]
    await hass.async_block_till_done()


async def test_an_entity_that_appears_is_selected_with_its_own_since(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    first = await catalog(server, 1)
    state(hass, "sensor.humidity", "1", {"device_class": "humidity"})
    state(hass, "sensor.new", "7", POWER)
    appeared = hass.states.get("sensor.new")
    assert appeared is not None
    await settle(hass)
    second = await catalog(server, 2)
    assert set(second) == {"sensor.power", "sensor.new"}
    assert second["sensor.power"]["since_us"] == first["sensor.power"]["since_us"]
    assert second["sensor.new"]["since_us"] > first["sensor.power"]["since_us"]
    row = await server.row("sensor.new", 7.0)
    assert row[1] == int(appeared.last_updated.timestamp() * 1_000_000 + 0.5)
    state(hass, "sensor.new", "8", POWER)
    await server.row("sensor.new", 8.0)


async def test_a_change_of_nothing_sends_nothing(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    ar.async_get(hass).async_create("Kitchen")
    await settle(hass)
    assert entry.runtime_data.keeper.catalog.rev == 1
    assert len(server.of("catalog")) == 1


async def test_a_renamed_entity_keeps_its_key_and_its_since(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    registered = er.async_get(hass).async_get_or_create("sensor", "test", "1", suggested_object_id="old")
    state(hass, "sensor.old", "1", POWER)
    await set_up()
    first = await catalog(server, 1)
    er.async_get(hass).async_update_entity("sensor.old", new_entity_id="sensor.new")
    hass.states.async_remove("sensor.old")
    state(hass, "sensor.new", "2", POWER)
    await server.row("sensor.new", 2.0)
    await settle(hass)
    last = {entity["entity_id"]: entity for entity in server.of("catalog")[-1]["entities"]}
    assert set(last) == {"sensor.new"}
    assert last["sensor.new"]["key"] == registered.id == first["sensor.old"]["key"]
    assert last["sensor.new"]["since_us"] == first["sensor.old"]["since_us"]


async def test_an_entity_that_gains_a_registry_entry_says_what_it_was(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    first = await catalog(server, 1)
    registered = er.async_get(hass).async_get_or_create("sensor", "test", "1", suggested_object_id="power_2")
    er.async_get(hass).async_remove(registered.entity_id)
    hass.states.async_remove("sensor.power")
    registered = er.async_get(hass).async_get_or_create(
        "sensor",
        "test",
        "9",
        suggested_object_id="power",
        original_device_class="power",
    )
    await settle(hass)
    second = await catalog(server, 2)
    assert second["sensor.power"]["key"] == registered.id
    assert second["sensor.power"]["was"] == "sensor.power"
    assert second["sensor.power"]["since_us"] == first["sensor.power"]["since_us"]


async def test_an_entity_that_goes_is_null_and_leaves_the_catalog(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    state(hass, "sensor.other", "1", POWER)
    await set_up()
    hass.states.async_remove("sensor.power")
    await server.row("sensor.power", None)
    ar.async_get(hass).async_create("Kitchen")
    await settle(hass)
    assert set(await catalog(server, 2)) == {"sensor.other"}


async def test_while_home_assistant_starts_late_entities_keep_their_since(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    state(hass, "sensor.power", "1", POWER)
    state(hass, "sensor.gone", "1", POWER)
    entry = await set_up()
    since_us = (await catalog(server, 1))["sensor.power"]["since_us"]
    await hass.config_entries.async_unload(entry.entry_id)
    assert f"energy_dashboard.{entry.entry_id}" in hass_storage
    server.messages.clear()
    hass.states.async_remove("sensor.power")
    hass.states.async_remove("sensor.gone")
    hass.set_state(CoreState.starting)
    await hass.config_entries.async_setup(entry.entry_id)
    assert set(await catalog(server, 1)) == {"sensor.power", "sensor.gone"}
    state(hass, "sensor.power", "5", POWER)
    await server.row("sensor.power", 5.0)
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await settle(hass)
    last = await catalog(server, 2)
    assert set(last) == {"sensor.power"}
    assert last["sensor.power"]["since_us"] == since_us


async def test_removing_the_entry_forgets_what_was_stored(
    hass: HomeAssistant, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up()
    await flush_store(entry.runtime_data.memory._store)
    assert f"energy_dashboard.{entry.entry_id}" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    assert f"energy_dashboard.{entry.entry_id}" not in hass_storage
