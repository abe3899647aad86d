"""Home Assistant's Energy settings for the simulated home, and the costs that it counts by them.

In:   nothing. Out: what `energy/save_prefs` takes. Nothing fails.
"""

from typing import Any

from .simulated_home.history import Money

PREFIX = "sensor.home_"
GAS_PRICE_PER_M3 = 1.31
WATER_PRICE_PER_M3 = 1.02
BATTERY_KWH = 9.0
DEVICES = (
    ("ev_charger", "EV charger", None),
    ("heat_pump", "Heat pump", None),
    ("washing_machine", "Washing machine", None),
    ("dishwasher", "Dishwasher", None),
    ("fridge", "Fridge", None),
    ("network", "Network and server", None),
    ("living_room", "Living room", None),
    ("television", "Television", "living_room"),
)


# Home Assistant counts these by itself, from the moment on at which the settings are saved.
MONEY = (
    Money(f"{PREFIX}grid_import_cost", "grid_import", "electricity_price"),
    Money(f"{PREFIX}grid_export_compensation", "grid_export", "electricity_export_price"),
    Money(f"{PREFIX}gas_cost", "gas", GAS_PRICE_PER_M3),
    Money(f"{PREFIX}water_cost", "water", WATER_PRICE_PER_M3),
)


def _device(key: str, name: str, parent: str | None) -> dict[str, str]:
    device = {"stat_consumption": f"{PREFIX}{key}_energy", "stat_rate": f"{PREFIX}{key}_power", "name": name}
    return {**device, "included_in_stat": f"{PREFIX}{parent}_energy"} if parent else device


def energy_settings() -> dict[str, Any]:
    """Return the settings: grid, solar, battery, gas, water, devices, one of them a part of another."""
    grid = {
        "type": "grid",
        "stat_energy_from": f"{PREFIX}grid_import",
        "stat_energy_to": f"{PREFIX}grid_export",
        "stat_cost": None,
        "entity_energy_price": f"{PREFIX}electricity_price",
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": f"{PREFIX}electricity_export_price",
        "number_energy_price_export": None,
        "stat_rate": f"{PREFIX}grid_power",
        "cost_adjustment_day": 0,
    }
    solar = {
        "type": "solar",
        "stat_energy_from": f"{PREFIX}solar_production",
        "stat_rate": f"{PREFIX}solar_power",
        "config_entry_solar_forecast": None,
    }
    battery = {
        "type": "battery",
        "stat_energy_from": f"{PREFIX}battery_discharged",
        "stat_energy_to": f"{PREFIX}battery_charged",
        "stat_rate": f"{PREFIX}battery_power",
        "stat_soc": f"{PREFIX}battery_level",
        "capacity": BATTERY_KWH,
    }
    prices = {"gas": GAS_PRICE_PER_M3, "water": WATER_PRICE_PER_M3}
    pipes = [
        {
            "type": kind,
            "stat_energy_from": f"{PREFIX}{kind}",
            "stat_cost": None,
            "entity_energy_price": None,
            "number_energy_price": price,
        }
        for kind, price in prices.items()
    ]
    return {
        "energy_sources": [grid, solar, battery, *pipes],
        "device_consumption": [_device(*device) for device in DEVICES],
        "device_consumption_water": [],
    }
