"""Factors from the units that Home Assistant's entities have to the canonical unit of an Entity.

In:   two units.
Out:  `(factor, offset)`, so that canonical = value * factor + offset; None for a unit that is not listed, whose values
      are then not compared.
Source of the factors: the SI, the international table calorie (4.184 J), the international foot and the US gallon,
as in Home Assistant's unit_conversion.
"""

from collections.abc import Mapping

_FOOT_M3 = 0.3048**3
_GALLON_M3 = 0.0254**3 * 231

_IN_UNIT: Mapping[str, Mapping[str, float]] = {
    "kWh": {
        "mWh": 1e-6,
        "Wh": 1e-3,
        "kWh": 1.0,
        "MWh": 1e3,
        "GWh": 1e6,
        "TWh": 1e9,
        "J": 1 / 3.6e6,
        "kJ": 1 / 3.6e3,
        "MJ": 1 / 3.6,
        "GJ": 1e3 / 3.6,
        "cal": 4.184 / 3.6e6,
        "kcal": 4.184 / 3.6e3,
        "Mcal": 4.184 / 3.6,
        "Gcal": 4.184e3 / 3.6,
    },
    "W": {"mW": 1e-3, "W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9, "TW": 1e12},
    "m³": {
        "mL": 1e-6,
        "L": 1e-3,
        "m³": 1.0,
        "ft³": _FOOT_M3,
        "CCF": 100 * _FOOT_M3,
        "MCF": 1000 * _FOOT_M3,
        "gal": _GALLON_M3,
        "fl. oz.": _GALLON_M3 / 128,
    },
    "%": {"%": 1.0},
    "°C": {"°C": 1.0, "K": 1.0, "°F": 5 / 9},
}
_OFFSETS = {"K": -273.15, "°F": -32 * 5 / 9}


def scale(unit: str, canonical: str) -> tuple[float, float] | None:
    """Return factor and offset."""
    if unit == canonical:
        return 1.0, 0.0
    factor = _IN_UNIT.get(canonical, {}).get(unit)
    return None if factor is None else (factor, _OFFSETS.get(unit, 0.0))
