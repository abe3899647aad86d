"""The laws on random lives of an Entity: each example is checked by `histories.rollup` against the exact oracle."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.energy.periods import to_us
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind, StateClass
from energy_server.model.reading import Origin
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US
from tests.server.rollup.histories import MIN, POWER, RISING, TOTAL, History, Row, S, entity, hourly, rollup

# The night in which the clocks go forward in Europe; the midnight before it; an ordinary one in a half-hour zone.
STARTS = (
    (to_us(datetime(2026, 3, 28, 20, tzinfo=UTC)), ZoneInfo("Europe/Amsterdam")),
    (to_us(datetime(2026, 10, 24, 20, tzinfo=UTC)), ZoneInfo("Europe/Amsterdam")),
    (to_us(datetime(2026, 6, 1, 16, tzinfo=UTC)), ZoneInfo("Asia/Kathmandu")),
)
ENTITIES = (RISING, TOTAL, POWER, entity(Kind.TEMPERATURE, StateClass.MEASUREMENT))

steps = st.one_of(
    st.integers(1, 20 * S),
    st.integers(1 * S, 3 * HOUR_US),
    st.sampled_from((1, 5 * MIN, 10 * MIN, HOUR_US, HOUR_US + 1, 4 * HOUR_US)),
)
happenings = st.one_of(
    st.floats(0, 5, allow_subnormal=False).map(lambda more: ("grow", more)),
    st.just(("stand", 0.0)),
    st.just(("null", 0.0)),
    st.floats(0.85, 1.0).map(lambda share: ("dip", share)),
    st.floats(0, 3, allow_subnormal=False).map(lambda new: ("reset", new)),
    st.just(("negative", -2.0)),
    st.just(("forget", 0.0)),
)
origins = st.sampled_from((Origin.LIVE, Origin.LIVE, Origin.LIVE, Origin.RECORDER))


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, int, int]:
    """Draw a history of about a day, and the span to look at."""
    start_us, zone = draw(st.sampled_from(STARTS))
    of: Entity = draw(st.sampled_from(ENTITIES))
    history = History(of, zone)
    ts_us, value, reset_us = start_us + draw(st.sampled_from((0, 7 * S, -2 * HOUR_US))), 100.0, None
    for step_us, (what, amount), origin in draw(st.lists(st.tuples(steps, happenings, origins), max_size=25)):
        value, reset_us, shown = _next(what, amount, value, reset_us, ts_us, ts_us + step_us)
        ts_us += step_us
        history.rows.append(Row(ts_us, shown, reset_us if of is TOTAL and shown is not None else None, origin))
    borders = draw(st.lists(st.integers(-60, 24 * 60).map(lambda at: start_us + at * MIN), max_size=8, unique=True))
    if draw(st.booleans()):
        borders = [start_us - 2 * HOUR_US, start_us + 24 * HOUR_US]
    ordered = sorted(borders)
    history.spans += [Span(*pair) for pair in zip(ordered[::2], ordered[1::2], strict=False)]
    low = start_us + FIVE_MINUTES_US * draw(st.integers(-12, 100))
    return history, low, low + FIVE_MINUTES_US * draw(st.integers(1, 150))


def _next(
    what: str, amount: float, value: float, reset_us: int | None, since_us: int, ts_us: int
) -> tuple[float, int | None, float | None]:
    """Return the counter's value, its last reset, and what is shown of it."""
    if what == "reset":
        return amount, (since_us + ts_us) // 2, amount
    if what in ("null", "negative"):
        return value, reset_us, None if what == "null" else amount
    new = {"grow": value + amount, "dip": value * amount}.get(what, value)
    return new, None if what == "forget" else reset_us, new


@given(histories())
@settings(max_examples=250, deadline=None)
def test_the_rollup_of_any_history_is_exact_and_conserves_energy(drawn: tuple[History, int, int]) -> None:
    history, start_us, end_us = drawn
    rollup(history, start_us, end_us)


@given(histories())
@settings(max_examples=80, deadline=None)
def test_the_hours_of_any_history_are_exact(drawn: tuple[History, int, int]) -> None:
    """Also the mean of an hour of which the Entity was unavailable for a part of some minutes."""
    history, start_us, end_us = drawn
    hourly(history, start_us // HOUR_US * HOUR_US, -(-end_us // HOUR_US) * HOUR_US)


@given(st.lists(st.tuples(steps, st.floats(0, 3)), min_size=2, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_counter_that_only_grows_loses_nothing(growth: list[tuple[int, float]]) -> None:
    """Whatever Coverage and silence: all periods together are the last value less the first."""
    history = History(RISING)
    ts_us, value = STARTS[0][0], 100.0
    for step_us, more in growth:
        ts_us, value = ts_us + step_us, value + more
        history.rows.append(Row(ts_us, value))
    end_us = -(-ts_us // FIVE_MINUTES_US) * FIVE_MINUTES_US
    rolled = rollup(history, STARTS[0][0], end_us)
    assert abs(float(rolled.columns.change.sum()) - (value - history.rows[0].value)) < 1e-9 * value  # type: ignore[operator]
