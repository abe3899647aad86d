"""The server was away for ten minutes, or a device was: what is shown before the readings arrive, and after."""

from typing import Any

import pytest

from energy_server.api.sync_answers import Sync
from tests.product.waiting import equal
from tests.server.link.linking import MINUTE_US, NOON_US, SECOND_US, Client, entity, hello, readings
from tests.server.serving import Running, Start

STOPPED_US = NOON_US - 10 * MINUTE_US
BEGAN_US = NOON_US - 20 * MINUTE_US
WINDOW = {"start": str(BEGAN_US), "end": str(NOON_US)}
HOUR = {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T12:00:00Z"}


async def connected(server: Running, now_us: int) -> Client:
    client = Client(await server.client.ws_connect(f"{server.url}/link"))
    await client.send(hello(now_us=now_us))
    await client.expect("welcome")
    roles = {"a": {"role": "grid_import", "group": "grid:0"}, "b": {"role": "device", "group": "device:0"}}
    described = [entity(key, roles=[role], since_us=BEGAN_US) for key, role in roles.items()]
    seq = await client.number({"type": "catalog", "rev": 1, "entities": described})
    await client.expect("ack", seq=seq)
    return client


async def lived(client: Client, since_us: int, until_us: int) -> None:
    for at in range(since_us, until_us, 30 * SECOND_US):
        row = [0, at, (at - BEGAN_US) / MINUTE_US]
        seq = await client.number(readings([row], span=(at, at + 30 * SECOND_US)))
    await client.expect("ack", seq=seq)


async def days(server: Running) -> list[tuple[float, float, float]]:
    answer = await server.get("/api/completeness/hours", **WINDOW)
    return [(hour["live_s"], hour["backfilled_s"], hour["missing_s"]) for hour in answer["hours"]]


async def counted(server: Running, kwh: float, provenance: list[str]) -> None:
    """Wait until all energy is counted in both, each 5 minutes and the hour, and known in these ways.

    Readings may be rolled up a moment before the claim that came with them.
    """

    async def look() -> tuple[list[float], list[str], list[str]]:
        fine: dict[str, Any] = await server.get("/api/energy", resolution="5min", **WINDOW)
        whole: dict[str, Any] = await server.get("/api/energy", resolution="hour", **HOUR)
        (series,) = (await server.get("/api/statistics", key="a", level="5min", **WINDOW))["series"]
        kwh = [round(found["totals"]["grid_import"] or 0, 3) for found in (fine, whole)]
        return kwh, [*fine["provenance"], *whole["provenance"]], series["provenance"]

    known = [how for how in provenance[:-1] if how != "missing"]
    await equal(look, ([kwh, kwh], provenance, known), 30)


async def test_a_gap_is_shown_first_then_that_it_was_backfilled(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [STOPPED_US]
    server = await start(clock_us=lambda: now[0])
    client = await connected(server, STOPPED_US)
    with monkeypatch.context() as as_it_happened:
        as_it_happened.setattr("energy_server.link.late.LATE_US", 60 * MINUTE_US)
        await lived(client, BEGAN_US, STOPPED_US)
    await client.send({"type": "goodbye"})
    await client.expect_close()
    assert (await server.get("/api/sync"))["gaps"]["open"] == 0

    await counted(server, 9.5, ["measured", "measured", "missing", "missing", "measured"])

    now[0] = NOON_US
    assert await days(server) == [(600, 0, 600)]
    answer = await server.get("/api/sync")
    Sync.model_validate(answer)
    (gap,) = answer["gaps"]["list"]
    assert (gap["since_us"], gap["until_us"], gap["state"]) == (STOPPED_US, NOON_US, "open")
    assert (gap["cause"], gap["entities"], answer["gaps"]["seconds"]) == ("home_assistant_stopped", 2, 1_200)
    (site,) = (await server.get("/api/status"))["sites"]
    assert [(one["since_us"], one["until_us"]) for one in site["gaps"]] == [(STOPPED_US, NOON_US)]

    client = await connected(server, NOON_US)
    await lived(client, STOPPED_US, STOPPED_US + 4 * MINUTE_US)
    (gap,) = (await server.get("/api/sync"))["gaps"]["list"]
    assert (gap["since_us"], gap["cause"]) == (STOPPED_US + 4 * MINUTE_US, "home_assistant_stopped")
    await lived(client, STOPPED_US + 4 * MINUTE_US, NOON_US + MINUTE_US)
    assert await days(server) == [(600, 600, 0)]
    await counted(server, 20.0, ["measured", "measured", "backfilled", "backfilled", "backfilled"])
    assert (await server.get("/api/sync"))["gaps"]["open"] == 0
    each = (await server.get("/api/completeness/entities", **WINDOW))["entities"]
    assert [(one["live_s"], one["backfilled_s"], one["missing_s"]) for one in each] == [(600, 600, 0)] * 2
    (line,) = [line for line in (await server.get("/api/sync"))["log"] if line["what"] == "late"]
    assert (line["since_us"], line["until_us"], line["rows"], line["source"]) == (STOPPED_US, NOON_US, 20, "outbox")
    await client.socket.close()


async def test_the_outage_of_a_device_is_said_of_it_and_of_the_rest(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its meter knows how much it used in five minutes, not when; the grid's was heard all the time."""
    server = await start(clock_us=lambda: NOON_US)
    client = await connected(server, NOON_US)
    gone = range(BEGAN_US + 5 * MINUTE_US + 30 * SECOND_US, BEGAN_US + 10 * MINUTE_US, 30 * SECOND_US)
    with monkeypatch.context() as as_it_happened:
        as_it_happened.setattr("energy_server.link.late.LATE_US", 60 * MINUTE_US)
        for at in range(BEGAN_US, NOON_US, 30 * SECOND_US):
            kwh = (at - BEGAN_US) / MINUTE_US
            rows = [[0, at, kwh], [1, at, None if at in gone else kwh / 2]]
            seq = await client.number(readings(rows, span=(at, at + 30 * SECOND_US)))
        await client.expect("ack", seq=seq)

    async def look() -> list[object]:
        found: dict[str, Any] = await server.get("/api/energy", resolution="5min", **WINDOW)
        (device,) = found["devices"]
        totals = [round(total or 0, 3) for total in (found["totals"]["home"], device["total"])]
        return [*totals, found["provenance"], device["provenance"], found["untracked_provenance"]]

    guessed = ["measured", "interpolated", "measured", "measured"]
    await equal(look, [19.5, 9.75, ["measured"] * 4, guessed, guessed], 30)
    await client.socket.close()
