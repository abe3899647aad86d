"""Who fed whom, against Home Assistant's rule step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_server.energy.balance import Measured, Shares, balance

amounts = st.one_of(st.just(0.0), st.floats(0, 10, allow_subnormal=False))


def split(solar: float, discharge: float, grid_import: float, charge: float, export: float) -> dict[str, float]:
    """Return the shares of one interval, after checking that sources equal uses."""
    measured = Measured(*(np.array([value]) for value in (solar, discharge, grid_import, charge, export)))
    shares = balance(measured)
    found = {name: float(getattr(shares, name)[0]) for name in Shares.__dataclass_fields__}
    assert abs(solar + discharge + grid_import - found["home"] - charge - export) < 1e-9
    return found


def as_home_assistant(
    solar: float, discharge: float, grid_import: float, charge: float, export: float
) -> dict[str, float]:
    """Follow `computeConsumptionSingle` of the frontend, one number at a time."""
    used_total = grid_import + solar + discharge - export - charge
    remaining = max(used_total, 0)
    grid_to_battery = max(0, min(charge, grid_import - remaining))
    charge -= grid_to_battery
    grid_import -= grid_to_battery
    solar_to_battery = min(solar, charge)
    charge -= solar_to_battery
    solar -= solar_to_battery
    solar_to_grid = min(solar, export)
    export -= solar_to_grid
    solar -= solar_to_grid
    battery_to_grid = min(discharge, export)
    discharge -= battery_to_grid
    second = min(grid_import, charge)
    grid_to_battery += second
    grid_import -= second
    used_solar = min(remaining, solar)
    remaining -= used_solar
    used_battery = min(discharge, remaining)
    remaining -= used_battery
    return {
        "home": used_total,
        "solar_to_home": used_solar,
        "solar_to_battery": solar_to_battery,
        "solar_to_grid": solar_to_grid,
        "battery_to_home": used_battery,
        "battery_to_grid": battery_to_grid,
        "grid_to_home": min(remaining, grid_import),
        "grid_to_battery": grid_to_battery,
    }


@given(amounts, amounts, amounts, amounts, amounts)
def test_it_is_home_assistants_rule(solar: float, discharge: float, bought: float, charge: float, sold: float) -> None:
    assert split(solar, discharge, bought, charge, sold) == pytest.approx(
        as_home_assistant(solar, discharge, bought, charge, sold), abs=1e-12
    )


@given(amounts, amounts, amounts, st.floats(0, 1), st.floats(0, 1))
def test_where_meters_agree_every_flow_has_a_source_and_a_use(
    solar: float, discharge: float, bought: float, charged: float, sold: float
) -> None:
    available = solar + discharge + bought
    charge, export = available * charged * 0.5, available * sold * 0.5
    found = split(solar, discharge, bought, charge, export)
    to_home = found["solar_to_home"] + found["battery_to_home"] + found["grid_to_home"]
    # What a battery discharges while it charges can only come back to itself: nothing of it is shown as a flow.
    assert to_home <= found["home"] + 1e-9
    assert found["solar_to_battery"] + found["grid_to_battery"] <= charge + 1e-9
    assert found["solar_to_grid"] + found["battery_to_grid"] <= export + 1e-9


def test_solar_charges_the_battery_before_it_is_sold() -> None:
    found = split(solar=5, discharge=0, grid_import=0, charge=2, export=1)
    assert (found["home"], found["solar_to_home"]) == (2, 2)
    assert (found["solar_to_battery"], found["solar_to_grid"]) == (2, 1)


def test_the_grid_charges_the_battery_with_what_the_home_does_not_use() -> None:
    found = split(solar=0, discharge=0, grid_import=5, charge=3, export=0)
    assert (found["grid_to_battery"], found["grid_to_home"], found["home"]) == (3, 2, 2)


def test_a_battery_may_feed_the_grid() -> None:
    found = split(solar=0, discharge=4, grid_import=0, charge=0, export=3)
    assert (found["battery_to_grid"], found["battery_to_home"]) == (3, 1)


def test_meters_that_disagree_make_home_negative_and_no_share() -> None:
    found = split(solar=0, discharge=0, grid_import=0, charge=0, export=1)
    assert found["home"] == -1
    assert sum(value for name, value in found.items() if name != "home") == 0


def test_negative_energy_of_a_meter_counts_in_home_and_in_no_share() -> None:
    found = split(solar=-0.1, discharge=0, grid_import=1, charge=0, export=0)
    assert found["home"] == pytest.approx(0.9)
    assert found["solar_to_home"] == 0
    assert found["grid_to_home"] == pytest.approx(0.9)
