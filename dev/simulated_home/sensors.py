"""The sensors of the house: a table, and what each of them shows at a second.

In:   the House and an epoch second.
Out:  `SENSORS`; `shown(house, sensor, at_s)`: the number that the sensor shows, or None while its device is offline.
      Nothing fails.

A sensor is one of five: what a meter has counted (`Counter`), the same since the local midnight (`Today`) or since
the car was plugged in (`Session`), a power (`Power`), or anything else that is measured (`Gauge`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Literal

from . import battery, market
from .loads import DAY_S
from .model import SLOT_S, TEMPERATURE_S, Channel, House, day_number

OFFLINE_S = (2 * 3600, 3 * 3600)  # the fridge's plug loses its Wi-Fi each day in this part of the UTC day
CURRENCY = "EUR"


class Step(Enum):
    """The smallest step of a counter: raw units in one step, steps in one unit."""

    WATT_HOUR = (36_000, 1000)
    LITRE_OF_M3 = (1_000, 1000)
    LITRE = (1_000, 1)


class Measure(StrEnum):
    """What a gauge measures."""

    TEMPERATURE = "temperature"
    PRICE = "price"
    EXPORT_PRICE = "export_price"
    CARBON = "carbon"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class Counter:
    """What a meter has counted, in whole steps."""

    channel: Channel
    step: Step = Step.WATT_HOUR
    every_s: int = 10


@dataclass(frozen=True, slots=True)
class Today(Counter):
    """A counter that begins again at the local midnight, without saying so."""


@dataclass(frozen=True, slots=True)
class Session(Counter):
    """A counter that begins again when the car is plugged in, and says so by last_reset."""


@dataclass(frozen=True, slots=True)
class Power:
    """A power, signed where a second channel flows the other way."""

    plus: Channel
    minus: Channel | None = None
    kilo: bool = False

    @property
    def every_s(self) -> int:
        """Its slots."""
        return SLOT_S[self.plus]


@dataclass(frozen=True, slots=True)
class Gauge:
    """Anything else."""

    measure: Measure
    every_s: int
    decimals: int


type Source = Counter | Power | Gauge


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor: how Home Assistant shows it, and where its value comes from."""

    key: str
    device: str
    name: str
    unit: str
    device_class: str | None
    state_class: Literal["measurement", "total", "total_increasing"]
    source: Source
    goes_offline: bool = False

    @property
    def entity_id(self) -> str:
        """Its id in Home Assistant."""
        return f"sensor.home_{self.key}"

    @property
    def friendly_name(self) -> str:
        """Its name in Home Assistant."""
        return f"{self.device} {self.name}"


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the house."""

    area: str
    manufacturer: str
    model: str


DEVICES: Mapping[str, Device] = {
    "Grid": Device("Hallway", "Landis+Gyr", "E360 smart meter"),
    "Solar": Device("Roof", "Simulated", "Inverter 5 kW"),
    "Home battery": Device("Utility room", "Simulated", "Battery 10 kWh"),
    "House": Device("Hallway", "Simulated", "All circuits"),
    "EV charger": Device("Driveway", "Simulated", "Wallbox 7.4 kW"),
    "Heat pump": Device("Utility room", "Simulated", "Air to water 6 kW"),
    "Washing machine": Device("Utility room", "Simulated", "Smart plug"),
    "Dishwasher": Device("Kitchen", "Simulated", "Smart plug"),
    "Fridge": Device("Kitchen", "Simulated", "Smart plug"),
    "Network and server": Device("Office", "Simulated", "Smart plug"),
    "Living room": Device("Living room", "Simulated", "Circuit meter"),
    "Television": Device("Living room", "Simulated", "Smart plug"),
    "Gas": Device("Hallway", "Simulated", "Gas meter"),
    "Water": Device("Hallway", "Simulated", "Water meter"),
    "Outdoor": Device("Garden", "Simulated", "Weather station"),
    "Electricity": Device("Hallway", "Simulated", "Dynamic contract"),
}


def _energy(key: str, device: str, name: str, channel: Channel, *, goes_offline: bool = False) -> Sensor:
    return Sensor(key, device, name, "kWh", "energy", "total_increasing", Counter(channel), goes_offline)


def _power(key: str, device: str, name: str, source: Power, *, goes_offline: bool = False) -> Sensor:
    unit = "kW" if source.kilo else "W"
    return Sensor(key, device, name, unit, "power", "measurement", source, goes_offline)


def _gauge(key: str, device: str, name: str, unit: str, device_class: str | None, source: Gauge) -> Sensor:
    return Sensor(key, device, name, unit, device_class, "measurement", source)


def _device(key: str, device: str, channel: Channel, *, goes_offline: bool = False) -> tuple[Sensor, Sensor]:
    return (
        _energy(f"{key}_energy", device, "energy", channel, goes_offline=goes_offline),
        _power(f"{key}_power", device, "power", Power(channel), goes_offline=goes_offline),
    )


SENSORS: tuple[Sensor, ...] = (
    _energy("grid_import", "Grid", "import", Channel.GRID_IMPORT),
    _energy("grid_export", "Grid", "export", Channel.GRID_EXPORT),
    _power("grid_power", "Grid", "power", Power(Channel.GRID_IMPORT, Channel.GRID_EXPORT)),
    _energy("solar_production", "Solar", "production", Channel.SOLAR),
    _power("solar_power", "Solar", "power", Power(Channel.SOLAR)),
    Sensor("solar_today", "Solar", "production today", "kWh", "energy", "total_increasing", Today(Channel.SOLAR)),
    _energy("battery_discharged", "Home battery", "discharged", Channel.BATTERY_DISCHARGE),
    _energy("battery_charged", "Home battery", "charged", Channel.BATTERY_CHARGE),
    _power("battery_power", "Home battery", "power", Power(Channel.BATTERY_DISCHARGE, Channel.BATTERY_CHARGE)),
    _gauge(
        "battery_level", "Home battery", "state of charge", "%", "battery", Gauge(Measure.CHARGE, battery.SLOT_S, 1)
    ),
    _power("consumption_power", "House", "power", Power(Channel.HOME)),
    _energy("ev_charger_energy", "EV charger", "energy", Channel.EV_CHARGER),
    _power("ev_charger_power", "EV charger", "power", Power(Channel.EV_CHARGER, kilo=True)),
    Sensor("ev_charger_session", "EV charger", "session", "kWh", "energy", "total", Session(Channel.EV_CHARGER)),
    *_device("heat_pump", "Heat pump", Channel.HEAT_PUMP),
    *_device("washing_machine", "Washing machine", Channel.WASHING_MACHINE),
    *_device("dishwasher", "Dishwasher", Channel.DISHWASHER),
    *_device("fridge", "Fridge", Channel.FRIDGE, goes_offline=True),
    *_device("network", "Network and server", Channel.NETWORK),
    *_device("living_room", "Living room", Channel.LIVING_ROOM),
    *_device("television", "Television", Channel.TELEVISION),
    Sensor(
        "gas",
        "Gas",
        "consumption",
        "m³",
        "gas",
        "total_increasing",
        Counter(Channel.GAS, Step.LITRE_OF_M3, every_s=300),
    ),
    Sensor("water", "Water", "consumption", "L", "water", "total_increasing", Counter(Channel.WATER, Step.LITRE)),
    _gauge(
        "outdoor_temperature",
        "Outdoor",
        "temperature",
        "°C",
        "temperature",
        Gauge(Measure.TEMPERATURE, TEMPERATURE_S, 1),
    ),
    _gauge(
        "electricity_price", "Electricity", "price", f"{CURRENCY}/kWh", None, Gauge(Measure.PRICE, market.HOUR_S, 4)
    ),
    _gauge(
        "electricity_export_price",
        "Electricity",
        "export price",
        f"{CURRENCY}/kWh",
        None,
        Gauge(Measure.EXPORT_PRICE, market.HOUR_S, 4),
    ),
    _gauge(
        "carbon_intensity",
        "Electricity",
        "carbon intensity",
        "gCO2eq/kWh",
        None,
        Gauge(Measure.CARBON, market.QUARTER_S, 0),
    ),
)


def is_offline(sensor: Sensor, at_s: int) -> bool:
    """Say whether the sensor's device cannot be reached at this second."""
    return sensor.goes_offline and OFFLINE_S[0] <= at_s % DAY_S < OFFLINE_S[1]


