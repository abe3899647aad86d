"""Local periods in the zones that make trouble."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energy_server.energy.periods import Resolution, day_start, edges, period_of, to_datetime, zone_of
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US
from tests.server.energy.homes import at

ZONES = ("Europe/Amsterdam", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "UTC")
MIN_US = 60_000_000


def hours_of(first: str, days: int, zone_name: str) -> list[float]:
    """Return the lengths of local days, in hours."""
    zone = ZoneInfo(zone_name)
    start = date.fromisoformat(first)
    end_us = day_start(date.fromordinal(start.toordinal() + days), zone)
    lengths: list[float] = (np.diff(edges(day_start(start, zone), end_us, Resolution.DAY, zone)) / HOUR_US).tolist()
    return lengths


@pytest.mark.parametrize(
    ("zone", "first", "lengths"),
    [
        ("Europe/Amsterdam", "2026-03-28", [24, 23, 24]),
        ("Europe/Amsterdam", "2026-10-24", [24, 25, 24]),
        ("America/St_Johns", "2026-03-07", [24, 23, 24]),
        ("America/St_Johns", "2026-10-31", [24, 25, 24]),
        ("Asia/Kathmandu", "2026-03-28", [24, 24, 24]),
        ("Australia/Lord_Howe", "2026-04-04", [24, 24.5, 24]),
        ("Australia/Lord_Howe", "2026-10-03", [24, 23.5, 24]),
        ("Asia/Beirut", "2026-03-28", [24, 23, 24]),  # its midnight is skipped
        ("America/Havana", "2022-11-05", [24, 25, 24]),  # its midnight comes twice
    ],
)
def test_days_are_as_long_as_their_clocks_say(zone: str, first: str, lengths: list[float]) -> None:
    assert hours_of(first, 3, zone) == lengths


def test_a_day_in_kathmandu_begins_at_a_quarter_past_in_utc() -> None:
    assert at("2026-03-10", ZoneInfo("Asia/Kathmandu")) % HOUR_US == 15 * MIN_US


def test_a_day_of_25_hours_has_the_repeated_hour_twice() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    found = edges(at("2026-10-25"), at("2026-10-26"), Resolution.HOUR, zone)
    clocks = [to_datetime(int(edge), zone).strftime("%H") for edge in found[:-1]]
    assert clocks == ["00", "01", "02", "02", *(f"{hour:02}" for hour in range(3, 24))]


def test_an_hour_of_lord_howe_is_half_as_long_when_the_clocks_go_forward() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    found = edges(at("2026-10-04", zone), at("2026-10-05", zone), Resolution.HOUR, zone)
    assert (np.diff(found) / HOUR_US).tolist() == [1, 1, 0.5, *[1] * 21]


def test_an_hour_of_lord_howe_is_cut_where_the_clocks_go_back() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    found = edges(at("2026-04-05", zone), at("2026-04-06", zone), Resolution.HOUR, zone)
    assert (np.diff(found) / HOUR_US).tolist() == [1, 1, 0.5, *[1] * 22]


def test_weeks_begin_on_monday() -> None:
    found = edges(at("2026-03-01"), at("2026-04-01"), Resolution.WEEK, ZoneInfo("Europe/Amsterdam"))
    days = [to_datetime(int(edge), ZoneInfo("Europe/Amsterdam")).strftime("%a %d") for edge in found]
    assert days == ["Sun 01", "Mon 02", "Mon 09", "Mon 16", "Mon 23", "Mon 30", "Wed 01"]


def test_months_and_years() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    months = edges(at("2024-01-01"), at("2025-01-01"), Resolution.MONTH, zone)
    assert [to_datetime(int(edge), zone).strftime("%m-%d") for edge in months[:-1]] == [
        f"{month:02}-01" for month in range(1, 13)
    ]
    years = edges(at("2023-06-01"), at("2026-02-01"), Resolution.YEAR, zone)
    assert [to_datetime(int(edge), zone).year for edge in years[1:-1]] == [2024, 2025, 2026]


def test_total_is_one_interval() -> None:
    assert edges(7, 11, Resolution.TOTAL, ZoneInfo("UTC")).tolist() == [7, 11]


def test_the_period_of_an_instant() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    assert period_of(at("2026-03-29T12:00"), Resolution.DAY, zone) == (at("2026-03-29"), at("2026-03-30"))
    assert period_of(at("2026-03-29T12:00"), Resolution.WEEK, zone) == (at("2026-03-23"), at("2026-03-30"))
    assert period_of(at("2026-12-29"), Resolution.MONTH, zone) == (at("2026-12-01"), at("2027-01-01"))
    assert period_of(at("2024-02-29"), Resolution.YEAR, zone) == (at("2024-01-01"), at("2025-01-01"))


def test_an_unknown_zone_is_utc() -> None:
    assert zone_of("Europe/Amsterdam").key == "Europe/Amsterdam"
    assert zone_of("Mars/Olympus_Mons").key == "UTC"
    assert zone_of("../etc/passwd").key == "UTC"


@given(
    st.sampled_from(ZONES),
    st.sampled_from(Resolution),
    st.integers(0, 2_000_000).map(lambda n: 946_684_800_000_000 + n * FIVE_MINUTES_US),
    st.integers(1, 30_000).map(lambda n: n * FIVE_MINUTES_US),
)
@example("America/St_Johns", Resolution.HOUR, 946_684_800_000_000, 7_961_700_000_000)
def test_edges_ascend_from_start_to_end_on_the_grid_of_5_minutes(
    zone_name: str, resolution: Resolution, start_us: int, length_us: int
) -> None:
    zone = ZoneInfo(zone_name)
    found = edges(start_us, start_us + length_us, resolution, zone)
    assert (found[0], found[-1]) == (start_us, start_us + length_us)
    assert (np.diff(found) > 0).all()
    assert not (found % FIVE_MINUTES_US).any()
    if resolution in {Resolution.DAY, Resolution.WEEK, Resolution.MONTH, Resolution.YEAR}:
        hours = edges(start_us, start_us + length_us, Resolution.HOUR, zone)
        assert np.isin(found, hours).all()
