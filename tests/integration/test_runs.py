"""When the recorder ran, by its own tables: also where the clock was wrong when Home Assistant began.

Instants are hours; states come every quarter of an hour. Off is what lies between runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from homeassistant.components.recorder.db_schema import Base, RecorderRuns, States, StatesMeta
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from custom_components.energy_dashboard.pipeline.convert import instant_us
from custom_components.energy_dashboard.pipeline.recorder_runs import runs

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EPOCH_H = (datetime(1970, 1, 1, tzinfo=UTC) - NOON) / timedelta(hours=1)
QUARTER_H = 0.25
TEN: Any = pytest.approx(10, abs=1e-6)

type Run = tuple[float, float | None, bool]


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def hours(us: int) -> float:
    return round((us - instant_us(NOON)) / 3.6e9, 6)


def known(
    session: Session,
    written: Sequence[Run],
    states: Sequence[tuple[float, float]],
    really: Mapping[float, float] | None = None,
    process: float = 99,
    back: float | None = None,
) -> tuple[list[tuple[float, float]], float | None]:
    """Write runs as (start, end, killed) and states of spans, both ends included, in their order; return what ran."""
    meta = StatesMeta(entity_id="sensor.meter")
    session.add(meta)
    session.flush()
    for start, end, killed in written:
        run = RecorderRuns(start=at(start), end=None if end is None else at(end), closed_incorrect=killed)
        run.created = run.start
        session.add(run)
        session.flush()
    for since, until in states:
        for quarter in range(round((until - since) / QUARTER_H) + 1):
            when = at(since + quarter * QUARTER_H)
            session.add(States(state="1", metadata_id=meta.metadata_id, last_updated_ts=when.timestamp()))
    session.flush()
    corrected = {instant_us(at(said)): instant_us(at(began)) for said, began in (really or {}).items()}
    found = runs(session, corrected, instant_us(at(process)), None if back is None else instant_us(at(back)))
    began = None if found.began_us is None else hours(found.began_us)
    return [(hours(span.since_us), hours(span.until_us)) for span in found.ended], began


def test_runs_in_order(session: Session) -> None:
    assert known(session, [(0, 10, False), (11, None, False)], [(0, 9.75), (11, 14)]) == ([(0, 10)], 11)


def test_one_that_was_killed_ended_with_its_last_state(session: Session) -> None:
    found, began = known(session, [(0, 11, True), (11, None, False)], [(0, 10), (11, 14)])
    assert (found, began) == ([(0, TEN)], 11)


@pytest.mark.parametrize("said", [EPOCH_H, -0.5, 9.0], ids=["1970", "before the last start", "before the last end"])
def test_a_clock_that_was_behind_at_the_start(session: Session, said: float) -> None:
    """It began with its first state after the run before; so does it when it is over."""
    assert known(session, [(0, 10, False), (said, None, False)], [(0, 9.75), (11, 14)]) == ([(0, 10)], 11)


def test_a_clock_that_was_behind_in_a_run_that_is_over(session: Session) -> None:
    written = [(0, 10, False), (EPOCH_H, 14, False), (15, None, False)]
    found = known(session, written, [(0, 9.75), (11, 13.75), (15, 16)])
    assert found == ([(0, 10), (11, 14)], 15)


def test_a_clock_that_was_ahead_at_the_start(session: Session) -> None:
    """What was called 13 o'clock was 11 o'clock."""
    assert known(session, [(0, 10, False), (13, None, False)], [(0, 9.75), (11, 14)]) == ([(0, 10)], 11)


def test_a_run_that_ended_before_its_own_start(session: Session) -> None:
    found = known(session, [(0, 10, False), (13, 12, False), (12.5, None, False)], [(0, 9.75), (11, 11.75), (12.5, 14)])
    assert found == ([(0, 10), (11, 12)], 12.5)


@pytest.mark.parametrize("said", [EPOCH_H, 8.0], ids=["1970", "a clock that was kept on disk"])
def test_a_power_cut_on_a_machine_without_a_clock(session: Session, said: float) -> None:
    """The recorder ends the killed run with the beginning of the next, by the same wrong clock; its process knows."""
    states = [(0, 10), (said, said), (11, 14)]
    found, began = known(session, [(0, said, True), (said, None, False)], states, {said: 10.9})
    assert (found, began) == ([(0, TEN)], 10.9)


def test_a_power_cut_of_which_the_first_states_are_purged(session: Session) -> None:
    """The next night they are, and the run that was killed, since both end in 1970."""
    found, began = known(session, [(EPOCH_H, None, False)], [(0, 10), (11, 14)], {EPOCH_H: 10.9})
    assert (found, began) == ([(0, TEN)], 10.9)


def test_a_power_cut_of_which_the_run_is_purged(session: Session) -> None:
    """It seems to have ended in 1970. Its states are not those of the run that began there, which may be over, too."""
    written = [(0, 5, False), (EPOCH_H, 14, False), (15, None, False)]
    found = known(session, written, [(0, 4.75), (6, 10), (11, 13.75), (15, 16)], {EPOCH_H: 10.9})
    assert found == ([(0, 5), (6, TEN), (10.9, 14)], 15)


def test_a_clock_that_was_behind_but_later_than_the_run_before(session: Session) -> None:
    """It was said to be 10.25 when it was 11.25, and set within minutes: nothing ran in between."""
    states = [(0, 9.75), (10.25, 10.25), (11.5, 14)]
    found, began = known(session, [(0, 10, False), (10.25, None, False)], states, {10.25: 11.25}, process=11.25)
    assert (found[0], began) == ((0, 10), 11.25)


def test_a_power_cut_after_which_no_state_is_as_new_as_the_clock_yet(session: Session) -> None:
    found, began = known(session, [(0, 8, True), (8, None, False)], [(0, 10), (8, 8)], {8: 10.9})
    assert (found, began) == ([(0, TEN)], 10.9)


def test_a_clock_that_is_set_forward_a_little_is_of_one_run(session: Session) -> None:
    """Or its machine slept."""
    states = [(0, 9.75), (11, 15), (15.5, 18)]
    found = known(session, [(0, 10, False), (11, None, False)], states, {11: 11.5}, process=11.5)
    assert found == ([(0, 10)], 11)


def test_a_clock_that_is_set_back_while_it_runs_moves_its_beginning(session: Session) -> None:
    """At 12 the clock was set to 9: since then the run counts the time of those before it again, as its own."""
    written = [(0, 5, False), (7, 9.5, False), (11, None, False)]
    found = known(session, written, [(0, 4.75), (7, 9.25), (11, 12), (9, 9.5)], process=8, back=9)
    assert found == ([(0, 5), (7, 9)], 9)


def test_a_recorder_that_is_replaced_while_home_assistant_runs_begins_then(session: Session) -> None:
    assert known(session, [(11, None, False)], [(11, 12)], process=8) == ([], 11)


def test_a_clock_that_was_set_back_before_it_began(session: Session) -> None:
    """At 12 it was set to 9, and Home Assistant was started again at 9.5: it runs, though no state is that new yet."""
    written = [(0, 5, False), (7, 9.25, False), (9.5, None, False)]
    found = known(session, written, [(0, 4.75), (7, 12), (9, 9.25)], process=9.5)
    assert found == ([(0, 5), (7, 9.25)], 9.5)


def test_a_clock_that_is_set_forward_while_it_runs_moves_no_beginning(session: Session) -> None:
    """At 12 the clock was set to 14: by its age the process seems to have begun at 13, after its own first states."""
    states = [(0, 10), (11, 12), (14, 15)]
    found, began = known(session, [(0, 11, True), (11, None, False)], states, {11: 13})
    assert (found, began) == ([(0, TEN)], 11)
