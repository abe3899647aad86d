"""One rule: the state of an entity -> the value of a reading. The live path and the recorder's path both use it.

In:   a state's text and attributes, the instants of Home Assistant as floats.
Out:  a finite number in the Entity's canonical unit, None where the entity was unavailable; microseconds since 1970.
Fails with SkippedStateError: not_numeric, not_finite, too_long, unknown_unit. Nothing else leaves this module.

What is a number is decided by `float`, as Home Assistant's own statistics do.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from homeassistant.components.sensor import ATTR_LAST_RESET
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfVolume,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    EnergyConverter,
    PowerConverter,
    TemperatureConverter,
    VolumeConverter,
)

from .errors import SkippedStateError
from .model import Entity, Kind

type Convert = Callable[[float], float]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LONGEST_NUMBER: Final = 64
"""Characters; the shortest text of a double has at most 24."""

NULL_STATES: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN, ""})

CONVERTERS: Final[Mapping[str, type[BaseUnitConverter]]] = {
    UnitOfEnergy.KILO_WATT_HOUR: EnergyConverter,
    UnitOfPower.WATT: PowerConverter,
    UnitOfVolume.CUBIC_METERS: VolumeConverter,
    UnitOfTemperature.CELSIUS: TemperatureConverter,
}
"""Canonical unit -> Home Assistant's converter."""

UNITS_OF_KIND: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.ENERGY: (UnitOfEnergy.KILO_WATT_HOUR,),
    Kind.POWER: (UnitOfPower.WATT,),
    Kind.GAS: (UnitOfVolume.CUBIC_METERS, UnitOfEnergy.KILO_WATT_HOUR),
    Kind.WATER: (UnitOfVolume.CUBIC_METERS,),
    Kind.TEMPERATURE: (UnitOfTemperature.CELSIUS,),
    Kind.BATTERY_LEVEL: (PERCENTAGE,),
}

GRAM_PER_KWH: Final = "g/kWh"

_PRICE = re.compile(r"^(?P<money>[^\W\d_]{1,4}|[$€£¥₹¢])\s*/\s*(?P<per>\w+)$")
_CARBON = re.compile(r"^(?P<mass>[mk]?g)\s*(?:co[2₂]?)?\s*-?\s*(?:eq?|equiv)?\.?\s*/\s*(?P<per>\w+)$", re.IGNORECASE)
_GRAMS = {"mg": 0.001, "g": 1.0, "kg": 1000.0}
_SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR"}
_CENTS = frozenset({"¢", "c", "ct", "cts", "cent", "p", "øre", "öre", "ore"})
_CODE_LENGTH = 3


