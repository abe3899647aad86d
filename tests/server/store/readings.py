"""Builders of readings and Statistics, and how a slice reads as plain rows."""

import math
from collections.abc import Sequence

import numpy as np

from energy_server.model.reading import NO_RESET, Origin, ReadingBatch, ReadingSlice
from energy_server.model.statistic import Provenance, StatisticColumns

SITE = "home"
NOON_US = 1_791_892_800_000_000
"""2026-10-13T12:00:00Z"""
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
EVER = (0, 2**62)

type Row = tuple[int, float | None]
type StatisticRow = tuple[str, int, float | None]


def batch(
    key: str, rows: Sequence[Row], origin: Origin = Origin.LIVE, *, site: str = SITE, reset_us: int | None = None
) -> ReadingBatch:
    ts_us, values = [ts for ts, _ in rows], [value for _, value in rows]
    return ReadingBatch(site, origin, [key] * len(rows), ts_us, values, [reset_us] * len(rows))


def rows_of(found: ReadingSlice) -> list[Row]:
    assert found.ts_us.dtype == np.int64
    assert found.value.dtype == np.float64
    assert found.reset_us.dtype == np.int64
    assert found.origin.dtype == np.uint8
    assert len(found) == len(found.value) == len(found.reset_us) == len(found.origin)
    assert (np.diff(found.ts_us) > 0).all(), "ascending, one row for each instant"
    values = [None if math.isnan(value) else value for value in found.value.tolist()]
    return list(zip(found.ts_us.tolist(), values, strict=True))


def resets_of(found: ReadingSlice) -> list[int | None]:
    return [None if reset == NO_RESET else reset for reset in found.reset_us.tolist()]


def statistics(rows: Sequence[StatisticRow], *, provenance: Provenance = Provenance.MEASURED) -> StatisticColumns:
    """Return Statistics with this `change`, in the order of the rows; the other columns follow from it."""
    keys = sorted({key for key, _, _ in rows})
    change = np.array([np.nan if value is None else value for _, _, value in rows], np.float64)
    return StatisticColumns(
        keys=keys,
        place=np.array([keys.index(key) for key, _, _ in rows], np.int32),
        start_us=np.array([start for _, start, _ in rows], np.int64),
        mean=change + 1,
        minimum=change + 2,
        maximum=change + 3,
        change=change,
        last=change + 4,
        covered_s=np.full(len(rows), 300.0),
        provenance=np.full(len(rows), provenance, np.uint8),
    )


def changes_of(found: StatisticColumns) -> list[StatisticRow]:
    assert found.place.dtype == np.int32
    assert found.start_us.dtype == np.int64
    assert found.provenance.dtype == np.uint8
    ordered = list(zip(found.place.tolist(), found.start_us.tolist(), strict=True))
    assert ordered == sorted(set(ordered)), "by place, then start"
    values = [None if math.isnan(value) else value for value in found.change.tolist()]
    return [(found.keys[place], start, value) for (place, start), value in zip(ordered, values, strict=True)]
