"""The only module that queries Home Assistant's recorder.

In:   statistic ids.
Out:  their metadata; slices of their hourly statistics, newest first, as rows of the wire.
Fails with RecorderUnavailableError: the recorder is not set up, or did not answer in time (a backup locks it).
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from homeassistant.components.recorder.const import DOMAIN
from homeassistant.components.recorder.db_schema import Statistics, StatisticsMeta, StatisticsRuns
from homeassistant.components.recorder.statistics import StatisticsRow, get_metadata, statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import (
    async_migration_in_progress,
    async_migration_is_live,
    get_instance,
    session_scope,
)
from homeassistant.util import dt as dt_util
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from .convert import STATISTICS_UNITS, Convert, ts_us
from .errors import RecorderUnavailableError

ANSWER_S: Final = 60.0
SLICE_HOURS: Final = 4_000
HOUR_S: Final = 3600.0
RUN: Final = timedelta(minutes=5)
"""The recorder sums up 5 minutes at a time, and the hour with its last 5 minutes."""

type StatisticRow = tuple[int, int, float | None, float | None, float | None, float | None, float | None]
"""Place, start_us, mean, min, max, change, last."""


@dataclass(frozen=True, slots=True)
class StatisticMetadata:
    """What the recorder knows of a statistic: `unit` is the one that it is stored in."""

    name: str | None
    unit: str | None
    unit_class: str | None
    has_sum: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """Hourly statistics of [since_us, until_us); `older` says whether there are more before it."""

    since_us: int
    until_us: int
    rows: list[StatisticRow]
    older: bool


async def _ask[T](hass: HomeAssistant, question: Callable[[], T]) -> T:
    """Run a query in the recorder's executor and wait a bounded time for it."""
    if DOMAIN not in hass.config.components:
        raise RecorderUnavailableError("the recorder is not set up")
    if async_migration_in_progress(hass) and not async_migration_is_live(hass):
        raise RecorderUnavailableError("the recorder migrates its database")
    try:
        async with asyncio.timeout(ANSWER_S):
            return await get_instance(hass).async_add_executor_job(question)
    except (TimeoutError, SQLAlchemyError) as err:
        raise RecorderUnavailableError(f"the recorder did not answer: {type(err).__name__}") from err


async def metadata(hass: HomeAssistant, statistic_ids: Iterable[str]) -> dict[str, StatisticMetadata]:
    """Return what the recorder knows of these statistics; one that it lacks is absent."""
    found = await _ask(hass, partial(get_metadata, hass, statistic_ids=set(statistic_ids)))
    return {
        statistic_id: StatisticMetadata(
            name=meta["name"],
            unit=meta["unit_of_measurement"],
            unit_class=meta["unit_class"],
            has_sum=meta["has_sum"],
        )
        for statistic_id, (_, meta) in found.items()
    }


async def newest_slice(
    hass: HomeAssistant, statistic_id: str, before_s: float, place: int, convert: Convert | None
) -> Slice | None:
    """Return the newest hours that start before the instant, None if there are none. `before_s` is a full hour."""
    return await _ask(hass, partial(_newest_slice, hass, statistic_id, before_s, place, convert))


def _newest_slice(
    hass: HomeAssistant, statistic_id: str, before_s: float, place: int, convert: Convert | None
) -> Slice | None:
    with session_scope(hass=hass, read_only=True) as session:
        starts = (
            select(func.max(Statistics.start_ts))
            .join(StatisticsMeta, Statistics.metadata_id == StatisticsMeta.id)
            .where(StatisticsMeta.statistic_id == statistic_id)
        )
        newest_s = session.execute(starts.where(Statistics.start_ts < before_s)).scalar()
        if newest_s is None:
            return None
        since_s = newest_s - (SLICE_HOURS - 1) * HOUR_S
        older = session.execute(starts.where(Statistics.start_ts < since_s)).scalar() is not None
    found = statistics_during_period(
        hass,
        dt_util.utc_from_timestamp(since_s),
        dt_util.utc_from_timestamp(before_s),
        {statistic_id},
        "hour",
        STATISTICS_UNITS,
        {"change", "max", "mean", "min", "state"},
    ).get(statistic_id, [])
    if found and not older and (found[0].get("change") or 0.0) < 0.0:
        # The first hour of all can only have sunk by the sum that an import began with: it tells of no energy.
        found = found[1:]
    if not found:
        return None
    rows = [_row(row, place, convert) for row in found]
    return Slice(rows[0][1], ts_us(before_s), rows, older)


def _row(row: StatisticsRow, place: int, convert: Convert | None) -> StatisticRow:
    values = (row.get("mean"), row.get("min"), row.get("max"), row.get("change"), row.get("state"))
    if convert is not None:
        values = tuple(None if value is None else convert(value) for value in values)  # type: ignore[assignment]
    return (place, ts_us(row["start"]), *values)


async def summed_up_until_s(hass: HomeAssistant) -> float:
    """Return the end of the last hour that the recorder has summed up: what is later may still come."""
    return await _ask(hass, partial(_summed_up_until_s, hass))


def _summed_up_until_s(hass: HomeAssistant) -> float:
    with session_scope(hass=hass, read_only=True) as session:
        last_run = session.execute(select(func.max(StatisticsRuns.start))).scalar()
    if last_run is None:
        raise RecorderUnavailableError("the recorder has not summed up anything yet")
    run_end = dt_util.as_utc(last_run.replace(tzinfo=dt_util.UTC)) + RUN
    return run_end.timestamp() // HOUR_S * HOUR_S
