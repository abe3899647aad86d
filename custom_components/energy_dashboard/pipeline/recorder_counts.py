"""How many readings the states of Home Assistant's recorder stand for, hour by hour, counted by the database.

In:   a session of the recorder, the id of an entity, a span of full hours.
Out:  counts by the start of the hour. A state that is no number is counted too: the database cannot tell.
"""

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

    A counter's state that was reported again stands for a second one, at its last report.
    """
    in_span = (
        States.metadata_id == id_,
        States.last_updated_ts >= span.since_us / 1e6,
        States.last_updated_ts < span.until_us / 1e6,
    )
    found = _by_hour(session, States.last_updated_ts, *in_span)
    if counter:
        confirmed = _by_hour(
            session,
            States.last_reported_ts,
            *in_span,
            States.last_reported_ts > States.last_updated_ts,
            States.last_reported_ts < span.until_us / 1e6,
            States.state.not_in(NULL_STATES),
        )
        for _, text, updated_s, reported_s, _ in states_before(session, [id_], span.since_us / 1e6):
            if reported_s is not None and reported_s > updated_s and text not in {None, *NULL_STATES}:
                instant_us = ts_us(reported_s)
                if span.since_us <= instant_us < span.until_us:
                    confirmed[instant_us - instant_us % HOUR_US] = (
                        confirmed.get(instant_us - instant_us % HOUR_US, 0) + 1
                    )
        for hour_us, number in confirmed.items():
            found[hour_us] = found.get(hour_us, 0) + number
    return found


def _by_hour(session: Session, instant: Any, *conditions: ColumnElement[bool]) -> dict[int, int]:
    hour = period(session, instant, HOUR_S)
    question = select(hour, func.count()).where(*conditions).group_by(hour)
    return {int(number) * HOUR_US: int(count) for number, count in session.execute(question)}