def instant_us(when: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    return (when - EPOCH) // MICROSECOND


def ts_us(timestamp: float) -> int:
    """Return an instant that Home Assistant has as a float: the same one as its datetime of that float.

    Rounding the float itself gives another microsecond for one in eight of them.
    """
    return instant_us(dt_util.utc_from_timestamp(timestamp))


def _is_code(money: str) -> bool:
    return len(money) == _CODE_LENGTH and money.isascii() and money.isupper()


def _price(unit: str, currency: str) -> tuple[str, float] | None:
    """Return `<currency>/kWh` and the factor for a price of energy, e.g. `ct/kWh`, `EUR/MWh`."""
    if (match := _PRICE.match(unit)) is None or match["per"] not in EnergyConverter.VALID_UNITS:
        return None
    money = match["money"]
    factor = 1.0
    if money.lower() in _CENTS:
        code, factor = currency, 0.01
    elif _is_code(money):
        code = money
    else:
        code = _SYMBOLS.get(money, currency)
    # a price per MWh is a thousandth of that per kWh: the inverse of the energy's own ratio
    return f"{code}/kWh", factor * EnergyConverter.convert(1.0, UnitOfEnergy.KILO_WATT_HOUR, match["per"])


def _carbon(unit: str) -> tuple[str, float] | None:
    """Return `g/kWh` and the factor for a carbon intensity, e.g. `gCO2eq/kWh`."""
    if (match := _CARBON.match(unit)) is None or match["per"] not in EnergyConverter.VALID_UNITS:
        return None
    per = EnergyConverter.convert(1.0, UnitOfEnergy.KILO_WATT_HOUR, match["per"])
    return GRAM_PER_KWH, _GRAMS[match["mass"].lower()] * per


def is_carbon(unit: str) -> bool:
    """Return whether a unit can only be that of a carbon intensity."""
    return "co" in unit.lower() and _carbon(unit) is not None


def is_price(unit: str) -> bool:
    """Return whether a unit can only be that of a price of energy: `km/kWh` is none."""
    if (match := _PRICE.match(unit)) is None or match["per"] not in EnergyConverter.VALID_UNITS:
        return False
    money = match["money"]
    return money in _CENTS or not money.isalpha() or _is_code(money)


def _scale(found: tuple[str, float] | None) -> tuple[str, Convert | None] | None:
    if found is None:
        return None
    unit, factor = found
    return (unit, None) if factor == 1.0 else (unit, lambda value: value * factor)


def canonical(kind: Kind, unit: str | None, currency: str) -> tuple[str, Convert | None] | None:
    """Return the canonical unit of a kind and how a value in `unit` becomes one; None where the unit does not fit.

    The conversion is None where there is nothing to do.
    """
    if kind is Kind.PRICE:  # as Home Assistant's own cost sensors: a price that does not say is one per kWh
        return _scale(_price(unit or "", currency) or (f"{currency}/kWh", 1.0))
    if unit is None:
        return None
    if kind is Kind.CARBON:
        return _scale(_carbon(unit))
    return _physical(kind, unit)


def _physical(kind: Kind, unit: str) -> tuple[str, Convert | None] | None:
    for target in UNITS_OF_KIND[kind]:
        if unit == target:
            return target, None
        if target in CONVERTERS and unit in CONVERTERS[target].VALID_UNITS:
            return target, CONVERTERS[target].converter_factory(unit, target)
    return None


def default_unit(kind: Kind, currency: str) -> str:
    """Return the canonical unit of an Entity whose own unit is not known yet."""
    if kind is Kind.PRICE:
        return f"{currency}/kWh"
    if kind is Kind.CARBON:
        return GRAM_PER_KWH
    return UNITS_OF_KIND[kind][0]


def _text_us(text: str) -> int | None:
    """Return the instant that a text names, None where it names none, as `0001-01-01T00:00:00` east of Greenwich."""
    try:
        when = dt_util.parse_datetime(text)
        return None if when is None else instant_us(dt_util.as_utc(when))
    except ValueError, OverflowError:
        return None


class Converter:
    """Turns the states of one Entity into values; remembers the unit, so that the usual state costs one comparison."""

    __slots__ = (
        "_convert",
        "_currency",
        "_kind",
        "_reset_text",
        "_reset_us",
        "_source_unit",
        "_unit",
    )

    def __init__(self, entity: Entity, currency: str) -> None:
        """Prepare for the unit that the Entity was selected with."""
        self._kind = entity.kind
        self._unit = entity.unit
        self._currency = currency
        self._source_unit: str | None = None
        self._convert: Convert | None = None
        self._reset_text: object = None
        self._reset_us: int | None = None
        found = canonical(entity.kind, entity.source_unit, currency)
        if found is not None and found[0] == entity.unit:
            self._source_unit, self._convert = entity.source_unit, found[1]

    def value(self, text: str, attributes: Mapping[str, Any]) -> float | None:
        """Return the value of a state in the canonical unit, None for a state that says nothing."""
        try:
            value = float(text)
        except ValueError as err:
            if text in NULL_STATES:
                return None
            raise SkippedStateError("The state is not a number", "not_numeric") from err
        if len(text) > LONGEST_NUMBER:
            raise SkippedStateError("The state is too long for a number", "too_long")
        # attributes over 16 kB are not stored: then the unit is the last one known
        unit = attributes.get(ATTR_UNIT_OF_MEASUREMENT, self._source_unit)
        if unit != self._source_unit or unit is None:
            self._adopt(unit if isinstance(unit, str) else None)
        if self._convert is not None:
            value = self._convert(value)
        if not isfinite(value):
            raise SkippedStateError("The state is not a finite number", "not_finite")
        return value

    def reset_us(self, attributes: Mapping[str, Any]) -> int | None:
        """Return the instant of a total's last reset."""
        text = attributes.get(ATTR_LAST_RESET)
        if text != self._reset_text:
            self._reset_text = text
            self._reset_us = _text_us(text) if isinstance(text, str) else None
        return self._reset_us

    def _adopt(self, unit: str | None) -> None:
        """Convert from this unit from now on."""
        found = canonical(self._kind, unit, self._currency)
        if found is None or found[0] != self._unit:
            raise SkippedStateError("The state's unit does not fit the entity", "unknown_unit")
        self._source_unit = unit
        self._convert = found[1]


def statistic_convert(entity: Entity, unit: str | None, currency: str) -> Convert | None:
    """Return how a statistic of this unit becomes canonical, None where there is nothing to do.

    Fails with SkippedStateError where the statistic's unit does not fit the Entity.
    """
    found = canonical(entity.kind, unit, currency)
    if found is None or found[0] != entity.unit:
        raise SkippedStateError("The statistic's unit does not fit the entity", "unknown_unit")
    return found[1]
