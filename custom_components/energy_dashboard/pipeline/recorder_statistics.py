"""The hourly statistics that Home Assistant's recorder holds, newest first, in slices.

In:   a session of the recorder, a statistic id, the instant before which hours are wanted.
Out:  its metadata; rows of the wire, converted; digests, which change when anything of a month does.
Fails with RecorderUnavailableError where nothing was summed up yet.

The growth of a counter in an hour is its sum minus the sum before, as Home Assistant's own `change`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

from homeassistant.components.recorder.const import SupportedDialect
from homeassistant.components.recorder.db_schema import Statistics, StatisticsMeta, StatisticsRuns
from homeassistant.util import dt as dt_util
from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from .claims import StatisticRow
from .convert import Convert, ts_us
from .errors import RecorderUnavailableError
from .recorder_rows import all_rows
from .spans import Span

HOUR_S: Final = 3600
HOUR_US: Final = HOUR_S * 1_000_000
MONTH_S: Final = 730 * HOUR_S
"""A twelfth of a year: what a digest is made of."""
MONTHS_AT_ONCE: Final = 6
RUN: Final = timedelta(minutes=5)
"""The recorder sums up 5 minutes at a time, and the hour with its last 5 minutes."""
IDS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class StatisticMetadata:
    """What the recorder knows of a statistic: `unit` is the one that it is stored in."""

    id: int
    name: str | None
    unit: str | None
    has_sum: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """The hourly statistics of a span; `older` says whether there are more before it."""

    span: Span
    rows: list[StatisticRow]
    older: bool


def metadata(session: Session, statistic_ids: Iterable[str]) -> dict[str, StatisticMetadata]:
    """Return what the recorder knows of these statistics; one that it lacks is absent."""
    ids = list(statistic_ids)
    found: dict[str, StatisticMetadata] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        question = select(
            StatisticsMeta.statistic_id,
            StatisticsMeta.id,
            StatisticsMeta.name,
            StatisticsMeta.unit_of_measurement,
            StatisticsMeta.has_sum,
        ).where(StatisticsMeta.statistic_id.in_(ids[start : start + IDS_AT_ONCE]))
        for statistic_id, *known in session.execute(question):
            id_, name, unit, has_sum = known
            found[statistic_id] = StatisticMetadata(id_, name, unit, bool(has_sum))
    return found


def newest_rows(session: Session, id_: int, span: Span, limit: int) -> tuple[Sequence[Any], Any]:
    """Return the newest hours of a span, in descending time, and the row before them: its start and sum, or None."""
    rows = all_rows(
        session,
        select(Statistics.start_ts, Statistics.mean, Statistics.min, Statistics.max, Statistics.state, Statistics.sum)
        .where(
            Statistics.metadata_id == id_,
            Statistics.start_ts >= span.since_us / 1e6,
            Statistics.start_ts < span.until_us / 1e6,
        )
        .order_by(Statistics.start_ts.desc())
        .limit(limit),
    )
    if not rows:
        return rows, None
    older = (
        select(Statistics.start_ts, Statistics.sum)
        .where(Statistics.metadata_id == id_, Statistics.start_ts < rows[-1][0])
        .order_by(Statistics.start_ts.desc())
        .limit(1)
    )
    before = session.execute(older).first()
    if before is None:
        return rows, None
    start_s, sum_ = before
    if sum_ is None and any(row[-1] is not None for row in rows):
        summed = session.execute(older.where(Statistics.sum.is_not(None))).first()
        sum_ = None if summed is None else summed.sum
    return rows, (start_s, sum_)


def as_slice(found: tuple[Sequence[Any], Any], place: int, convert: Convert | None, span: Span) -> Slice | None:
    """Return the rows as the wire has them, in ascending time; None where there are none."""
    rows, before = found
    if not rows:
        return None
    converted = convert or _unchanged
    sum_before = 0.0 if before is None or before[1] is None else converted(before[1])
    result: list[StatisticRow] = []
    for start_s, mean, least, most, state, sum_ in reversed(rows):
        change: float | None = None
        if sum_ is not None:
            total = converted(sum_)
            change, sum_before = total - sum_before, total
        result.append(
            (
                place,
                ts_us(start_s),
                None if mean is None else converted(mean),
                None if least is None else converted(least),
                None if most is None else converted(most),
                change,
                None if state is None else converted(state),
            )
        )
    older = before is not None and ts_us(before[0]) >= span.since_us
    if before is None and (result[0][5] or 0.0) < 0.0:
        # The first hour of all can only have sunk by the sum that an import began with: it tells of no energy.
        del result[0]
    return Slice(Span(result[0][1], span.until_us), result, older) if result else None


def _unchanged(value: float) -> float:
    return value


def summed_up_until_us(session: Session) -> int:
    """Return the end of the last hour that the recorder has summed up: what is later may still come."""
    last_run = session.execute(select(func.max(StatisticsRuns.start))).scalar()
    if last_run is None:
        raise RecorderUnavailableError("the recorder has not summed up anything yet")
    if last_run.tzinfo is None:
        last_run = last_run.replace(tzinfo=dt_util.UTC)
    return ts_us((last_run + RUN).timestamp() // HOUR_S * HOUR_S)


def period(session: Session, instant: Any, length_s: int) -> Any:
    """Return the number of the period in which an instant lies."""
    if session.get_bind().dialect.name == SupportedDialect.SQLITE:
        return cast(instant / length_s, Integer)  # its floor() would be a Python function, called for each row
    return instant // length_s


def digests(session: Session, known: StatisticMetadata, span: Span) -> tuple[list[tuple[Span, str]], int | None]:
    """Return a text for each of a statistic's next months that changes when its hours, or how they are stored, do.

    The second value is where to go on, None if there are no more.
    """
    of_statistic = Statistics.metadata_id == known.id
    hours = (Statistics.start_ts >= span.since_us / 1e6, Statistics.start_ts < span.until_us / 1e6)
    first_s = session.execute(select(func.min(Statistics.start_ts)).where(of_statistic, *hours)).scalar()
    if first_s is None:
        return [], None
    end_s = min((first_s // MONTH_S + MONTHS_AT_ONCE) * MONTH_S, span.until_us / 1e6)
    month = period(session, Statistics.start_ts, MONTH_S)
    values = (Statistics.mean, Statistics.min, Statistics.max, Statistics.state, Statistics.sum)
    question = (
        select(month, func.count(), *(func.sum(value) for value in values))
        .where(of_statistic, *hours, Statistics.start_ts < end_s)
        .group_by(month)
        .order_by(month)
    )
    found: list[tuple[Span, str]] = []
    for number, *content in session.execute(question):
        since_us = int(number) * MONTH_S * 1_000_000
        text = repr((known.unit, known.has_sum, content))
        of_month = Span(since_us, min(since_us + MONTH_S * 1_000_000, span.until_us))
        found.append((of_month, blake2b(text.encode(), digest_size=12).hexdigest()))
    end_us = ts_us(end_s)
    return found, end_us if end_us < span.until_us else None
