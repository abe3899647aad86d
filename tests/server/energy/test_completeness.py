"""The table of local days."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from energy_server.energy.completeness import DayCompleteness, EntityCoverage, completeness
from energy_server.energy.periods import Resolution, day_start, edges
from energy_server.model.coverage import CoverageSource, Span
from tests.server.energy.homes import AMSTERDAM, at

LIVE, STATES, HOUR, OFF = CoverageSource.LIVE, CoverageSource.STATES, CoverageSource.HOUR, CoverageSource.HA_OFF


def covered(
    *spans: tuple[str, str, CoverageSource], since: str = "2026-03-01", until: str | None = None
) -> EntityCoverage:
    return EntityCoverage(
        [(Span(at(low), at(high)), source) for low, high, source in spans],
        at(since),
        None if until is None else at(until),
    )


def table(
    *entities: EntityCoverage, since: str, until: str, now: str = "2027-01-01", zone: ZoneInfo = AMSTERDAM
) -> list[DayCompleteness]:
    """Return the days, after checking that the parts of each add up to what of it has passed."""
    low, high = (day_start(date.fromisoformat(day), zone) for day in (since, until))
    found = completeness(entities, edges(low, high, Resolution.DAY, zone), at(now))
    for day in found:
        passed = min(day.length_s, max(0.0, (at(now) - day.start_us) / 1e6))
        parts = (day.live_s, day.backfilled_s, day.statistics_s, day.missing_s)
        assert sum(parts) == pytest.approx(passed)
        assert all(part >= 0 for part in parts)
        assert 0 <= day.ha_off_s <= day.missing_s
    return found


def test_a_day_by_how_it_is_known() -> None:
    (day,) = table(
        covered(
            ("2026-03-10T00:00", "2026-03-10T06:00", HOUR),
            ("2026-03-10T06:00", "2026-03-10T08:00", STATES),
            ("2026-03-10T09:00", "2026-03-11T00:00", LIVE),
        ),
        since="2026-03-10",
        until="2026-03-11",
    )
    hour = 3600
    assert (day.statistics_s, day.backfilled_s, day.live_s, day.missing_s) == (6 * hour, 2 * hour, 15 * hour, hour)


def test_a_day_of_23_hours_can_be_complete() -> None:
    (day,) = table(covered(("2026-03-29", "2026-03-30", LIVE)), since="2026-03-29", until="2026-03-30")
    assert (day.length_s, day.live_s, day.missing_s) == (23 * 3600, 23 * 3600, 0)


def test_who_left_before_it_was_listened_to_was_not_there() -> None:
    (day,) = table(
        covered(("2026-03-10", "2026-03-11", STATES)),
        covered(since="2026-03-11", until="2026-03-10T01:00"),
        since="2026-03-10",
        until="2026-03-11",
    )
    assert (day.backfilled_s, day.missing_s) == (24 * 3600, 0)


def test_it_is_the_mean_over_the_entities() -> None:
    whole = covered(("2026-03-10", "2026-03-11", LIVE))
    half = covered(("2026-03-10T00:00", "2026-03-10T12:00", LIVE))
    (day,) = table(whole, half, since="2026-03-10", until="2026-03-11")
    assert (day.live_s, day.missing_s) == (18 * 3600, 6 * 3600)


def test_an_entity_counts_only_while_it_takes_part() -> None:
    whole = covered(("2026-03-10", "2026-03-12", LIVE))
    new = covered(("2026-03-11T00:00", "2026-03-11T12:00", LIVE), since="2026-03-11")
    old = covered(("2026-03-10T00:00", "2026-03-10T12:00", LIVE), until="2026-03-10T12:00")
    first, second = table(whole, new, old, since="2026-03-10", until="2026-03-12")
    assert (first.missing_s, second.missing_s) == (0, 6 * 3600)


def test_statistics_from_before_it_was_listened_to_count() -> None:
    one = covered(("2026-03-10", "2026-03-11", HOUR), since="2026-03-12")
    (day,) = table(one, since="2026-03-10", until="2026-03-11")
    assert (day.statistics_s, day.missing_s) == (24 * 3600, 0)


def test_the_future_is_neither_known_nor_missing() -> None:
    one = covered(("2026-03-10T00:00", "2026-03-10T10:00", LIVE))
    today, tomorrow = table(one, since="2026-03-10", until="2026-03-12", now="2026-03-10T12:00")
    assert (today.live_s, today.missing_s, today.length_s) == (10 * 3600, 2 * 3600, 24 * 3600)
    assert (tomorrow.live_s, tomorrow.missing_s) == (0, 0)


def test_without_data_it_is_missing_even_if_the_reason_is_known() -> None:
    one = covered(("2026-03-10", "2026-03-11", OFF))
    (day,) = table(one, since="2026-03-10", until="2026-03-11")
    assert (day.missing_s, day.ha_off_s) == (24 * 3600, 24 * 3600)


def test_how_long_home_assistant_was_off_is_told_of_what_is_missing() -> None:
    one = covered(
        ("2026-03-10T00:00", "2026-03-10T10:00", LIVE),
        ("2026-03-10T10:00", "2026-03-10T10:01", OFF),
        ("2026-03-10T10:03", "2026-03-11T00:00", LIVE),
    )
    (day,) = table(one, since="2026-03-10", until="2026-03-11")
    assert (day.missing_s, day.ha_off_s) == (180, 60)
    whole = covered(("2026-03-10", "2026-03-11", LIVE))
    (mean,) = table(one, whole, since="2026-03-10", until="2026-03-11")
    assert (mean.missing_s, mean.ha_off_s) == (90, 30)


def test_before_everything_and_without_entities_all_is_missing() -> None:
    (day,) = table(since="2026-03-10", until="2026-03-11")
    assert day.missing_s == 24 * 3600
    (before,) = table(covered(since="2026-03-12"), since="2026-03-10", until="2026-03-11")
    assert before.missing_s == 24 * 3600
