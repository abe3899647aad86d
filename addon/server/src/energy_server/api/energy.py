"""The home's energy: who fed whom between local borders, what devices used, gas and water.

In:   a span, a resolution, a zone.
Out:  one value of each column for each interval, and totals; the hours that jump. The rules are those of
      `energy.query`; its cells come from the cache. TooManyError rather than an endless answer.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

import numpy as np
from aiohttp import web
from numpy.typing import NDArray
from pydantic import Field

from energy_server.api.core import Core, core_of, find_site
from energy_server.api.parameters import SpanQuery
from energy_server.api.reply import column, provenance_names, reply
from energy_server.energy.flows import FLOWS
from energy_server.energy.jumps import USUAL_DAYS, Jump, jumps, suspects
from energy_server.energy.layout import hours_of
from energy_server.energy.meters import meters
from energy_server.energy.periods import DAY_US, Resolution, edges
from energy_server.energy.query import EnergyAnswer, Quantity, answer
from energy_server.errors import TooManyError
from energy_server.model.coverage import CoverageSource
from energy_server.model.entity import Entity
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US

MOST_INTERVALS = 10_000
SHORTEST_US = {
    # Nominal lengths: a bound on the number of intervals, before they are made.
    Resolution.FIVE_MINUTES: FIVE_MINUTES_US,
    Resolution.HOUR: HOUR_US,
    Resolution.DAY: DAY_US,
    Resolution.WEEK: 7 * DAY_US,
    Resolution.MONTH: 28 * DAY_US,
    Resolution.YEAR: 365 * DAY_US,
}
USUAL_US = USUAL_DAYS * DAY_US
AWAY_US = 600_000_000
"""So long after the last live claim nobody expects more of it for the moment; all of it is rolled up by then."""
KNOWN = frozenset({CoverageSource.LIVE, CoverageSource.STATES, CoverageSource.HOUR})


class EnergyQuery(SpanQuery):
    """What to sum up, and how finely."""

    resolution: Resolution = Field(description="Length of the intervals, which begin where they begin on local clocks.")


def check_size(span_us: int, resolution: Resolution) -> None:
    """Raise TooManyError if there are too many intervals."""
    if resolution in SHORTEST_US and span_us // SHORTEST_US[resolution] > MOST_INTERVALS:
        raise TooManyError(
            f"That is more than {MOST_INTERVALS:,} intervals: ask for a coarser resolution or a shorter span",
            field="resolution",
        )


async def _fetch(
    core: Core, site: str, entities: Sequence[Entity], edges_us: NDArray[np.int64]
) -> tuple[EnergyAnswer, list[Jump]]:
    home = meters(entities)
    start_us, end_us = int(edges_us[0]), int(edges_us[-1])
    summed, days = await core.energy.sums(site, home, edges_us, USUAL_US)
    by_key = {entity.key: entity for entity in entities}
    needed = [by_key[key] for key in home.keys]
    suspected = suspects(needed, days, start_us)
    jumping = hours_of(np.unique(np.array([one.day for one in suspected], np.int64)))
    hours = await core.energy.cells(site, home, HOUR_US, jumping)
    until_us = await _until(core, site)
    since_us = _since(core, site, entities)
    found = await asyncio.to_thread(answer, entities, home, summed, edges_us, since_us, until_us)
    return found, jumps(needed, suspected, hours, start_us, end_us)


async def _until(core: Core, site: str) -> int:
    """Return until when everything should be known: what has been rolled up, at first until listening began.

    Where nothing has come for long, until now: it is missing, and not merely to come.
    """
    now_us, end_us = core.clock_us(), core.ledger.live_end_us(site)
    if end_us is not None and now_us - end_us > AWAY_US:
        return now_us
    rolled_until = await core.state.document(f"rolled_until:{site}")
    if rolled_until is not None:
        return cast("int", rolled_until["ts_us"])
    live = core.ledger.live_spans(site)
    return live[0].since_us if live else 0


def _since(core: Core, site: str, entities: Sequence[Entity]) -> dict[str, int]:
    """Return since when each Entity is known: since it is listened to, or the earlier beginning of its Coverage."""
    since_us = {}
    for entity in entities:
        if entity.roles:
            spans = core.ledger.spans(site, entity, 0, entity.since_us)
            known = (span.since_us for span, source in spans if source in KNOWN)
            since_us[entity.key] = min(entity.since_us, next(known, entity.since_us))
    return since_us


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _quantity(quantity: Quantity | None) -> dict[str, object] | None:
    if quantity is None:
        return None
    return {
        "unit": quantity.unit,
        "values": column(quantity.values),
        "provenance": provenance_names(quantity.provenance),
        "total": _known(quantity.total),
    }


def _describe(found: EnergyAnswer) -> dict[str, object]:
    shares = {
        "untracked": found.untracked_total,
        "self_sufficiency": found.self_sufficiency,
        "self_consumption": found.self_consumption,
    }
    totals = {name: getattr(found.totals, name) for name in FLOWS} | shares
    return {
        "edges_us": column(found.edges_us),
        "has": asdict(found.has),
        "flows": {name: column(getattr(found.flows, name)) for name in FLOWS},
        "devices": [
            {
                "key": device.key,
                "name": device.name,
                "parent": device.parent,
                "values": column(device.values),
                "provenance": provenance_names(device.provenance),
                "total": _known(device.total),
            }
            for device in found.devices
        ],
        "untracked": column(found.untracked),
        "untracked_provenance": provenance_names(found.untracked_provenance),
        "gas": _quantity(found.gas),
        "water": _quantity(found.water),
        "integrated": found.integrated,
        "left_out": found.left_out,
        "provenance": provenance_names(found.provenance),
        "totals": {name: _known(value) for name, value in totals.items()},
    }


def _written(
    head: Mapping[str, object], found: EnergyAnswer, jumped: Sequence[Jump], request: web.Request
) -> web.Response:
    return reply({**head, **_describe(found), "jumps": [asdict(jump) for jump in jumped]}, request)


async def energy(request: web.Request, query: EnergyQuery) -> web.Response:
    """Answer with energy."""
    core = core_of(request)
    site = await find_site(core, query.site)
    window = query.window(site.time_zone)
    check_size(window.span.until_us - window.span.since_us, query.resolution)
    span = (window.span.since_us, window.span.until_us)
    edges_us = await asyncio.to_thread(edges, *span, query.resolution, window.zone)
    found, jumped = await _fetch(core, site.id, await core.state.entities(site.id), edges_us)
    head = {"site": site.id, "zone": window.zone.key, "resolution": query.resolution}
    return await asyncio.to_thread(_written, head, found, jumped, request)
