"""When Home Assistant's recorder ran: from these spans its states may be claimed, between them it was off.

In:   a session of the recorder; when runs really began whose beginning was written down by a wrong clock.
Out:  the spans of its runs, the present one open.

A run that was killed gets its end at the next start, which says nothing: it ended with its last state. What lies before
the first run that is known, or before one of which its process told when it began, is judged in the same way. A run
that began while the clock was wrong (a machine without a battery for it, one whose clock runs in local time) says too
little as well: it began with its first state after the run before. So no time that has states lies between runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from homeassistant.components.recorder.db_schema import RecorderRuns, States
from homeassistant.util import dt as dt_util
from sqlalchemy import Function, func, select
from sqlalchemy.orm import Session

from .clock import CLOCKLESS_US, SOON_US
from .convert import instant_us, ts_us
from .spans import Span

LATEST_US = 2**62
EARLY_S = 3_600.0
"""What a run writes first: of all its time would be too much to look through."""

SETTING_US = 600_000_000
"""A clock that is behind when the machine starts is set within this time, from the network."""

type Which = Callable[..., Function[float | None]]


@dataclass(frozen=True, slots=True)
class Runs:
    """`ended` are the spans of runs that are over, in ascending time; the present run began at `began_us`."""

    ended: tuple[Span, ...]
    began_us: int | None


def runs(
    session: Session, really_began_us: Mapping[int, int], process_began_us: int, back_us: int | None = None
) -> Runs:
    """Return when the recorder ran; `back_us` is what the clock was set back to in the present run.

    What the present run lived through by the clock as it is now was of none before, whatever had been written of it.
    """
    found = session.execute(
        select(RecorderRuns.start, RecorderRuns.end, RecorderRuns.closed_incorrect).order_by(RecorderRuns.run_id)
    ).all()
    corrected = {said: began for said, began in really_began_us.items() if _was_behind(session, said, began)}
    ended: list[Span] = []
    began_us: int | None = None
    over_us = CLOCKLESS_US
    for position, (start, end, killed) in enumerate(found):
        told = instant_us(_utc(start)) in corrected
        start_us = _corrected(start, corrected)
        end_us = None if end is None else _corrected(end, corrected)
        if (position == 0 or told) and (last_us := _last_state_us(session, over_us, start_us)) is not None:
            ended.append(Span(_first_state_us(session, over_us, start_us) or over_us, last_us + 1))
            over_us = last_us + 1
        began_us = _begin_us(session, over_us, start_us, LATEST_US if end_us is None else end_us)
        if began_us is None or end_us is None:
            continue
        if killed:
            last_us = _last_state_us(session, began_us - 1, end_us)  # one microsecond for what rounding does
            end_us = began_us if last_us is None else last_us + 1
        if began_us < end_us:
            ended.append(Span(began_us, end_us))
            over_us = end_us
        began_us = None
    present_us = _present_us(start_us, process_began_us, back_us) if found and end_us is None else None
    if present_us is not None:
        began_us = present_us
        ended = [Span(run.since_us, min(run.until_us, present_us)) for run in ended if run.since_us < present_us]
    return Runs(tuple(ended), began_us)


def _present_us(start_us: int, process_began_us: int, back_us: int | None) -> int | None:
    """Return when the present run began by the clock as it is now; None if only its states tell."""
    if back_us is not None and back_us < start_us:
        return back_us
    return start_us if abs(process_began_us - start_us) < SOON_US else None


def _was_behind(session: Session, said_us: int, began_us: int) -> bool:
    """Return whether the clock was behind when a run began, and not merely set forward while it went on.

    Then states of the run before are later than those that the run itself wrote first, though they were stored before;
    or there are none between its first minutes and the instant that the clock was set to. Those of a clock that had not
    been set at all may be purged already.
    """
    if said_us < CLOCKLESS_US:
        return True
    last_us = _last_state_us(session, said_us, began_us)
    if last_us is None:
        return False
    next_us = _first_state_us(session, began_us, LATEST_US) or LATEST_US
    if last_us - said_us < SETTING_US and next_us - last_us > began_us - said_us - SOON_US:
        return True
    updated = States.last_updated_ts
    last_id = session.execute(
        select(States.state_id).where(updated < began_us / 1e6).order_by(updated.desc()).limit(1)
    ).scalar_one()
    early_s = min(said_us / 1e6 + EARLY_S, began_us / 1e6)
    early = select(States.state_id).where(updated >= said_us / 1e6, updated < early_s)
    return session.execute(early.where(States.state_id > last_id).limit(1)).first() is not None


def _begin_us(session: Session, over_us: int, start_us: int, end_us: int) -> int | None:
    """Return when a run began: with its first state after the run before, or when it says that it did, if earlier."""
    first_us = _first_state_us(session, over_us, end_us)
    said_us = start_us if over_us <= start_us < end_us else None
    return min((each for each in (first_us, said_us) if each is not None), default=None)


def _first_state_us(session: Session, since_us: int, until_us: int) -> int | None:
    return _state_us(session, func.min, since_us, until_us)


def _last_state_us(session: Session, since_us: int, until_us: int) -> int | None:
    return _state_us(session, func.max, since_us, until_us)


def _state_us(session: Session, which: Which, since_us: int, until_us: int) -> int | None:
    """Return the instant of a state in [since, until), by the index on it; seconds are compared, which are floats."""
    updated = States.last_updated_ts
    found_s = session.execute(
        select(which(updated)).where(updated >= since_us / 1e6, updated < until_us / 1e6)
    ).scalar()
    return None if found_s is None else ts_us(found_s)


def _corrected(when: datetime, really_began_us: Mapping[int, int]) -> int:
    """Return an instant that is written down: the end of a killed run is the beginning of the next."""
    written_us = instant_us(_utc(when))
    return really_began_us.get(written_us, written_us)


def _utc(when: datetime) -> datetime:
    """Return an instant of the recorder, which stores UTC and may not say so."""
    return when.replace(tzinfo=dt_util.UTC) if when.tzinfo is None else when
