"""How readings become energy: the rules, one by one. The laws are checked inside `History.rollup`."""

import numpy as np
import pytest

from energy_server.model.entity import Kind, StateClass
from energy_server.model.reading import Origin
from energy_server.model.statistic import Provenance
from energy_server.rollup.accumulate import hours
from tests.server.rollup.histories import POWER, RISING, TOTAL, History, entity, us

MEASURED, BACKFILLED = Provenance.MEASURED, Provenance.BACKFILLED
INTERPOLATED, MISSING = Provenance.INTERPOLATED, Provenance.MISSING


def counter() -> History:
    return History(RISING).covered("00:00", "23:00")


class TestCounter:
    def test_an_increase_is_spread_over_the_time_since_the_last_reading(self) -> None:
        rolled = counter().at("10:00", 5.0).at("10:10", 6.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:05") == pytest.approx(0.5)
        assert rolled.change("10:05", "10:10") == pytest.approx(0.5)
        assert rolled.change("10:10", "11:00") == 0
        assert rolled.provenance("10:00", "11:00") == {MEASURED}

    def test_an_increase_at_a_border_belongs_to_what_is_before_it(self) -> None:
        rolled = counter().at("09:59", 5.0).at("10:00", 6.0).rollup("09:00", "11:00")
        assert rolled.change("09:55", "10:00") == 1.0
        assert rolled.change("10:00", "11:00") == 0

    def test_before_the_first_reading_ever_there_is_no_energy_and_nothing_known(self) -> None:
        rolled = counter().at("10:02", 5000.0).at("10:04", 5001.0).rollup("09:00", "11:00")
        assert rolled.change("09:00", "11:00") == 1.0
        assert not rolled.known("09:55")
        assert rolled.provenance("09:00", "10:00") == {MISSING}

    def test_a_silent_counter_that_was_heard_grew_in_its_last_hour_only(self) -> None:
        rolled = counter().at("06:00", 5.0).at("10:00", 6.0).rollup("06:00", "11:00")
        assert rolled.change("06:00", "09:00") == 0
        assert rolled.change("09:00", "10:00") == pytest.approx(1.0)
        assert rolled.provenance("06:00", "11:00") == {MEASURED}

    def test_a_counter_that_is_silent_now_has_not_grown_so_far(self) -> None:
        rolled = counter().at("10:00", 5.0).rollup("10:00", "12:00")
        assert rolled.known("11:55")
        assert rolled.change("10:00", "12:00") == 0

    def test_what_grew_in_a_gap_is_spread_over_all_of_it_and_marked(self) -> None:
        history = History(RISING).covered("06:00", "07:00").covered("09:00", "12:00")
        rolled = history.at("06:30", 5.0).at("10:30", 9.0).rollup("06:00", "12:00")
        assert rolled.change("06:30", "07:30") == pytest.approx(1.0)
        assert rolled.change("08:00", "09:00") == pytest.approx(1.0)
        assert rolled.provenance("06:30", "10:30") == {INTERPOLATED}
        assert rolled.provenance("10:30", "12:00") == {MEASURED}
        assert rolled.value("covered_s", "08:00") == 0

    def test_a_gap_of_a_second_is_a_gap(self) -> None:
        history = History(RISING).covered("06:00", "08:00").covered("08:00:01", "12:00")
        rolled = history.at("06:00", 5.0).at("10:00", 9.0).rollup("06:00", "12:00")
        assert rolled.change("06:00", "07:00") == pytest.approx(1.0)

    def test_spans_of_coverage_that_touch_are_one(self) -> None:
        history = History(RISING).covered("06:00", "08:00").covered("08:00", "12:00")
        rolled = history.at("06:00", 5.0).at("10:00", 9.0).rollup("06:00", "12:00")
        assert rolled.change("09:00", "10:00") == pytest.approx(4.0)

    def test_the_state_in_force_when_listening_began_has_stood_since_its_own_time(self) -> None:
        history = History(RISING).covered("09:00", "12:00")
        rolled = history.at("03:00", 5.0).at("10:00", 6.0).rollup("03:00", "12:00")
        assert rolled.change("03:00", "09:00") == 0
        assert rolled.change("09:00", "10:00") == pytest.approx(1.0)
        assert INTERPOLATED not in rolled.provenance("09:00", "12:00")

    def test_what_grew_while_it_was_unavailable_is_spread_over_all_of_it_and_marked(self) -> None:
        history = counter().at("08:00", 5.0).unavailable("08:30").at("10:00", 9.0)
        rolled = history.rollup("08:00", "11:00")
        assert rolled.change("08:00", "08:30") == pytest.approx(1.0)
        assert rolled.provenance("08:00", "10:00") == {INTERPOLATED}

    def test_what_came_back_as_it_went_has_not_grown_whatever_hid_it(self) -> None:
        rolled = counter().at("08:00", 5.0).unavailable("08:30").at("10:00", 5.0).rollup("08:00", "11:00")
        assert rolled.provenance("08:00", "11:00") == {MEASURED}

    def test_while_it_is_unavailable_nothing_is_known(self) -> None:
        rolled = counter().at("08:00", 5.0).unavailable("08:30").rollup("08:00", "09:00")
        assert rolled.known("08:25")
        assert not rolled.known("08:30")
        assert rolled.provenance("08:30", "09:00") == {MISSING}
        assert rolled.value("covered_s", "08:30") == 300

    def test_readings_from_the_recorder_are_marked(self) -> None:
        history = counter().at("08:00", 5.0).at("08:20", 6.0, origin=Origin.RECORDER).at("08:40", 7.0)
        rolled = history.rollup("08:00", "09:00")
        assert rolled.provenance("08:00", "08:20") == {BACKFILLED}
        assert rolled.provenance("08:20", "09:00") == {MEASURED}

    def test_last_is_the_reading_at_the_end_of_the_period(self) -> None:
        rolled = counter().at("08:00", 5.0).at("08:05", 6.0).at("08:07", 7.0).rollup("08:00", "09:00")
        assert [rolled.value("last", clock) for clock in ("08:00", "08:05", "08:30")] == [6.0, 7.0, 7.0]

    def test_a_price_is_a_gauge_even_if_its_state_class_says_total(self) -> None:
        history = History(entity(Kind.PRICE, StateClass.TOTAL)).covered("08:00", "09:00")
        rolled = history.at("08:00", 0.25).rollup("08:00", "09:00")
        assert rolled.value("mean", "08:30") == 0.25
        assert not rolled.known("08:30")


class TestResets:
    def test_below_90_percent_it_was_reset_and_counts_from_zero(self) -> None:
        rolled = counter().at("10:00", 100.0).at("10:10", 4.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(4.0)

    def test_from_90_to_100_percent_it_is_negative_energy(self) -> None:
        rolled = counter().at("10:00", 100.0).at("10:10", 90.0).at("10:20", 95.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:10") == pytest.approx(-10.0)
        assert rolled.change("10:00", "11:00") == pytest.approx(-5.0)

    def test_negative_values_are_skipped(self) -> None:
        rolled = counter().at("10:00", 100.0).at("10:05", -1.0).at("10:10", 101.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(1.0)

    def test_it_is_reset_against_the_last_value_even_across_unavailability(self) -> None:
        rolled = counter().at("10:00", 100.0).unavailable("10:05").at("10:10", 3.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(3.0)
        assert rolled.provenance("10:00", "10:10") == {INTERPOLATED}

    def test_a_daily_counter_grew_from_local_midnight_on(self) -> None:
        history = History(RISING).covered("20:00", "23:59")
        rolled = history.at("22:50", 12.0).at("23:30", 0.3).rollup("22:00", "23:55")  # midnight is at 23:00 UTC
        assert rolled.change("22:50", "23:00") == 0
        assert rolled.change("23:00", "23:30") == pytest.approx(0.3)

    def test_without_a_midnight_inside_it_grew_from_the_last_reading_on(self) -> None:
        rolled = counter().at("10:00", 12.0).at("10:30", 3.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:15") == pytest.approx(1.5)

    def test_of_several_midnights_the_last_one_counts(self) -> None:
        history = History(RISING, rows=History().at("10:00", 9.0).rows, day="2026-03-12")
        rolled = history.at("03:00", 4.0).rollup("00:00", "04:00")
        assert rolled.change("00:00", "03:00") == pytest.approx(3.0)  # of 4 h since midnight, 23:00 UTC

    def test_a_total_is_reset_by_its_last_reset_only(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 100.0, reset="08:00").at("10:10", 4.0, reset="08:00").rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(-96.0)

    def test_a_total_grows_from_its_reset_on(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 100.0, reset="08:00").at("10:20", 4.0, reset="10:10").rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:10") == 0
        assert rolled.change("10:10", "10:20") == pytest.approx(4.0)

    def test_a_total_may_be_reset_to_a_higher_value(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 1.0, reset="08:00").at("10:20", 4.0, reset="10:10").rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(4.0)

    def test_a_last_reset_that_appears_is_a_reset_as_in_home_assistant(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 5.0).at("10:20", 6.0, reset="08:00").rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(6.0)
        assert rolled.change("10:00", "10:10") == pytest.approx(3.0)

    def test_a_last_reset_that_disappears_resets_nothing(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 5.0, reset="08:00").at("10:20", 6.0).rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(1.0)

    def test_a_total_may_run_backwards(self) -> None:
        history = History(TOTAL).covered("08:00", "12:00")
        rolled = history.at("10:00", 5.0).at("10:10", 4.0).at("10:20", 4.5).rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:10") == pytest.approx(-1.0)
        assert rolled.change("10:00", "11:00") == pytest.approx(-0.5)


class TestGauge:
    def test_a_value_holds_until_the_next_one(self) -> None:
        history = History(POWER).covered("10:00", "11:00").at("10:00", 1200.0).at("10:30", 0.0)
        rolled = history.rollup("10:00", "11:00")
        assert rolled.change("10:00", "10:05") == pytest.approx(0.1)
        assert rolled.change("10:00", "11:00") == pytest.approx(0.6)
        assert rolled.value("mean", "10:30") == 0

    def test_mean_is_weighted_by_time(self) -> None:
        history = History(POWER).covered("10:00", "11:00").at("10:00", 100.0).at("10:04", 600.0)
        rolled = history.rollup("10:00", "10:05")
        assert rolled.value("mean", "10:00") == pytest.approx(200.0)
        assert (rolled.value("minimum", "10:00"), rolled.value("maximum", "10:00")) == (100.0, 600.0)
        assert rolled.value("last", "10:00") == 600.0

    def test_unavailability_ends_it(self) -> None:
        history = History(POWER).covered("10:00", "11:00").at("10:00", 1000.0).unavailable("10:30")
        rolled = history.rollup("10:00", "11:00")
        assert rolled.change("10:00", "11:00") == pytest.approx(0.5)
        assert rolled.provenance("10:30", "11:00") == {MISSING}
        assert rolled.value("covered_s", "10:30") == 300

    def test_the_end_of_coverage_ends_it_and_the_next_coverage_does_not_bring_it_back(self) -> None:
        history = History(POWER).covered("10:00", "10:30").covered("11:00", "12:00").at("10:00", 1000.0)
        rolled = history.at("11:30", 2000.0).rollup("10:00", "12:00")
        assert rolled.change("10:00", "11:30") == pytest.approx(0.5)
        assert rolled.change("11:30", "12:00") == pytest.approx(1.0)
        assert not rolled.known("11:05")

    def test_a_value_from_before_coverage_is_in_force_when_it_begins(self) -> None:
        history = History(POWER).covered("10:00", "11:00").at("08:00", 1000.0)
        rolled = history.rollup("08:00", "11:00")
        assert rolled.change("08:00", "11:00") == pytest.approx(1.0)
        assert rolled.provenance("08:00", "10:00") == {MISSING}

    def test_between_near_readings_it_holds_over_a_hole_in_coverage_and_is_marked(self) -> None:
        history = History(POWER).covered("10:00", "10:30:10").covered("10:30:20", "11:00").at("10:30", 1200.0)
        rolled = history.at("10:31", 0.0).rollup("10:00", "11:00")
        assert rolled.change("10:30", "10:35") == pytest.approx(0.02)
        assert rolled.provenance("10:30", "10:35") == {INTERPOLATED}

    def test_only_power_has_energy(self) -> None:
        history = History(entity(Kind.TEMPERATURE, StateClass.MEASUREMENT)).covered("10:00", "11:00").at("10:00", 21.5)
        rolled = history.rollup("10:00", "11:00")
        assert rolled.value("mean", "10:30") == 21.5
        assert not rolled.known("10:30")


class TestHours:
    def test_an_hour_is_the_sum_of_its_parts(self) -> None:
        rolled = counter().at("08:10", 5.0).at("08:30", 7.0).at("09:20", 8.0).rollup("08:00", "10:00")
        hour = hours(rolled.columns)
        assert hour.start_us.tolist() == [us("08:00"), us("09:00")]
        assert hour.change == pytest.approx([2.6, 0.4])
        assert hour.last.tolist() == [7.0, 8.0]
        assert hour.covered_s.tolist() == [3600.0, 3600.0]

    def test_its_mean_weighs_the_parts_by_their_time(self) -> None:
        history = History(POWER).covered("10:00", "10:30").at("10:00", 100.0).at("10:20", 400.0)
        hour = hours(history.rollup("10:00", "11:00").columns)
        assert hour.mean.tolist() == [pytest.approx(200.0)]
        assert (hour.minimum.tolist(), hour.maximum.tolist(), hour.covered_s.tolist()) == ([100.0], [400.0], [1800.0])

    def test_its_mean_is_exact_where_a_part_was_unavailable_for_some_of_it(self) -> None:
        history = History(POWER).covered("10:00", "11:00").at("10:00", 100.0).at("10:59", 700.0)
        hour = history.unavailable("10:01").hours("10:00", "11:00")
        assert hour.mean.tolist() == [pytest.approx(400.0)]  # a minute of each
        assert hour.change.tolist() == [pytest.approx(800 / 60 / 1000)]

    def test_it_is_as_good_as_its_worst_part(self) -> None:
        history = counter().at("08:00", 5.0).unavailable("08:30").at("08:40", 6.0)
        assert hours(history.rollup("08:00", "09:00").columns).provenance.tolist() == [INTERPOLATED]

    def test_where_nothing_is_known_it_is_missing(self) -> None:
        hour = hours(counter().rollup("08:00", "09:00").columns)
        assert hour.provenance.tolist() == [MISSING]
        assert np.isnan(hour.change).all()
        assert np.isnan(hour.last).all()


def test_no_readings_and_no_coverage_give_no_rows() -> None:
    assert len(History(RISING).rollup("08:00", "09:00").columns) == 0
    assert len(History(POWER).rollup("08:00", "09:00").columns) == 0
    assert len(hours(History(POWER).rollup("08:00", "09:00").columns)) == 0
