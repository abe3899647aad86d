"""When Home Assistant's recorder ran: from these spans its states may be claimed, between them it was off.

In:   a session of the recorder.
Out:  the spans of its runs, the present one open.

A run that was killed gets its end at the next start, which says nothing: it ended with its last state. What lies before
the first run that is known is judged in the same way.
"""

from dataclasses import dataclass
from datetime import datetime

from homeassistant.components.recorder.db_schema import RecorderRuns, States
from homeassistant.util import dt as dt_util
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .convert import instant_us, ts_us
from .spans import Span


@dataclass(frozen=True, slots=True)
class Runs:
    """`ended` are the spans of runs that are over, in ascending time; the present run began at `began_us`."""

    ended: tuple[Span, ...]
    began_us: int | None


def runs(session: Session) -> Runs:
    """Return when the recorder ran."""
    found = session.execute(
        select(RecorderRuns.start, RecorderRuns.end, RecorderRuns.closed_incorrect).order_by(RecorderRuns.start)
    ).all()
    ended: list[Span] = []
    began_us: int | None = None
    oldest_s = session.execute(select(func.min(States.last_updated_ts))).scalar()
    if found and oldest_s is not None and (first := _utc(found[0][0])).timestamp() > oldest_s:
        ended.extend(_until_last_state(session, ts_us(oldest_s), first))
    for start, end, killed in found:
        began_us = None
        if end is None:
            began_us = instant_us(_utc(start))
        elif killed:
            ended.extend(_until_last_state(session, instant_us(_utc(start)), _utc(end)))
        elif end > start:
            ended.append(Span(instant_us(_utc(start)), instant_us(_utc(end))))
    return Runs(tuple(ended), began_us)


def _until_last_state(session: Session, since_us: int, end: datetime) -> list[Span]:
    """Return the span of a run that ended at an unknown instant before `end`."""
    last_s = session.execute(
        select(func.max(States.last_updated_ts)).where(
            States.last_updated_ts < end.timestamp(), States.last_updated_ts >= since_us / 1e6 - 1e-3
        )
    ).scalar()
    return [] if last_s is None or ts_us(last_s) < since_us else [Span(since_us, ts_us(last_s) + 1)]


def _utc(when: datetime) -> datetime:
    """Return an instant of the recorder, which stores UTC and may not say so."""
    return when.replace(tzinfo=dt_util.UTC) if when.tzinfo is None else when
