"""One rule turns states into values."""

import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from homeassistant.core import State
from homeassistant.util import dt as dt_util
from hypothesis import given
from hypothesis import strategies as st

from custom_components.energy_dashboard.pipeline.convert import (
    Converter,
    canonical,
    default_unit,
    instant_us,
    is_carbon,
    is_price,
    statistic_convert,
    ts_us,
)
from custom_components.energy_dashboard.pipeline.errors import SkippedStateError
from custom_components.energy_dashboard.pipeline.model import Entity, Kind

FACTORS = {
    ("energy", "Wh"): 0.001,
    ("energy", "kWh"): 1,
    ("energy", "MWh"): 1000,
    ("energy", "MJ"): 1 / 3.6,
    ("power", "W"): 1,
    ("power", "kW"): 1000,
    ("power", "mW"): 0.001,
    ("gas", "m³"): 1,
    ("gas", "ft³"): 0.3048**3,
    ("gas", "CCF"): 100 * 0.3048**3,
    ("gas", "MCF"): 1000 * 0.3048**3,
    ("gas", "L"): 0.001,
    ("gas", "gal"): 231 * 0.0254**3,
    ("gas", "kWh"): 1,
    ("gas", "MWh"): 1000,
    ("water", "L"): 0.001,
    ("water", "gal"): 231 * 0.0254**3,
    ("water", "ft³"): 0.3048**3,
    ("water", "CCF"): 100 * 0.3048**3,
    ("water", "m³"): 1,
    ("battery_level", "%"): 1,
    ("price", "EUR/kWh"): 1,
    ("price", "EUR/MWh"): 0.001,
    ("price", "EUR/Wh"): 1000,
    ("price", "ct/kWh"): 0.01,
    ("price", "€/kWh"): 1,
    ("price", "kr/kWh"): 1,
    ("price", "öre/kWh"): 0.01,
    ("price", None): 1,
    ("price", "EUR"): 1,
    ("carbon", "gCO2eq/kWh"): 1,
    ("carbon", "g CO₂ eq/kWh"): 1,
    ("carbon", "kgCO2/MWh"): 1,
    ("carbon", "g/kWh"): 1,
}


def converter(kind: str, unit: str | None = None, state_class: str = "measurement") -> Converter:
    found = canonical(Kind(kind), unit, "EUR")
    target = default_unit(Kind(kind), "EUR") if found is None else found[0]
    return Converter(Entity("k", "sensor.x", "x", Kind(kind), target, state_class=state_class, source_unit=unit), "EUR")


def value_or_reason(of: Converter, text: str, attributes: dict[str, object]) -> tuple[float | None, str]:
    try:
        return of.value(text, attributes), ""
    except SkippedStateError as err:
        return None, err.code


def reason(of: Converter, text: str, attributes: dict[str, object]) -> str:
    with pytest.raises(SkippedStateError) as caught:
        of.value(text, attributes)
    return caught.value.code


@pytest.mark.parametrize(("kind", "unit", "factor"), [(*key, factor) for key, factor in FACTORS.items()])
@given(value=st.floats(-1e12, 1e12))
def test_every_unit_becomes_canonical(kind: str, unit: str | None, factor: float, value: float) -> None:
    attributes = {} if unit is None else {"unit_of_measurement": unit}
    result = converter(kind, unit).value(repr(value), attributes)
    assert result == pytest.approx(value * factor, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "unit", "expected"),
    [("temperature", "°F", 0.0), ("temperature", "°C", 32.0), ("temperature", "K", -241.15)],
)
def test_temperatures_have_an_offset(kind: str, unit: str, expected: float) -> None:
    assert converter(kind, unit).value("32", {"unit_of_measurement": unit}) == pytest.approx(expected)


@given(st.text(max_size=255))
def test_any_text_gives_a_finite_number_null_or_a_reason(text: str) -> None:
    value, code = value_or_reason(converter("power", "kW"), text, {"unit_of_measurement": "kW"})
    assert code in {"", "not_numeric", "not_finite", "too_long"}
    assert value is None or math.isfinite(value)


@pytest.mark.parametrize("text", ["unavailable", "unknown", ""])
def test_what_says_nothing_is_null(text: str) -> None:
    assert converter("power", "W").value(text, {}) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("on", "not_numeric"),
        ("12,5", "not_numeric"),
        ("12 W", "not_numeric"),
        ("nan", "not_finite"),
        ("inf", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e999", "not_finite"),
        ("1e308", "not_finite"),
        ("1" * 65, "too_long"),
        ("0." + "3" * 200, "too_long"),
    ],
)
def test_what_is_no_number_has_a_reason(text: str, code: str) -> None:
    assert reason(converter("power", "kW"), text, {"unit_of_measurement": "kW"}) == code


