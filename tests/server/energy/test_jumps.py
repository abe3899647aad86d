"""Jumps: more than ten times the usual, flagged and never altered."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.energy.cells import Cells, Days, daily
from energy_server.energy.flows import FLOWS
from energy_server.energy.jumps import LEAST_DAYS, MOST_JUMPS, TIMES, USUAL_DAYS, Jump, jumps, suspects
from energy_server.energy.meters import Source
from energy_server.energy.periods import DAY_US
from energy_server.model.entity import Entity, Kind, StateClass
from energy_server.model.statistic import HOUR_US

KEY = "meter"
NOON = 12


def entity(kind: Kind, unit: str) -> Entity:
    return Entity("home", KEY, "sensor.meter", "Meter", None, None, kind, unit, StateClass.TOTAL_INCREASING, "state", 0)


UNBOUNDED = entity(Kind.CARBON, "g/kWh")
"""Nothing is known of what a home may take of it: its usual alone decides."""
BOUNDS = {
    entity(Kind.ENERGY, "kWh"): 30.0,
    entity(Kind.POWER, "W"): 30.0,
    entity(Kind.GAS, "m³"): 10.0,
    entity(Kind.GAS, "kWh"): 110.0,
    entity(Kind.WATER, "m³"): 5.0,
}


def cells(days: list[list[float]]) -> Cells:
    """Return hours of one meter, 24 a day."""
    change = np.array(days).reshape(1, -1)
    count = change.shape[1]
    return Cells(
        start_us=np.arange(count, dtype=np.int64) * HOUR_US,
        flows=np.zeros((len(FLOWS), count)),
        heard=np.zeros((len(Source), count), np.bool),
        change=change,
        known=np.full((1, count), 12, np.uint8),
        worst=np.zeros((1, count), np.uint8),
        greatest=np.empty((0, count)),
    )


def told_of(entities: Sequence[Entity], hours: Cells, start_us: int, end_us: int) -> list[Jump]:
    """Return the jumps, by the days that are suspected."""
    suspected = suspects(entities, Days.of([daily(hours)]), start_us)
    return jumps(entities, suspected, hours, start_us, end_us)


def day(greatest: float, at: int = NOON) -> list[float]:
    return [greatest if hour == at else greatest / 10 for hour in range(24)]


def found(days: list[list[float]], since: int = 0, meter: Entity = UNBOUNDED) -> list[Jump]:
    return told_of([meter], cells(days), since * DAY_US, len(days) * DAY_US)


@pytest.mark.parametrize(("meter", "bound"), BOUNDS.items(), ids=lambda it: getattr(it, "kind", it))
def test_what_a_home_may_well_take_in_an_hour_is_no_jump_however_quiet_it_was(meter: Entity, bound: float) -> None:
    quiet = [day(0.01)] * 20
    assert found([*quiet, day(bound)], meter=meter) == []
    (jump,) = found([*quiet, [0.0] * 23 + [bound + 1]], meter=meter)
    assert (jump.change, jump.usual) == (bound + 1, 0.01)
    assert len(found([*quiet, [0.0] * 23 + [-bound - 1]], meter=meter)) == 1


def test_a_car_that_is_charged_after_quiet_weeks_does_not_jump_and_one_beyond_any_connection_does() -> None:
    charger = entity(Kind.ENERGY, "kWh")
    assert found([*[day(0.05)] * 20, [0.0] * 18 + [11.0] * 6], meter=charger) == []
    assert len(found([*[day(0.05)] * 20, [0.0] * 18 + [11.0] * 5 + [25_000.0]], meter=charger)) == 1


def test_beyond_what_a_home_may_take_it_is_still_ten_times_the_usual() -> None:
    assert found([*[day(8.0)] * 10, day(80.0)], meter=entity(Kind.ENERGY, "kWh")) == []


def test_each_meter_has_its_own_bound() -> None:
    both = cells([*[day(0.1)] * 10, [0.0] * 23 + [20.0]])
    pair = replace(both, change=both.change.repeat(2, axis=0))
    car, water = entity(Kind.ENERGY, "kWh"), replace(entity(Kind.WATER, "m³"), key="water")
    assert [jump.key for jump in told_of([car, water], pair, 0, 11 * DAY_US)] == ["water"]


def test_a_meter_that_was_exchanged_jumps() -> None:
    assert found([*[day(1.0)] * 10, day(25_000.0)]) == [
        Jump(KEY, 10 * DAY_US + hour * HOUR_US, amount, 1.0)
        for hour, amount in reversed([*enumerate(day(25_000.0))])
        if amount > TIMES
    ]


def test_a_fall_jumps_too() -> None:
    (jump,) = found([*[day(1.0)] * 10, [0.0] * 23 + [-20.0]])
    assert (jump.start_us, jump.change) == (10 * DAY_US + 23 * HOUR_US, -20.0)


def test_ten_times_the_usual_is_no_jump() -> None:
    assert found([*[day(1.0)] * 10, day(10.0)]) == []


def test_without_days_to_compare_with_nothing_jumps() -> None:
    assert found([*[day(1.0)] * (LEAST_DAYS - 1), day(500.0)]) == []
    assert len(found([*[day(1.0)] * LEAST_DAYS, day(50.0)])) == 1


def test_what_runs_once_a_week_has_a_usual_of_its_own() -> None:
    week = [day(3.0), *[day(0.0)] * 6]
    assert found(week * 8) == []
    (jump,) = found([*week * 8, day(31.0)])
    assert jump.usual == 3.0


def test_one_jump_does_not_hide_the_next() -> None:
    assert len(found([*[day(1.0)] * 20, day(90.0), day(90.0)])) == 2


def test_only_the_span_is_told_of_and_the_days_before_are_compared_with() -> None:
    days = [*[day(1.0)] * 10, day(50.0), day(1.0), day(60.0)]
    assert [jump.change for jump in found(days, since=12)] == [60.0]


def test_the_usual_is_of_the_last_four_weeks() -> None:
    assert found([*[day(0.1)] * 60, *[day(5.0)] * (USUAL_DAYS // 2 + 1), day(6.0)], since=75) == []


def test_no_more_than_some_are_told_the_newest_first() -> None:
    days = [*[day(1.0)] * 30, *[[0.0] * 12 + [100.0] * 12] * 10]
    told = found(days)
    assert len(told) == MOST_JUMPS
    assert [jump.start_us for jump in told] == sorted((jump.start_us for jump in told), reverse=True)


def test_nothing_is_no_jump() -> None:
    assert told_of([UNBOUNDED], Cells.nothing(1), 0, DAY_US) == []
    assert told_of([], Cells.nothing(0), 0, DAY_US) == []


@given(st.lists(st.sampled_from((0.0, 0.3, 1.0, 2.0, 5.0, 40.0)), min_size=1, max_size=60), st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_the_rule_hour_by_hour(greatest: list[float], since: int) -> None:
    days = [day(amount) for amount in greatest]
    expected = []
    for at in range(min(since, len(days)), len(days)):
        before = [max(hours) for hours in days[max(0, at - USUAL_DAYS) : at] if max(hours) > 0]
        usual = float(np.median(before)) if len(before) >= LEAST_DAYS else float("inf")
        expected += [(at * 24 + hour) * HOUR_US for hour, amount in enumerate(days[at]) if amount > TIMES * usual]
    assert [jump.start_us for jump in found(days, since=since)] == sorted(expected, reverse=True)[:MOST_JUMPS]


@pytest.mark.parametrize("missing", [3, 40])
def test_days_that_are_not_known_are_no_usual_days(missing: int) -> None:
    whole = cells([*[day(1.0)] * 8, *[day(0.0)] * missing, day(50.0)])
    gap = (whole.start_us >= 8 * DAY_US) & (whole.start_us < (8 + missing) * DAY_US)
    told = told_of([UNBOUNDED], whole.pick(~gap), 0, 100 * DAY_US)
    assert len(told) == (1 if missing < USUAL_DAYS - LEAST_DAYS else 0)
