"""The file of a month is damaged while the server is stopped: what is gone is told, fetched again, and nothing else."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from energy_server.model.statistic import Level, Source, StatisticColumns
from tests.server.link.linking import HOUR_US, NOON_US, SITE, Client, Json, entity, hello, readings
from tests.server.serving import Running, Start

DAY_US = 24 * HOUR_US
EARLIEST_US = 946_684_800_000_000
BEGAN_US = 1_787_616_000_000_000
"""2026-08-25, midnight UTC."""
SEPTEMBER_US = BEGAN_US + 7 * DAY_US
PURGED_US = SEPTEMBER_US + 15 * DAY_US
"""Home Assistant has no states from before."""
OCTOBER_US = SEPTEMBER_US + 30 * DAY_US
FILE = "2026_09.g1.duckdb"
ZONE = {"zone": "UTC"}
ALL = {"start": "2026-08-25", "end": "2026-10-13", **ZONE}
TOTAL_KWH = 49 * 24 / 4

type Row = list[float | int]


def rows(since_us: int, until_us: int) -> list[Row]:
    """Return what a meter and a sensor of power said: each hour, and at the last moment of each month."""
    instants = [*range(since_us, until_us, HOUR_US), *(edge - 1 for edge in (SEPTEMBER_US, OCTOBER_US))]
    said = sorted(instant for instant in instants if since_us <= instant < until_us)
    hour = [(instant - BEGAN_US) / HOUR_US for instant in said]
    meter: list[Row] = [[0, at, number / 4] for at, number in zip(said, hour, strict=True)]
    power: list[Row] = [[1, at, 200.0 + number % 24] for at, number in zip(said, hour, strict=True)]
    return meter + power


async def connected(server: Running) -> Client:
    client = Client(await server.client.ws_connect(f"{server.url}/link"))
    await client.send(hello())
    await client.expect("welcome")
    meter = entity("a", roles=[{"role": "grid_import", "group": "grid:0"}], since_us=BEGAN_US)
    power = entity("b", kind="power", unit="W", state_class="measurement", since_us=BEGAN_US)
    await done(client, {"type": "catalog", "rev": 1, "entities": [meter, power]})
    return client


async def done(client: Client, message: Json) -> None:
    await client.expect("ack", seq=await client.number(message))


async def lived(client: Client) -> None:
    """Send seven weeks as they happened, then the hourly statistics of the meter in September."""
    await done(client, readings(rows(BEGAN_US, NOON_US), span=(BEGAN_US, NOON_US)))
    before = {"span": (EARLIEST_US, BEGAN_US), "of": [0, 1]}
    await done(client, {"type": "nothing", "catalog": 1, "reason": "purged", **before})
    hours = [
        [0, at, None, None, None, 0.25, (at + HOUR_US - BEGAN_US) / HOUR_US / 4]
        for at in range(SEPTEMBER_US, OCTOBER_US, HOUR_US)
    ]
    imported = {"level": "hour", "span": (EARLIEST_US, NOON_US), "of": [0, 1], "rows": hours}
    await done(client, {"type": "statistics", "catalog": 1, **imported})


async def rolled(server: Running) -> None:
    """Wait until everything is rolled up."""
    async with asyncio.timeout(30):
        while True:
            document = await server.core.state.document(f"rolled_until:{SITE}")
            if document == {"ts_us": NOON_US} and not await server.core.state.dirty():
                return
            await asyncio.sleep(0.02)


async def left(server: Running, *seconds: str) -> list[tuple[float, ...]]:
    """Return how long, in August, September and October, each of these ways holds."""
    days = (await server.get("/api/completeness", **ALL))["days"]
    months = [[day for day in days if day["date"][5:7] == month] for month in ("08", "09", "10")]
    return [tuple(round(sum(day[name] for day in month), 3) for name in seconds) for month in months]


async def beyond(server: Running) -> tuple[list[Any], ...]:
    """Return all that is stored outside September, and the Coverage.

    Without Statistics of the hour before: what the meter grew from its last reading on is spread into the Gap.
    """
    series, ledger, found = server.core.series, server.core.ledger, []
    for since_us, until_us in ((0, SEPTEMBER_US), (OCTOBER_US, NOON_US)):
        entities = await server.core.state.entities(SITE)
        found.append([ledger.spans(SITE, one, since_us, until_us) for one in entities])
        for key in ("a", "b"):
            part = await series.read(SITE, key, since_us, until_us)
            found.append([part.ts_us.tolist(), part.value.tolist()])
        for level in Level:
            end_us = until_us - HOUR_US if until_us == SEPTEMBER_US else until_us
            columns = await series.statistics(SITE, ["a", "b"], level, Source.ROLLUP, since_us, end_us)
            found.append(_plain(columns))
    return tuple(found)


def _plain(columns: StatisticColumns) -> list[Any]:
    names: Sequence[str] = ("place", "start_us", "mean", "minimum", "maximum", "change", "last", "covered_s")
    values = [np.nan_to_num(getattr(columns, name), nan=-1.0).tolist() for name in names]
    return [*values, columns.provenance.tolist()]


async def import_kwh(server: Running) -> float:
    answer = await server.get("/api/energy", resolution="day", **ALL)
    return float(answer["totals"]["grid_import"])


async def told(server: Running) -> list[Json]:
    return [line for line in (await server.get("/api/sync"))["log"] if line["what"] == "damaged"]


@pytest.fixture
async def damaged(start: Start) -> tuple[Running, tuple[list[Any], ...]]:
    """Return a server whose file of September was damaged while it was stopped, and what was stored beside it."""
    server = await start(clock_us=lambda: NOON_US)
    client = await connected(server)
    await lived(client)
    await rolled(server)
    assert await left(server, "missing_s") == [(0,), (0,), (0,)]
    assert await import_kwh(server) == pytest.approx(TOTAL_KWH)
    assert await told(server) == []
    before = await beyond(server)
    await client.socket.close()
    await server.stop()
    os.truncate(server.data_path / "series" / "readings" / FILE, 0)
    return await start(clock_us=lambda: NOON_US), before


MONTH_S, PURGED_S = 30 * 86_400, 15 * 86_400


async def test_a_lost_month_is_missing_and_comes_again(damaged: tuple[Running, tuple[list[Any], ...]]) -> None:
    server, before = damaged
    assert await left(server, "missing_s", "statistics_s") == [(0, 0), (MONTH_S / 2, MONTH_S / 2), (0, 0)], (
        "of the meter the hours are known, of the power nothing"
    )
    await rolled(server)
    assert await beyond(server) == before
    (gap,) = (await server.get("/api/sync"))["gaps"]["list"]
    assert (gap["since_us"], gap["until_us"], gap["cause"], gap["state"]) == (
        SEPTEMBER_US,
        OCTOBER_US,
        "damaged",
        "open",
    )
    (line,) = await told(server)
    assert (line["since_us"], line["until_us"]) == (SEPTEMBER_US, OCTOBER_US)
    assert "September 2026" in line["detail"]
    assert f"{FILE}.damaged" in line["detail"]

    client = await connected(server)
    gaps = sorted((await client.expect("gaps"))["gaps"], key=lambda gap: gap["place"])
    assert gaps == [{"place": place, "since_us": SEPTEMBER_US, "until_us": OCTOBER_US} for place in (0, 1)]
    span = (PURGED_US, OCTOBER_US)
    await done(client, readings(rows(*span), origin="recorder", of=[0, 1], span=span))
    purged = {"span": (SEPTEMBER_US, PURGED_US), "of": [0, 1], "reason": "purged"}
    await done(client, {"type": "nothing", "catalog": 1, **purged})
    await rolled(server)

    assert await left(server, "missing_s", "statistics_s") == [(0, 0), (PURGED_S / 2, PURGED_S / 2), (0, 0)]
    assert (await left(server, "backfilled_s"))[1] == (MONTH_S - PURGED_S,)
    assert await import_kwh(server) == pytest.approx(TOTAL_KWH)
    assert len(await server.core.series.read(SITE, "a", *span)) == len(rows(*span)) // 2
    assert await beyond(server) == before
    assert [gap["cause"] for gap in (await server.get("/api/sync"))["gaps"]["list"]] == ["purged"]
    await client.socket.close()


async def test_it_is_told_and_asked_for_once(start: Start, damaged: tuple[Running, tuple[list[Any], ...]]) -> None:
    server, before = damaged
    client = await connected(server)
    await client.expect("gaps")
    whole = (SEPTEMBER_US, OCTOBER_US)
    await done(client, readings(rows(*whole), origin="recorder", of=[0, 1], span=whole))
    await rolled(server)
    await client.socket.close()
    await server.stop()
    server = await start(clock_us=lambda: NOON_US)
    await rolled(server)
    assert await left(server, "missing_s") == [(0,), (0,), (0,)]
    assert len(await told(server)) == 1
    assert await beyond(server) == before
    assert (await server.get("/api/sync"))["gaps"]["list"] == []
