"""The reference year is what it says: 200 Entities, 99.9 M nominal readings, 3 % missing, the same each time."""

import numpy as np
import pytest

from energy_server.energy.meters import meters
from tests.bench.reference_year.devices import with_devices
from tests.bench.reference_year.entities import Signal, signals
from tests.bench.reference_year.signals import DAY_US, course, instants, total, values

START_US = 1_770_000_000_000_000 // DAY_US * DAY_US
END_US = START_US + 2 * DAY_US
YEAR_S = 365 * 86_400
EACH_SHAPE = (0, 2, 5, 40, 100, 150, 170)


def signal(place: int) -> Signal:
    return signals(START_US)[place]


def test_the_counts_of_a_year() -> None:
    made = signals(START_US)
    assert [sum(one.interval_s == interval_s for one in made) for interval_s in (20, 60, 600)] == [40, 60, 100]
    assert sum(YEAR_S // one.interval_s for one in made) == 99_864_000
    assert len({one.entity.key for one in made}) == 200
    assert sum(bool(one.entity.roles) for one in made) == 12


def test_with_forty_devices_the_home_is_balanced_by_the_same_meters() -> None:
    made = signals(START_US)
    few, many = meters([one.entity for one in made]), meters(with_devices(made))
    assert (len(few.devices), len(many.devices), len(many.keys)) == (7, 40, 45)
    assert few.contributions == many.contributions


@pytest.mark.parametrize("place", EACH_SHAPE)
def test_instants_ascend_inside_the_span_and_three_percent_are_missing(place: int) -> None:
    ts_us = instants(signal(place), START_US, END_US)
    assert np.all(np.diff(ts_us) > 0)
    assert ts_us[0] >= START_US
    assert ts_us[-1] < END_US
    assert len(ts_us) / (2 * 86_400 / signal(place).interval_s) == pytest.approx(0.97, abs=0.03)


@pytest.mark.parametrize("place", EACH_SHAPE)
def test_a_span_is_the_same_each_time(place: int) -> None:
    drawn = course(signal(place), START_US)
    ts_us = instants(signal(place), START_US, END_US)
    again = values(course(signal(place), START_US), instants(signal(place), START_US, END_US))
    assert np.array_equal(values(drawn, ts_us), again)


def test_a_counter_never_falls_and_is_continuous_across_midnight() -> None:
    drawn = course(signal(2), START_US)
    assert np.all(np.diff(values(drawn, instants(signal(2), START_US, END_US))) >= 0)
    around = total(drawn, np.array([START_US + DAY_US - 1, START_US + DAY_US], dtype=np.int64))
    assert around[1] - around[0] == pytest.approx(0, abs=1e-6)
