"""Everything that is stored of some Entities, or of all, as a file: the user's way out.

In:   a span, and perhaps keys and which data.
Out:  CSV, sent as it is read. A store that fails in the middle breaks the answer off, so that none looks complete.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Literal

from aiohttp import web
from pydantic import Field

from energy_server.api.core import Core, core_of, find_entities, find_site
from energy_server.api.parameters import Key, SpanQuery
from energy_server.errors import StoreUnavailableError
from energy_server.jobs.export import READINGS, STATISTICS, Table, head_of, lines_of, readings_of, statistics_of
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.statistic import Source
from energy_server.rollup.levels import LEVELS

_LOGGER = logging.getLogger(__name__)

MOST_KEYS = 200
LEVEL_OF = {row.name: row.level for row in LEVELS}


class ExportQuery(SpanQuery):
    """What to export."""

    key: tuple[Key, ...] = Field(
        default=(), max_length=MOST_KEYS, description="Key of an Entity; may be repeated. All Entities if left out."
    )
    data: Literal["readings", "5min", "hour"] = Field(
        default="readings", description="Readings, or the statistics of a level, the rolled up and the imported ones."
    )
    format: Literal["csv"] = Field(default="csv", description="How it is written.")


async def _tables(core: Core, entity: Entity, data: str, span: Span) -> AsyncIterator[Table]:
    if data == "readings":
        async for table in readings_of(core.series, entity, span):
            yield table
        return
    for source in Source:
        async for table in statistics_of(core.series, entity, (data, LEVEL_OF[data]), source, span):
            yield table


async def export(request: web.Request, query: ExportQuery) -> web.StreamResponse:
    """Answer with a CSV file; instants are ISO 8601 in UTC."""
    core = core_of(request)
    site = await find_site(core, query.site)
    keys = list(dict.fromkeys(query.key))
    entities = await (find_entities(core, site.id, keys) if keys else core.state.entities(site.id))
    span = query.window(site.time_zone).span
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="energy-{query.data}.csv"',
            "Cache-Control": "no-store",
        }
    )
    response.enable_compression()
    await response.prepare(request)
    await response.write(head_of(READINGS if query.data == "readings" else STATISTICS))
    try:
        for entity in entities:
            async for table in _tables(core, entity, query.data, span):
                lines = lines_of(table)
                while (some := await asyncio.to_thread(next, lines, None)) is not None:
                    await response.write(some)
    except StoreUnavailableError as err:
        _LOGGER.warning("An export was broken off: %s", err)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response
