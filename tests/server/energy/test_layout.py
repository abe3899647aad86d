"""Which cells add up to intervals: together they are the span, no edge divides one, and they are as long as can be."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.energy.layout import QUARTER_US, UNITS_US, layout
from energy_server.energy.periods import DAY_US, Resolution, edges
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US
from tests.server.energy.homes import at

# Whole hours, half hours, quarters, and clocks that change by half an hour.
ZONES = tuple(map(ZoneInfo, ("Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")))
PARTS = {DAY_US: 1, HOUR_US: 1, QUARTER_US: 4, FIVE_MINUTES_US: 12}


def starts(edges_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and the ends of all cells that have a part of the span, in the order of time."""
    found = [
        (units[:, np.newaxis] * UNITS_US[cell_us] + np.arange(PARTS[cell_us]) * cell_us, cell_us)
        for cell_us, units in layout(edges_us).items()
    ]
    start_us = np.concatenate([part.ravel() for part, _ in found])
    end_us = np.concatenate([part.ravel() + cell_us for part, cell_us in found])
    first_us, last_us = -(-edges_us[[0, -1]] // FIVE_MINUTES_US) * FIVE_MINUTES_US
    inside = (end_us > first_us) & (start_us < last_us)
    order = np.argsort(start_us[inside])
    return start_us[inside][order], end_us[inside][order]


@given(
    st.integers(0, 6 * 366 * 288),
    st.integers(1, 40 * 288),
    st.integers(0, FIVE_MINUTES_US - 1),
    st.sampled_from(ZONES),
    st.sampled_from(Resolution),
)
@settings(max_examples=200, deadline=None)
def test_cells_are_the_span_and_no_edge_divides_one(
    first: int, count: int, shift_us: int, zone: ZoneInfo, resolution: Resolution
) -> None:
    start_us = at("2022-01-01") + first * FIVE_MINUTES_US + shift_us
    edges_us = edges(start_us, start_us + count * FIVE_MINUTES_US, resolution, zone)
    since_us, until_us = starts(edges_us)
    rounded = -(-edges_us // FIVE_MINUTES_US) * FIVE_MINUTES_US
    assert (since_us[0], until_us[-1]) == (rounded[0], rounded[-1])
    np.testing.assert_array_equal(until_us[:-1], since_us[1:])
    assert np.isin(rounded, np.append(since_us, until_us[-1])).all()


@pytest.mark.parametrize(
    ("zone", "days", "hours", "quarters"),
    [("Europe/Berlin", 353, 11 * 24 + 1 + 23, 0), ("Asia/Kolkata", 353, 11 * 23 + 5 + 18, 13)],
)
def test_a_year_by_months_takes_days_and_few_hours_in_any_zone(zone: str, days: int, hours: int, quarters: int) -> None:
    """The hours of the days in which months begin, without those before the year and after it."""
    local = ZoneInfo(zone)
    found = layout(edges(at("2026-01-01", local), at("2027-01-01", local), Resolution.MONTH, local))
    assert (len(found[DAY_US]), len(found[HOUR_US]), len(found[QUARTER_US])) == (days, hours, quarters)
    assert len(found[FIVE_MINUTES_US]) == 0


def test_hours_of_a_half_hour_zone_are_quarters() -> None:
    zone = ZONES[1]
    found = layout(edges(at("2026-03-10", zone), at("2026-03-11", zone), Resolution.HOUR, zone))
    assert {cell_us: len(units) for cell_us, units in found.items() if len(units)} == {QUARTER_US: 25}