def test_a_unit_that_changes_is_converted_and_one_that_does_not_fit_is_skipped() -> None:
    of = converter("energy", "kWh")
    assert of.value("1", {"unit_of_measurement": "kWh"}) == 1.0
    assert of.value("1500", {"unit_of_measurement": "Wh"}) == 1.5
    assert reason(of, "1", {"unit_of_measurement": "L"}) == "unknown_unit"
    assert reason(of, "1", {"unit_of_measurement": ["kWh"]}) == "unknown_unit"
    assert of.value("1500", {}) == 1.5  # attributes too long to be stored: the unit is the last one known
    assert of.value("2", {"unit_of_measurement": "kWh"}) == 2.0


def test_a_unit_that_was_never_known_is_skipped() -> None:
    assert reason(converter("energy"), "1", {}) == "unknown_unit"


def test_gas_in_another_dimension_is_not_mixed() -> None:
    assert reason(converter("gas", "m³"), "1", {"unit_of_measurement": "kWh"}) == "unknown_unit"


@given(st.floats(946_684_800, 4_000_000_000))
def test_a_float_and_its_datetime_are_the_same_instant(timestamp: float) -> None:
    when = dt_util.utc_from_timestamp(timestamp)
    assert ts_us(timestamp) == instant_us(when)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_us(timestamp)) == when


@given(st.integers(946_684_800_000_000, 4_000_000_000_000_000))
def test_live_and_recorded_states_have_the_same_instant(microseconds: int) -> None:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    live = State("sensor.x", "1", last_updated=when)
    (recorded,) = struct.unpack("<d", struct.pack("<d", live.last_updated_timestamp))
    assert instant_us(live.last_updated) == ts_us(recorded) == microseconds


def test_the_last_reset_of_a_total() -> None:
    of = converter("energy", "kWh", "total")
    assert of.reset_us({"last_reset": "2026-11-01T00:00:00+01:00"}) == 1_793_487_600_000_000
    assert of.reset_us({"last_reset": "2026-11-01T00:00:00+01:00"}) == 1_793_487_600_000_000
    assert of.reset_us({"last_reset": "2026-11-02T00:00:00+01:00"}) == 1_793_574_000_000_000
    assert of.reset_us({"last_reset": "never"}) is None
    assert of.reset_us({"last_reset": 5}) is None
    assert of.reset_us({}) is None


@pytest.mark.parametrize("unit", ["km/kWh", "%", "g/kWh", "EUR", "kWh", "EUR/m³", "/kWh", "mi/kWh", "L/kWh"])
def test_what_is_no_price(unit: str) -> None:
    assert not is_price(unit)


@pytest.mark.parametrize("unit", ["EUR/kWh", "USD/MWh", "€/kWh", "ct/kWh", "¢/kWh", "SEK / kWh"])
def test_what_is_a_price(unit: str) -> None:
    assert is_price(unit)


@pytest.mark.parametrize(
    ("unit", "carbon"), [("gCO2eq/kWh", True), ("kgCO2e/MWh", True), ("g/kWh", False), ("gCO2/km", False)]
)
def test_what_is_a_carbon_intensity(unit: str, *, carbon: bool) -> None:
    assert is_carbon(unit) is carbon


def test_the_currency_of_a_price() -> None:
    assert [found[0] for unit in ("USD/kWh", "£/kWh", "ct/kWh") if (found := canonical(Kind.PRICE, unit, "CHF"))] == [
        "USD/kWh",
        "GBP/kWh",
        "CHF/kWh",
    ]


@pytest.mark.parametrize(
    ("entity", "unit", "value"),
    [
        (Entity("k", "sensor.x", "x", Kind.ENERGY, "kWh"), "Wh", 0.025),
        (Entity("k", "sensor.x", "x", Kind.ENERGY, "kWh"), "kWh", 25),
        (Entity("k", "sensor.x", "x", Kind.PRICE, "EUR/kWh"), "ct/kWh", 0.25),
    ],
)
def test_statistics_are_converted(entity: Entity, unit: str, value: float) -> None:
    convert = statistic_convert(entity, unit, "EUR")
    assert (25 if convert is None else convert(25)) == value


def test_a_statistic_of_another_unit_is_none_of_the_entity() -> None:
    with pytest.raises(SkippedStateError):
        statistic_convert(Entity("k", "sensor.x", "x", Kind.ENERGY, "kWh"), "m³", "EUR")
