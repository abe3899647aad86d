"""How many readings the states of Home Assistant's recorder stand for, hour by hour, counted by the database.

In:   a session of the recorder, the id of an entity, a span of full hours.
Out:  counts by the start of the hour. A state that is no number is counted too: the database cannot tell.
"""

from collections.abc import Iterator
from typing import Any

from homeassistant.components.recorder.db_schema import States
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from .convert import NULL_STATES, ts_us
from .recorder_states import states_before
from .recorder_statistics import HOUR_S, HOUR_US, period
from .spans import Span


def counts(session: Session, id_: int, span: Span, *, counter: bool) -> dict[int, int]:
    """Return how many readings an entity has in each hour of a span; hours without any are absent.

    A counter's state that was reported again stands for a second one, at its last report: all but its newest state.
    """
    in_span = (
        States.metadata_id == id_,
        States.last_updated_ts >= span.since_us / 1e6,
        States.last_updated_ts < span.until_us / 1e6,
    )
    found = _by_hour(session, States.last_updated_ts, *in_span)
    newest_s = session.execute(select(func.max(States.last_updated_ts)).where(States.metadata_id == id_)).scalar()
    if counter and newest_s is not None:
        confirmed = _by_hour(
            session,
            States.last_reported_ts,
            *in_span,
            States.last_reported_ts > States.last_updated_ts,
            States.last_reported_ts < span.until_us / 1e6,
            States.last_updated_ts < newest_s,
            States.state.not_in(NULL_STATES),
        )
        for hour_us, number in [*confirmed.items(), *_confirmed_before(session, id_, span, newest_s)]:
            found[hour_us] = found.get(hour_us, 0) + number
    return found


def _confirmed_before(session: Session, id_: int, span: Span, newest_s: float) -> Iterator[tuple[int, int]]:
    """Yield the hour of the span in which the last state before it was reported once more."""
    for _, text, updated_s, reported_s, _ in states_before(session, [id_], span.since_us / 1e6):
        if reported_s is None or not updated_s < min(reported_s, newest_s) or not text or text in NULL_STATES:
            continue
        instant_us = ts_us(reported_s)
        if span.since_us <= instant_us < span.until_us:
            yield instant_us // HOUR_US * HOUR_US, 1


def _by_hour(session: Session, instant: Any, *conditions: ColumnElement[bool]) -> dict[int, int]:
    hour = period(session, instant, HOUR_S)
    question = select(hour, func.count()).where(*conditions).group_by(hour)
    return {int(number) * HOUR_US: int(count) for number, count in session.execute(question)}
