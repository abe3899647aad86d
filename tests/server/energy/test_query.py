"""The answer about a home's energy. `Home.ask` checks the laws: sources = uses, any partition gives the same."""

import tracemalloc
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.energy.layout import layout
from energy_server.energy.meters import meters
from energy_server.energy.periods import Resolution, edges, to_datetime
from energy_server.model.entity import Kind, Role, StateClass
from energy_server.model.statistic import HOUR_US, Provenance
from tests.server.energy.homes import AMSTERDAM, KATHMANDU, KOLKATA, LORD_HOWE, Home, at

DAY = "2026-03-10"
NEXT = "2026-03-11"
MEASURED, BACKFILLED, INTERPOLATED, STATISTICS, MISSING = Provenance


def hour(clock: str) -> str:
    return f"{DAY}T{clock}"


class TestFlows:
    def test_the_balance_is_struck_every_5_minutes_and_summed(self) -> None:
        """Bought in the first 5 minutes, sold in the next: as an hour it would look like neither."""
        home = Home().full()
        home.rolled("grid_import", hour("12:00"), 1.0, 0.0).rolled("grid_export", hour("12:00"), 0.0, 1.0)
        home.rolled("solar", hour("12:00"), 0.0, 1.5)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.flows.grid_to_home.tolist() == [pytest.approx(1.0)]
        assert found.flows.solar_to_grid.tolist() == [pytest.approx(1.0)]
        assert found.flows.home.tolist() == [pytest.approx(1.5)]

    def test_an_hour_that_is_known_as_a_whole_only_is_balanced_as_a_whole(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").meter(Role.GRID_EXPORT, "grid:0").meter(Role.SOLAR, "solar:0")
        home.imported_hours("grid_import", hour("12:00"), 1.0)
        home.imported_hours("grid_export", hour("12:00"), 1.0).rolled("solar", hour("12:00"), *[0.125] * 12)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.flows.home.tolist() == [pytest.approx(1.5)]
        assert found.flows.solar_to_grid.tolist() == [pytest.approx(1.0)]
        assert found.flows.grid_to_home.tolist() == [pytest.approx(1.0)]
        assert found.provenance.tolist() == [STATISTICS]

    def test_hours_and_5_minutes_stand_side_by_side(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").imported_hours("grid_import", hour("10:00"), 2.0, 3.0)
        home.rolled("grid_import", hour("12:00"), *[0.5] * 12)
        found = home.ask(hour("10:00"), hour("13:00"), Resolution.HOUR)
        assert found.flows.home.tolist() == [2.0, 3.0, 6.0]
        assert found.provenance.tolist() == [STATISTICS, STATISTICS, MEASURED]

    def test_a_span_of_all_time_costs_what_is_known(self) -> None:
        """The API takes 1970 to 2100 as one interval."""
        home = Home().meter(Role.GRID_IMPORT, "grid:0").imported_hours("grid_import", hour("10:00"), 2.0, 3.0)
        home.rolled("grid_import", hour("12:00"), *[0.5] * 12)
        tracemalloc.start()
        found = home._ask(np.array([0, 4_102_444_800_000_000]), at(NEXT))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.flows.home.tolist() == [11.0]
        assert most < 5_000_000

    def test_what_the_home_lacks_is_zero_and_what_is_not_known_is_null(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").meter(Role.SOLAR, "solar:0")
        home.rolled("grid_import", hour("12:00"), 1.0)
        found = home.ask(hour("12:00"), hour("12:10"), Resolution.FIVE_MINUTES)
        np.testing.assert_array_equal(found.flows.grid_import, [1.0, np.nan])
        np.testing.assert_array_equal(found.flows.battery_discharge, [0.0, 0.0])
        np.testing.assert_array_equal(found.flows.solar, [np.nan, np.nan])
        np.testing.assert_array_equal(found.flows.home, [1.0, np.nan])
        assert found.has.solar
        assert not found.has.battery
        assert not found.has.export

    def test_self_sufficiency_and_consumption(self) -> None:
        home = Home().full().rolled("grid_import", hour("12:00"), 1.0).rolled("solar", hour("12:00"), 4.0)
        home.rolled("grid_export", hour("12:00"), 1.0).rolled("battery_charge", hour("12:00"), 1.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.totals.home == pytest.approx(3.0)
        assert found.self_sufficiency == pytest.approx(2 / 3)
        assert found.self_consumption == pytest.approx(3 / 4)

    def test_without_use_there_is_no_share(self) -> None:
        found = Home().full().ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert np.isnan(found.self_sufficiency)
        assert np.isnan(found.self_consumption)

    def test_a_home_without_meters_has_an_answer(self) -> None:
        found = Home().ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert np.isnan(found.totals.home)
        assert found.provenance.tolist() == [MISSING]


class TestSignedAndGauges:
    def test_the_negative_part_of_a_two_way_total_is_export_every_5_minutes(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0", state_class=StateClass.TOTAL)
        home.rolled("grid_import", hour("12:00"), 1.0, -0.75, 0.5)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.totals.grid_import == pytest.approx(1.5)
        assert found.totals.grid_export == pytest.approx(0.75)
        assert found.has.export

    def test_with_an_export_counter_negative_energy_stays_negative(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0", state_class=StateClass.TOTAL).meter(Role.GRID_EXPORT, "grid:0")
        home.rolled("grid_import", hour("12:00"), 1.0, -0.25).rolled("grid_export", hour("12:00"), 0.0, 0.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert (found.totals.grid_import, found.totals.grid_export) == (0.75, 0.0)

    def test_a_gauge_counts_only_where_its_group_has_no_counter(self) -> None:
        home = Home().meter(Role.SOLAR, "solar:0").meter(Role.SOLAR_POWER, "solar:0", kind=Kind.POWER)
        home.meter(Role.SOLAR_POWER, "solar:1", key="roof", kind=Kind.POWER)
        home.rolled("solar", hour("12:00"), 1.0).rolled("solar_power", hour("12:00"), 9.0)
        home.rolled("roof", hour("12:00"), 0.5)
        assert home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR).totals.solar == pytest.approx(1.5)

    @pytest.mark.parametrize(
        ("role", "group", "into", "out"),
        [
            (Role.GRID_POWER, "grid:0", "grid_import", "grid_export"),
            (Role.BATTERY_POWER, "battery:0", "battery_discharge", "battery_charge"),
        ],
    )
    def test_a_signed_power_is_split_every_5_minutes(self, role: Role, group: str, into: str, out: str) -> None:
        home = Home().meter(role, group, kind=Kind.POWER).rolled(role.value, hour("12:00"), 1.0, -2.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert (getattr(found.totals, into), getattr(found.totals, out)) == (1.0, 2.0)

    def test_an_entity_of_two_roles_counts_once_in_each(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0", key="meter").meter(Role.DEVICE, "device:0", key="meter")
        home.meter(Role.GRID_IMPORT, "grid:0", key="meter").rolled("meter", hour("12:00"), 1.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.totals.grid_import == 1.0
        assert [device.total for device in found.devices] == [1.0]

    def test_what_left_the_catalog_counts_no_more(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").rolled("grid_import", hour("12:00"), 1.0)
        home.entities[0] = home.entities[0].__replace__(until_us=at(hour("13:00")))
        assert not home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR).has.grid


class TestDevices:
    def home(self) -> Home:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").rolled("grid_import", hour("12:00"), 5.0)
        home.meter(Role.DEVICE, "device:0", key="kitchen").rolled("kitchen", hour("12:00"), 2.0)
        home.meter(Role.DEVICE, "device:1", key="oven", parent="kitchen").rolled("oven", hour("12:00"), 1.5)
        return home

    def test_untracked_is_what_no_top_level_device_accounts_for(self) -> None:
        found = self.home().ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert [(device.name, device.total, device.parent) for device in found.devices] == [
            ("kitchen", 2.0, None),
            ("oven", 1.5, "kitchen"),
        ]
        assert found.untracked.tolist() == [3.0]
        assert found.untracked_total == 3.0

    def test_a_parent_that_is_not_shown_is_none(self) -> None:
        home = (
            self.home().meter(Role.DEVICE, "device:2", key="lamp", parent="cellar").rolled("lamp", hour("12:00"), 1.0)
        )
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.devices[2].parent is None
        assert found.untracked_total == 2.0

    def test_devices_that_use_more_than_the_home_leave_less_than_nothing(self) -> None:
        """Anything else would not be the sum of its parts."""
        home = self.home().meter(Role.DEVICE, "device:2", key="pump").rolled("pump", hour("12:00"), 9.0)
        home.rolled("grid_import", hour("13:00"), 8.0)
        found = home.ask(hour("12:00"), hour("14:00"), Resolution.HOUR)
        assert found.untracked.tolist() == [-6.0, 8.0]
        assert found.untracked_total == 2.0

    def test_what_devices_used_unheard_by_the_home_is_taken_off_too(self) -> None:
        home = self.home().rolled("kitchen", hour("13:00"), 1.0)
        found = home.ask(hour("11:00"), hour("14:00"), Resolution.HOUR)
        np.testing.assert_array_equal(found.flows.home, [np.nan, 5.0, np.nan])
        np.testing.assert_array_equal(found.untracked, [np.nan, 3.0, -1.0])
        assert found.untracked_total == 2.0

    def test_a_device_without_a_counter_is_known_by_its_power(self) -> None:
        home = self.home().meter(Role.DEVICE_POWER, "device:2", key="tv", kind=Kind.POWER)
        home.meter(Role.DEVICE_POWER, "device:0", key="kitchen_power", kind=Kind.POWER)
        home.rolled("tv", hour("12:00"), 0.25).rolled("kitchen_power", hour("12:00"), 7.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert [device.key for device in found.devices] == ["kitchen", "oven", "tv"]
        assert found.untracked_total == pytest.approx(2.75)

    def test_hours_are_enough_for_devices(self) -> None:
        home = self.home().meter(Role.DEVICE, "device:2", key="car").rolled_hours("car", hour("12:00"), 1.0)
        found = layout(edges(at(DAY), at(NEXT), Resolution.HOUR, AMSTERDAM))
        assert [cell_us for cell_us, units in found.items() if len(units)] == [HOUR_US]
        known = meters(home.entities)
        assert (known.balance_keys, known.other_keys) == (["grid_import"], ["kitchen", "oven", "car"])
        assert home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR).devices[2].values.tolist() == [1.0]


class TestFluids:
    def test_gas_and_water_are_summed_in_their_unit(self) -> None:
        home = Home().meter(Role.GAS, "gas:0", kind=Kind.GAS).meter(Role.GAS, "gas:1", key="gas2", kind=Kind.GAS)
        home.meter(Role.GAS, "gas:2", key="in_kwh", kind=Kind.GAS, unit="kWh").rolled("in_kwh", hour("12:00"), 9.0)
        home.meter(Role.WATER, "water:0", kind=Kind.WATER)
        home.rolled("gas", hour("12:00"), 0.25).rolled("gas2", hour("12:00"), 0.5)
        found = home.ask(hour("12:00"), hour("14:00"), Resolution.HOUR)
        assert found.gas is not None
        assert (found.gas.unit, found.gas.total) == ("m³", 0.75)
        np.testing.assert_array_equal(found.gas.values, [0.75, np.nan])
        assert found.water is not None
        assert np.isnan(found.water.total)

    def test_what_counts_in_another_unit_is_named(self) -> None:
        """The first in the settings decides, wherever it is in the catalog."""
        home = Home().meter(Role.GAS, "gas:10", key="third", kind=Kind.GAS, unit="kWh")
        home.meter(Role.GAS, "gas:2", key="second", kind=Kind.GAS).meter(Role.WATER, "water:0", kind=Kind.WATER)
        home.meter(Role.GAS, "gas:1", key="first", kind=Kind.GAS, unit="kWh")
        for key in ("first", "second", "third"):
            home.rolled(key, hour("12:00"), 1.0)
        found = home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR)
        assert found.gas is not None
        assert (found.gas.unit, found.gas.total) == ("kWh", 2.0)
        assert found.left_out == ["second"]


class TestPrecedence:
    def test_an_imported_hour_is_better_than_a_rollup_that_lacks_coverage(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").imported_hours("grid_import", hour("12:00"), 6.0)
        home.rolled("grid_import", hour("12:30"), *[0.25] * 6)
        assert home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR).totals.grid_import == 6.0

    def test_a_rollup_that_lacks_5_minutes_of_coverage_is_good_enough(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").imported_hours("grid_import", hour("12:00"), 6.0)
        home.rolled("grid_import", hour("12:05"), *[0.25] * 11)
        assert home.ask(hour("12:00"), hour("13:00"), Resolution.HOUR).totals.grid_import == 2.75

    def test_without_an_import_the_rollup_counts_whatever_it_lacks(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0").imported_hours("grid_import", hour("10:00"), 6.0)
        home.rolled("grid_import", hour("12:30"), 0.25, covered_s=1.0)
        assert home.ask(hour("10:00"), hour("13:00"), Resolution.HOUR).totals.grid_import == 6.25

    def test_the_same_choice_among_hours(self) -> None:
        home = Home().meter(Role.DEVICE, "device:0")
        home.rolled_hours("device", hour("11:00"), 1.0).rolled_hours("device", hour("12:00"), 2.0, covered_s=600.0)
        home.imported_hours("device", hour("10:00"), 10.0, 20.0, 30.0)
        found = home.ask(hour("10:00"), hour("13:00"), Resolution.HOUR)
        assert found.devices[0].values.tolist() == [10.0, 1.0, 30.0]

    def test_between_readings_statistics_give_the_shape_and_never_the_amount(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0")
        home.rolled("grid_import", hour("10:00"), *[0.5] * 24, provenance=INTERPOLATED, covered_s=0.0)
        home.imported_hours("grid_import", hour("10:00"), 1.0, 3.0)
        found = home.ask(hour("10:00"), hour("12:00"), Resolution.HOUR)
        assert found.flows.grid_import.tolist() == [3.0, 9.0]
        assert found.provenance.tolist() == [STATISTICS, STATISTICS]

    def test_a_shape_of_nothing_is_none(self) -> None:
        home = Home().meter(Role.GRID_IMPORT, "grid:0")
        home.rolled("grid_import", hour("10:00"), *[0.5] * 24, provenance=INTERPOLATED, covered_s=0.0)
        home.imported_hours("grid_import", hour("10:00"), 0.0, 0.0)
        found = home.ask(hour("10:00"), hour("12:00"), Resolution.HOUR)
        assert found.flows.grid_import.tolist() == [6.0, 6.0]
        assert found.provenance.tolist() == [INTERPOLATED, INTERPOLATED]

    def test_the_same_shape_among_hours(self) -> None:
        home = Home().meter(Role.DEVICE, "device:0")
        home.rolled_hours("device", hour("10:00"), 6.0, 6.0, covered_s=0.0, provenance=INTERPOLATED)
        home.imported_hours("device", hour("10:00"), 1.0, 3.0)
        found = home.ask(hour("10:00"), hour("12:00"), Resolution.HOUR)
        assert found.devices[0].values.tolist() == [3.0, 9.0]

    def test_imported_hours_are_split_pro_rata_where_days_begin_within_them(self) -> None:
        home = Home(KATHMANDU).meter(Role.GRID_IMPORT, "grid:0")
        home.imported_hours("grid_import", "2026-03-09T23:45", 4.0)  # 18:00 to 19:00 UTC, midnight is at 18:15
        found = home.ask("2026-03-09", "2026-03-11", Resolution.DAY)
        assert found.flows.grid_import.tolist() == [1.0, 3.0]


class TestProvenance:
    def test_an_interval_is_as_good_as_its_worst_part(self) -> None:
        home = Home(since_us=at(hour("12:00"))).meter(Role.GRID_IMPORT, "grid:0").meter(Role.SOLAR, "solar:0")
        home.rolled("grid_import", hour("12:00"), *[1.0] * 24).rolled("solar", hour("12:00"), *[1.0] * 5)
        home.rolled("solar", hour("12:25"), 1.0, provenance=INTERPOLATED)
        home.rolled("solar", hour("12:30"), *[1.0] * 18, provenance=BACKFILLED)
        found = home.ask(hour("12:00"), hour("14:00"), Resolution.HOUR)
        assert found.provenance.tolist() == [INTERPOLATED, BACKFILLED]

    def test_a_hole_is_missing(self) -> None:
        home = Home(since_us=at(hour("12:00"))).meter(Role.GRID_IMPORT, "grid:0")
        home.rolled("grid_import", hour("12:00"), *[1.0] * 12, *[float("nan")] * 3, *[1.0] * 9)
        found = home.ask(hour("12:00"), hour("14:00"), Resolution.HOUR)
        assert found.provenance.tolist() == [MEASURED, MISSING]

    def test_what_is_to_come_is_not_missing_today(self) -> None:
        home = Home(since_us=at(DAY)).meter(Role.GRID_IMPORT, "grid:0")
        home.rolled("grid_import", DAY, *[1.0] * 144)
        found = home.ask(DAY, NEXT, Resolution.DAY, now=hour("12:00"))
        assert found.provenance.tolist() == [MEASURED]
        later = home.ask(DAY, NEXT, Resolution.DAY, now=hour("12:05"))
        assert later.provenance.tolist() == [MISSING]

    def test_before_a_meter_was_known_it_is_not_missing(self) -> None:
        home = Home(since_us=at(hour("12:00"))).meter(Role.SOLAR, "solar:0")
        home.since_us = at(hour("11:00"))
        home.meter(Role.GRID_IMPORT, "grid:0").rolled("grid_import", hour("11:00"), *[1.0] * 24)
        home.rolled("solar", hour("12:00"), *[1.0] * 12)
        found = home.ask(hour("11:00"), hour("13:00"), Resolution.HOUR)
        assert found.provenance.tolist() == [MEASURED, MEASURED]

    def test_each_says_how_it_is_known_itself(self) -> None:
        """That the electricity is known does not make gas or a device known."""
        home = Home(since_us=at(hour("12:00"))).meter(Role.GRID_IMPORT, "grid:0").meter(Role.DEVICE, "device:0")
        home.meter(Role.GAS, "gas:0", kind=Kind.GAS).meter(Role.WATER, "water:0", kind=Kind.WATER)
        home.rolled("grid_import", hour("12:00"), *[1.0] * 24).rolled("water", hour("12:00"), *[1.0] * 24)
        home.rolled("gas", hour("13:00"), 1.0).rolled_hours("device", hour("12:00"), 1.0, provenance=BACKFILLED)
        found = home.ask(hour("11:00"), hour("14:00"), Resolution.HOUR)
        assert found.gas is not None
        assert found.water is not None
        assert found.provenance.tolist() == [MISSING, MEASURED, MEASURED]
        assert found.water.provenance.tolist() == [MISSING, MEASURED, MEASURED]
        assert found.gas.provenance.tolist() == [MISSING, MISSING, MEASURED]
        assert found.devices[0].provenance.tolist() == [MISSING, BACKFILLED, MISSING]
        assert found.untracked_provenance.tolist() == [MISSING, BACKFILLED, MISSING]

    def test_a_sum_of_two_meters_is_as_good_as_the_worse_one(self) -> None:
        home = Home(since_us=at(hour("12:00"))).meter(Role.GAS, "gas:0", kind=Kind.GAS)
        home.meter(Role.GAS, "gas:1", key="gas2", kind=Kind.GAS)
        home.rolled("gas", hour("12:00"), *[1.0] * 24).rolled("gas2", hour("12:00"), *[1.0] * 12)
        found = home.ask(hour("12:00"), hour("14:00"), Resolution.HOUR)
        assert found.gas is not None
        assert found.gas.values.tolist() == [24.0, 12.0]
        assert found.gas.provenance.tolist() == [MEASURED, MISSING]

    def test_a_device_that_came_later_was_not_missing_before(self) -> None:
        """Nothing is known of it then, and nothing of it is in the rest."""
        home = Home(since_us=at(hour("12:00"))).meter(Role.DEVICE, "device:0")
        home.since_us = at(hour("11:00"))
        home.meter(Role.GRID_IMPORT, "grid:0").rolled("grid_import", hour("11:00"), *[1.0] * 24)
        home.rolled_hours("device", hour("12:00"), 1.0)
        found = home.ask(hour("11:00"), hour("13:00"), Resolution.HOUR)
        assert found.devices[0].provenance.tolist() == [MISSING, MEASURED]
        assert found.untracked_provenance.tolist() == [MEASURED, MEASURED]


changes = st.lists(st.one_of(st.just(float("nan")), st.floats(0, 3, allow_subnormal=False)), min_size=1, max_size=40)


@given(
    st.dictionaries(
        st.sampled_from(("grid_import", "grid_export", "solar", "battery_discharge", "battery_charge", "device")),
        st.tuples(changes, st.integers(0, 30), changes, st.integers(0, 3)),
    ),
    st.sampled_from((AMSTERDAM, KATHMANDU, KOLKATA)),
)
@settings(max_examples=90, deadline=None)
def test_the_laws_hold_for_any_rows(rows: dict[str, tuple[list[float], int, list[float], int]], zone: ZoneInfo) -> None:
    home = Home(zone).full().meter(Role.DEVICE, "device:0")
    minute = {KATHMANDU: 45, KOLKATA: 30}.get(zone, 0)  # where UTC hours begin
    for key, (five, first, hours, first_hour) in rows.items():
        home.rolled(key, f"{DAY}T{20 + (first * 5 + minute) // 60}:{(first * 5 + minute) % 60:02}", *five)
        home.imported_hours(key, f"{DAY}T{20 + first_hour}:{minute:02}", *hours[:5])
    home.ask(f"{DAY}T12:00", "2026-03-12T12:00", Resolution.DAY)


@pytest.mark.parametrize("change", ["2026-04-05", "2026-10-04"])
def test_the_laws_hold_where_clocks_change_by_half_an_hour(change: str) -> None:
    """Midnights lie on UTC hours on one side of the change, and between them on the other."""
    home = Home(LORD_HOWE).full().meter(Role.DEVICE, "device:0")
    begin = to_datetime(at(change, LORD_HOWE) // HOUR_US * HOUR_US - 20 * HOUR_US, LORD_HOWE)
    amounts = np.random.default_rng(1).random(12 * 48)
    for key in ("grid_import", "solar", "device"):
        home.rolled(key, f"{begin:%Y-%m-%dT%H:%M}", *amounts[: 12 * 30])
        home.imported_hours(key, f"{begin:%Y-%m-%dT%H:%M}", *amounts[:48])
    first, last = (f"{begin + timedelta(days=days):%Y-%m-%d}" for days in (-1, 4))
    found = home.ask(first, last, Resolution.DAY)
    assert found.totals.solar > 0


signed = st.lists(st.one_of(st.just(float("nan")), st.floats(-3, 3, allow_subnormal=False)), min_size=1, max_size=40)


@given(signed, signed, st.lists(st.floats(0, 3), max_size=40), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_the_laws_hold_for_signed_meters_and_gauges(
    grid: list[float], battery: list[float], device: list[float], first_hour: int
) -> None:
    """A two-way total, a battery and a device that are known by their power only, imported hours of the first."""
    home = Home().meter(Role.GRID_IMPORT, "grid:0", state_class=StateClass.TOTAL)
    home.meter(Role.BATTERY_POWER, "battery:0", kind=Kind.POWER, state_class=StateClass.MEASUREMENT)
    home.meter(Role.DEVICE_POWER, "device:0", kind=Kind.POWER, state_class=StateClass.MEASUREMENT)
    rows = {"grid_import": grid, "battery_power": battery, "device_power": device}
    for key, changes in rows.items():
        home.rolled(key, hour("12:00"), *changes)
    found = home.ask(hour("12:00"), hour("18:00"), Resolution.FIVE_MINUTES)
    for key, into, out in (
        ("grid_import", found.totals.grid_import, found.totals.grid_export),
        ("battery_power", found.totals.battery_discharge, found.totals.battery_charge),
    ):
        known = [change for change in rows[key] if not np.isnan(change)]
        assert np.nan_to_num(into) == pytest.approx(sum(max(change, 0.0) for change in known), abs=1e-9)
        assert np.nan_to_num(out) == pytest.approx(sum(max(-change, 0.0) for change in known), abs=1e-9)
    assert set(found.integrated) == {"battery_power", "device_power"}
    assert [np.nan_to_num(one.total) for one in found.devices] == [pytest.approx(sum(device), abs=1e-9)]
    home.imported_hours("grid_import", hour(f"{12 + first_hour}:00"), 2.0, -1.0)
    home.ask(hour("12:00"), hour("18:00"), Resolution.HOUR)


@given(st.lists(st.floats(0, 9, allow_subnormal=False), min_size=2, max_size=6), st.floats(0, 50))
@settings(max_examples=60, deadline=None)
def test_between_readings_statistics_never_give_the_amount(shape: list[float], grown: float) -> None:
    """Whatever Home Assistant's hours say of a Gap: it is what the readings on both sides say, by their shape."""
    home = Home().meter(Role.GRID_IMPORT, "grid:0")
    part = grown / (12 * len(shape))
    home.rolled("grid_import", hour("08:00"), *[part] * 12 * len(shape), provenance=INTERPOLATED, covered_s=0.0)
    home.imported_hours("grid_import", hour("08:00"), *shape)
    found = home.ask(hour("08:00"), hour(f"{8 + len(shape):02}:00"), Resolution.HOUR)
    assert found.totals.grid_import == pytest.approx(grown, rel=1e-9, abs=1e-9)
    if sum(shape) > 0:
        wanted = [grown * one / sum(shape) for one in shape]
        np.testing.assert_allclose(found.flows.grid_import, wanted, rtol=1e-9, atol=1e-9)


@given(
    st.lists(st.floats(0, 9, allow_subnormal=False), min_size=1, max_size=30), st.sampled_from((AMSTERDAM, KATHMANDU))
)
@settings(max_examples=40, deadline=None)
def test_statistics_without_an_entity_are_what_they_say(amounts: list[float], zone: ZoneInfo) -> None:
    home = Home(zone).meter(Role.GRID_IMPORT, "grid:0", key="opower:use").meter(Role.DEVICE, "device:0", key="tibber:x")
    begin = "2026-03-09T15:45" if zone is KATHMANDU else "2026-03-09T15:00"
    home.imported_hours("opower:use", begin, *amounts).imported_hours("tibber:x", begin, *amounts)
    found = home.ask("2026-03-09", "2026-03-12", Resolution.DAY)
    assert found.totals.grid_import == pytest.approx(sum(amounts), abs=1e-9)
    assert found.devices[0].total == pytest.approx(sum(amounts), abs=1e-9)
    assert set(found.provenance.tolist()) <= {STATISTICS, MISSING}
