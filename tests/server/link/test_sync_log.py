"""What the sync log says of a Link."""

import asyncio
from pathlib import Path

import pytest

from tests.server.link.linking import (
    HOUR_US,
    MINUTE_US,
    NOON_US,
    SECOND_US,
    SITE,
    Client,
    Linked,
    catalog,
    entity,
    hello,
    linked,
    readings,
)

EARLIEST_US = 946_684_800_000_000


async def test_the_sync_log_tells_of_the_connection_and_its_end(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    await client.send({"type": "goodbye"})
    await client.expect_close()
    log = await home.state.sync_log(10)
    assert [(entry.site, entry.what) for entry in log] == [(SITE, "disconnected"), (SITE, "connected")]
    assert log[0].detail == "Home Assistant said goodbye"


async def lived(home: Linked) -> Client:
    """Return a connection that has heard of all up to noon."""
    client = await home.connect()
    await client.greet(keys=("a",))
    seq = await client.number(readings([]))
    await client.expect("ack", seq=seq)
    return client


async def noted(home: Linked, what: str) -> str:
    """Wait until the newest line is of that; return what it says."""
    async with asyncio.timeout(30):
        while (line := (await home.state.sync_log(1))[0]).what != what:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    return line.detail


async def test_the_sync_log_tells_of_a_connection_that_broke(home: Linked) -> None:
    first = await lived(home)
    assert await noted(home, "connected") == "Home Assistant 2026.10.4"
    await first.socket.close()
    assert await noted(home, "disconnected") == "the connection broke"
    second = await lived(home)
    assert await noted(home, "connected") == "Home Assistant 2026.10.4"
    await second.socket.close()


async def test_the_sync_log_tells_that_the_server_was_not_running(tmp_path: Path) -> None:
    async with linked(tmp_path) as before:
        client = await lived(before)
        await before.links.close()
        assert await noted(before, "disconnected") == "the server was stopped"
        await client.socket.close()
    async with linked(tmp_path) as after:
        client = await lived(after)
        assert await noted(after, "connected") == "Home Assistant 2026.10.4; the server was not running"
        await client.socket.close()


async def test_the_sync_log_tells_what_was_fetched(home: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("energy_server.link.session.TELL_EVERY_S", 0.01)
    client = await home.connect()
    await client.send(hello())
    await client.expect("welcome")
    await client.send({"type": "recorder", "state": "ready", "oldest_us": NOON_US - 2 * HOUR_US})
    await client.number(catalog("a"))
    await client.number(readings([]))
    nothing = {"type": "nothing", "catalog": 1, "of": [0]}
    await client.number(nothing | {"reason": "purged", "span": (EARLIEST_US, NOON_US - 2 * HOUR_US)})
    seq = await client.number(nothing | {"reason": "no_statistics", "span": (EARLIEST_US, NOON_US)})
    await client.expect("ack", seq=seq)
    async with asyncio.timeout(30):
        while home.links.record(SITE).progress is None:  # noqa: ASYNC110 - it looks from time to time, too
            await asyncio.sleep(0.01)
    span = (NOON_US - 2 * HOUR_US, NOON_US - MINUTE_US)
    row = [0, NOON_US - HOUR_US, 1.0]
    await client.number(readings([row], origin="recorder", of=[0], span=span))
    async with asyncio.timeout(30):
        while (line := (await home.state.sync_log(1))[0]).what != "reconciled":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert (line.rows, line.source, line.since_us) == (1, "recorder", NOON_US - 2 * HOUR_US)
    await client.socket.close()


@pytest.mark.parametrize(
    ("step_us", "told", "span"),
    [
        (90 * SECOND_US, "set forward, or its machine slept, by 90 s", (NOON_US - 90 * SECOND_US, NOON_US)),
        (-45 * SECOND_US, "set back by 45 s", (NOON_US, NOON_US + 45 * SECOND_US)),
        (-(1 << 62), f"set back by {(1 << 62) / 1e6:.0f} s", (NOON_US, NOON_US + (1 << 62))),
    ],
)
async def test_the_sync_log_tells_of_a_clock_that_was_set(
    home: Linked, step_us: int, told: str, span: tuple[int, int]
) -> None:
    client = await home.connect()
    await client.greet(keys=("a",))
    await client.number(readings([], span=(NOON_US, NOON_US + SECOND_US), stepped_us=step_us))
    assert await noted(home, "clock") == f"the clock of Home Assistant was {told}"
    (line,) = [line for line in await home.state.sync_log(10) if line.what == "clock"]
    await client.socket.close()
    assert (line.since_us, line.until_us) == span


async def test_the_sync_log_tells_of_a_unit_that_changed(home: Linked) -> None:
    client = await home.connect()
    await client.greet(keys=("a", "b"))
    described = [entity("a", unit="m³"), entity("b")]
    seq = await client.number({"type": "catalog", "rev": 2, "entities": described})
    await client.expect("ack", seq=seq)
    seq = await client.number({"type": "catalog", "rev": 3, "entities": described})
    await client.expect("ack", seq=seq)
    told = [line.detail for line in await home.state.sync_log(10) if line.what == "changed"]
    await client.socket.close()
    assert told == ["sensor.a was in kWh and is in m³ now; what is stored keeps its numbers"]


@pytest.mark.parametrize(
    ("fields", "now"),
    [
        ({"state_class": "measurement"}, "energy (measurement)"),
        ({"state_class": None}, "energy (no state class)"),
        ({"kind": "water"}, "water (total_increasing)"),
    ],
)
async def test_the_sync_log_tells_of_a_class_that_changed(home: Linked, fields: dict[str, str], now: str) -> None:
    client = await home.connect()
    await client.greet(keys=("a", "b"))
    for rev in (2, 3):
        described = [entity("a", **fields), entity("b")]
        seq = await client.number({"type": "catalog", "rev": rev, "entities": described})
        await client.expect("ack", seq=seq)
    told = [line.detail for line in await home.state.sync_log(10) if line.what == "changed"]
    await client.socket.close()
    assert told == [f"sensor.a was energy (total_increasing) and is {now} now; all of its history is counted so"]
