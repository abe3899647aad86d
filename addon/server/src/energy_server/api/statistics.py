"""Statistics of some Entities.

In:   keys, a level, a span.
Out:  a row for each period that is known, with how it is known: the rollup's, or the hour that was imported where the
      rollup lacks more than five minutes of Coverage. TooManyError rather than an endless answer.
"""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from aiohttp import web
from numpy.typing import NDArray
from pydantic import Field

from energy_server.api.answers import LevelName
from energy_server.api.core import Core, core_of, find_entities, find_site
from energy_server.api.parameters import Key, SpanQuery
from energy_server.api.reply import column, provenance_names, reply
from energy_server.energy.series import COVERAGE_TOLERANCE_S
from energy_server.errors import TooManyError
from energy_server.model.coverage import Span
from energy_server.model.statistic import HOUR_US, Level, Source, StatisticColumns
from energy_server.rollup.levels import LEVELS

MOST_KEYS = 200
MOST_ROWS = 200_000
LEVEL_NAMED = {row.name: row.level for row in LEVELS}
BETTER_BELOW_S = HOUR_US // 1_000_000 - COVERAGE_TOLERANCE_S


class StatisticsQuery(SpanQuery):
    """What to read."""

    key: tuple[Key, ...] = Field(
        min_length=1, max_length=MOST_KEYS, description=f"Key of an Entity; may be repeated, up to {MOST_KEYS} times."
    )
    level: LevelName = Field(description="Length of the periods.")


@dataclass(frozen=True, slots=True)
class Rows:
    """The Statistics of one Entity, ascending."""

    start_us: NDArray[np.int64]
    mean: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    change: NDArray[np.float64]
    last: NDArray[np.float64]
    covered_s: NDArray[np.float64]
    provenance: NDArray[np.uint8]


NAMES = [field.name for field in fields(Rows)]


def split(columns: StatisticColumns) -> list[Rows]:
    """Return the rows of each key; rows are ordered by key."""
    borders = np.searchsorted(columns.place, np.arange(len(columns.keys) + 1))
    return [
        Rows(**{name: getattr(columns, name)[low:high] for name in NAMES}) for low, high in pairwise(borders.tolist())
    ]


def prefer(rolled: Rows, imported: Rows) -> Rows:
    """Return for each hour the imported row where the rollup lacks Coverage, else the rollup's."""
    if not len(imported.start_us):
        return rolled
    place = np.searchsorted(rolled.start_us, imported.start_us)
    inside = np.minimum(place, max(len(rolled.start_us) - 1, 0))
    covered_s = np.zeros(len(imported.start_us))
    if len(rolled.start_us):
        same = rolled.start_us[inside] == imported.start_us
        covered_s[same] = rolled.covered_s[inside[same]]
    better = covered_s < BETTER_BELOW_S
    keep = ~np.isin(rolled.start_us, imported.start_us[better])
    order = np.argsort(np.concatenate((rolled.start_us[keep], imported.start_us[better])))

    def both(name: str) -> NDArray[Any]:
        columns: tuple[NDArray[Any], NDArray[Any]] = getattr(rolled, name)[keep], getattr(imported, name)[better]
        whole: NDArray[Any] = np.concatenate(columns)
        return whole[order]

    return Rows(**{name: both(name) for name in NAMES})


async def _read(core: Core, site: str, keys: list[str], level: Level, span: Span) -> list[Rows]:
    asked = (site, keys, level)
    rolled = split(await core.series.statistics(*asked, Source.ROLLUP, span.since_us, span.until_us))
    if level is not Level.HOUR:
        return rolled
    imported = split(await core.series.statistics(*asked, Source.IMPORT, span.since_us, span.until_us))
    return [prefer(*pair) for pair in zip(rolled, imported, strict=True)]


def _describe(key: str, unit: str, rows: Rows) -> dict[str, object]:
    return {
        "key": key,
        "unit": unit,
        "start_us": column(rows.start_us),
        "mean": column(rows.mean),
        "min": column(rows.minimum),
        "max": column(rows.maximum),
        "change": column(rows.change),
        "last": column(rows.last),
        "covered_s": column(rows.covered_s),
        "provenance": provenance_names(rows.provenance),
    }


async def statistics(request: web.Request, query: StatisticsQuery) -> web.Response:
    """Answer with Statistics."""
    core = core_of(request)
    site = await find_site(core, query.site)
    keys = list(dict.fromkeys(query.key))
    units = {entity.key: entity.unit for entity in await find_entities(core, site.id, keys)}
    span = query.window(site.time_zone).span
    level = LEVEL_NAMED[query.level]
    most = len(keys) * ((span.until_us - span.since_us) // level.period_us + 1)
    if most > MOST_ROWS:
        raise TooManyError(
            f"The answer could have {most:,} rows, more than {MOST_ROWS:,}: use hours, fewer keys or a shorter span",
            field="end",
        )
    found = await _read(core, site.id, keys, level, span)
    series = [_describe(key, units[key], rows) for key, rows in zip(keys, found, strict=True)]
    return reply({"level": query.level, "period_us": level.period_us, "series": series}, request)