def reset_s(house: House, sensor: Sensor, at_s: int) -> int | None:
    """Return the second at which a session began."""
    if not isinstance(sensor.source, Session):
        return None
    number = day_number(at_s)
    today = house.summary(number).plug_in_s
    return today if at_s >= today else house.summary(number - 1).plug_in_s


def shown(house: House, sensor: Sensor, at_s: int) -> float | None:
    """Return the number that the sensor shows at this second."""
    if is_offline(sensor, at_s):
        return None
    source = sensor.source
    at_s = at_s // source.every_s * source.every_s
    if isinstance(source, Counter):
        return steps(counted(house, source, at_s), source.step)
    if isinstance(source, Power):
        tenths = house.rate(source.plus, at_s) - (house.rate(source.minus, at_s) if source.minus else 0)
        return tenths / (10_000 if source.kilo else 10)
    return round(_measure(house, source, at_s), source.decimals)


def steps(raw: int, step: Step) -> float:
    """Return whole steps in the counter's unit."""
    raw_per_step, per_unit = step.value
    return raw // raw_per_step if per_unit == 1 else raw // raw_per_step / per_unit


def counted(house: House, source: Counter, at_s: int) -> int:
    """Return what the counter has counted, in raw units."""
    total = house.total(source.channel, at_s)
    number = day_number(at_s)
    if isinstance(source, Today):
        midnight_s = house.day(number).midnight_s
        day_start = house.before(number)[source.channel]  # at night the sun is down: nothing since midnight
        return total - day_start if at_s - house.day(number).start_s < midnight_s else 0
    if isinstance(source, Session):
        if at_s < house.summary(number).plug_in_s:
            number -= 1
        return total - house.before(number)[source.channel] - house.summary(number).ev_before_plug_in
    return total


def _measure(house: House, source: Gauge, at_s: int) -> float:
    day = house.day(day_number(at_s))
    place = (at_s - day.start_s) // source.every_s
    match source.measure:
        case Measure.TEMPERATURE:
            return float(day.temperature_c[place])
        case Measure.PRICE:
            return float(day.price[place])
        case Measure.EXPORT_PRICE:
            return float(day.price[place]) - market.EXPORT_FEE
        case Measure.CARBON:
            return float(day.carbon[place])
        case Measure.CHARGE:
            return float(day.stored_wh[place]) * 100.0 / battery.CAPACITY_WH
