"""Which entities are recorded, what they measure and what they are in the home.

In:   what is known of each entity (device class, unit, state class), and Home Assistant's Energy settings.
Out:  roles by statistic id; the kind and canonical unit of an entity, or None: it is not recorded.
Settings of a type or shape that is not known here are passed over, never an error: every release adds some.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.components.sensor import SensorDeviceClass

from .convert import canonical, default_unit, is_carbon, is_price
from .model import COUNTERS, KIND_OF_ROLE, Kind, Role, RoleAssignment

type Roles = dict[str, list[RoleAssignment]]
"""Roles by statistic id; `parent` is a statistic id here, the catalog makes it a key."""

SOURCE_ROLES: Final[Mapping[str, Mapping[str, Role]]] = {
    "grid": {
        "stat_energy_from": Role.GRID_IMPORT,
        "stat_energy_to": Role.GRID_EXPORT,
        "stat_rate": Role.GRID_POWER,
        "entity_energy_price": Role.PRICE_IMPORT,
        "entity_energy_price_export": Role.PRICE_EXPORT,
    },
    "solar": {"stat_energy_from": Role.SOLAR, "stat_rate": Role.SOLAR_POWER},
    "battery": {
        "stat_energy_from": Role.BATTERY_DISCHARGE,
        "stat_energy_to": Role.BATTERY_CHARGE,
        "stat_rate": Role.BATTERY_POWER,
        "stat_soc": Role.BATTERY_LEVEL,
    },
    "home": {"stat_rate": Role.HOME_POWER},
    "gas": {"stat_energy_from": Role.GAS},
    "water": {"stat_energy_from": Role.WATER},
}
"""Type of an energy source -> its fields -> roles. Where there is a `power_config`, Home Assistant made
its `stat_rate`; the sensors named inside `power_config` have no role, or their energy would count twice."""

DEVICE_ROLES: Final[Mapping[str, tuple[str, Mapping[str, Role]]]] = {
    "device_consumption": ("device", {"stat_consumption": Role.DEVICE, "stat_rate": Role.DEVICE_POWER}),
    "device_consumption_water": ("water_device", {"stat_consumption": Role.WATER_DEVICE}),
}
"""List of the Energy settings -> name of its groups, fields -> roles."""

CARBON_PLATFORM: Final = "co2signal"

COUNTED: Final[Mapping[str, Kind]] = {
    SensorDeviceClass.ENERGY: Kind.ENERGY,
    SensorDeviceClass.GAS: Kind.GAS,
    SensorDeviceClass.WATER: Kind.WATER,
}
"""Device classes that are recorded when they count; a forecast or an amount left is not a meter."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of an entity before it is decided whether it is recorded."""

    entity_id: str
    device_class: str | None
    unit: str | None
    state_class: str | None
    platform: str | None = None
    device_id: str | None = None


def roles_of(settings: Mapping[str, Any] | None) -> Roles:
    """Return the roles that the Energy settings give, by statistic id."""
    roles: Roles = {}
    if not settings:
        return roles
    groups: Counter[str] = Counter()
    for source in _dicts(settings.get("energy_sources")):
        kind = source.get("type")
        if not isinstance(kind, str) or kind not in SOURCE_ROLES:
            continue
        group = f"{kind}:{groups[kind]}"
        groups[kind] += 1
        _assign(roles, source, SOURCE_ROLES[kind], group, parent=None)
    for name, (prefix, fields) in DEVICE_ROLES.items():
        for number, device in enumerate(_dicts(settings.get(name))):
            _assign(roles, device, fields, f"{prefix}:{number}", parent=_text(device.get("included_in_stat")))
    return roles


def _assign(
    roles: Roles, settings: Mapping[str, Any], fields: Mapping[str, Role], group: str, parent: str | None
) -> None:
    name = _text(settings.get("name"))
    for field, role in fields.items():
        if (statistic_id := _text(settings.get(field))) is not None:
            roles.setdefault(statistic_id, []).append(RoleAssignment(role, group, name, parent))


def _dicts(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Sequence):
        yield from (item for item in value if isinstance(item, Mapping))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def energy_devices(candidates: Sequence[Candidate]) -> frozenset[str]:
    """Return the devices that measure energy or power: their battery is one of the home, not of a door sensor."""
    classes = (SensorDeviceClass.ENERGY, SensorDeviceClass.POWER)
    return frozenset(
        candidate.device_id
        for candidate in candidates
        if candidate.device_id is not None and candidate.device_class in classes
    )


def kind_of(candidate: Candidate, roles: Sequence[RoleAssignment], energy_device_ids: frozenset[str]) -> Kind | None:
    """Return what an entity measures, None if it is not recorded. A role in the Energy settings decides first."""
    if roles:
        return KIND_OF_ROLE[roles[0].role]
    if not candidate.entity_id.startswith(f"{SENSOR_DOMAIN}."):
        return None
    if (kind := COUNTED.get(candidate.device_class or "")) is not None:
        return kind if candidate.state_class in COUNTERS else None
    if candidate.device_class == SensorDeviceClass.POWER:
        return Kind.POWER
    if candidate.device_class == SensorDeviceClass.BATTERY:
        return Kind.BATTERY_LEVEL if candidate.device_id in energy_device_ids else None
    return _kind_by_unit(candidate)


def _kind_by_unit(candidate: Candidate) -> Kind | None:
    if candidate.unit is None or candidate.state_class in COUNTERS:
        return None
    if is_carbon(candidate.unit):
        return Kind.CARBON
    return Kind.PRICE if is_price(candidate.unit) else None


def unit_of(kind: Kind, candidate: Candidate, currency: str) -> str | None:
    """Return the canonical unit, None if the entity's own unit does not fit its kind; one not known yet may fit."""
    if candidate.unit is None:
        return default_unit(kind, currency)
    found = canonical(kind, candidate.unit, currency)
    return None if found is None else found[0]
