"""The whole server as a process: what a client feeds over the Link comes out of every route."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from energy_server.api import answers
from tests.product.waiting import true
from tests.server.link.linking import Client, entity, hello
from tests.server.serving import BEARER, TOKEN, Launch, Process, deaf

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
SITE = "the-home"
START_US = time.time_ns() // 1000 // HOUR_US * HOUR_US - 3 * HOUR_US
END_US = START_US + 2 * HOUR_US
MINUTES = range(121)
NOW_US = END_US + SECOND_US
IMPORT_KWH, DEVICE_KWH = 0.01, 0.004
SOLAR_W = 1_200.0


@pytest.fixture
async def served(tmp_path: Path, launch: Launch) -> Process:
    process = await launch(tmp_path / "data", commit_interval_s="0.05", rollup_interval_s="0.2")
    await process.until("stores are open")
    return process


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=BEARER) as session:
        yield session


def catalog() -> dict[str, Any]:
    def role(name: str, group: str) -> list[dict[str, str]]:
        return [{"role": name, "group": group}]

    since = {"since_us": START_US}
    return {
        "type": "catalog",
        "rev": 1,
        "entities": [
            entity("import", **since, roles=role("grid_import", "grid:0")),
            entity("sun", **since, kind="power", unit="W", state_class="measurement", roles=role("solar_power", "s:0")),
            entity("fridge", **since, roles=role("device", "device:0")),
        ],
    }


async def feed(client: Client, values: list[float], place: int, seq_span: tuple[int, int] | None) -> None:
    rows = [[place, START_US + minute * MINUTE_US, values[minute]] for minute in MINUTES]
    await client.number(
        {
            "type": "readings",
            "catalog": 1,
            "origin": "live",
            "span": seq_span or [START_US, START_US + 1],
            "of": [place] if seq_span is None else "all",
            "rows": rows,
        }
    )


async def connect(session: aiohttp.ClientSession, url: str) -> Client:
    client = Client(await session.ws_connect(f"{url}/link"))
    await client.send(hello(now_us=NOW_US, site=SITE))
    await client.expect("welcome")
    return client


async def fed(session: aiohttp.ClientSession, url: str) -> Client:
    client = await connect(session, url)
    await client.number(catalog())
    await feed(client, [100 + IMPORT_KWH * minute for minute in MINUTES], 0, None)
    await feed(client, [SOLAR_W] * len(MINUTES), 1, None)
    await feed(client, [7 + DEVICE_KWH * minute for minute in MINUTES], 2, (START_US, END_US + 1))
    await client.expect("ack", seq=4)
    return client


async def get(session: aiohttp.ClientSession, url: str, path: str, **query: Any) -> Any:
    async with session.get(f"{url}{path}", params=query) as response:
        body = await response.json()
        assert response.status == 200, body
        return body


async def rolled(live: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    """Return all messages until Statistics reach the end."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while True:
            message = await live.receive_json()
            answers.LiveMessage.model_validate(message)
            seen.append(message)
            if message["type"] == "statistics" and message["end_us"] >= END_US:
                return seen


async def counted(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until all Entities are rolled up with their claim: some readings may be rolled up before that came."""

    async def look() -> bool:
        span = {"start": str(START_US), "end": str(END_US)}
        found = await get(session, url, "/api/statistics", key=["import", "sun", "fridge"], level="hour", **span)
        return all(series["provenance"] == ["backfilled"] * 2 for series in found["series"])

    await true(look, "all Entities to be rolled up")


async def test_what_is_fed_is_shown_everywhere(served: Process, browser: aiohttp.ClientSession) -> None:
    url = served.url
    async with browser.ws_connect(f"{url}/api/live") as live:
        snapshot = await live.receive_json()
        assert (snapshot["type"], snapshot["rows"], snapshot["connected"]) == ("snapshot", [], {})
        client = await fed(browser, url)
        seen = await rolled(live)
    await counted(browser, url)
    assert {"type": "link", "site": SITE, "connected": True} in seen
    assert {"type": "catalog", "site": SITE} in seen
    newest = {row[0]: row for message in seen if message["type"] == "readings" for row in message["rows"]}
    assert newest["sun"] == ["sun", END_US, SOLAR_W]

    span = {"start": str(START_US), "end": str(END_US + 1)}
    readings = await get(browser, url, "/api/readings", key="sun", **span)
    answers.Readings.model_validate(readings)
    assert readings["ts_us"] == [START_US + minute * MINUTE_US for minute in MINUTES]
    assert set(readings["value"]) == {SOLAR_W}
    reduced = await get(browser, url, "/api/readings", key="import", points=10, **span)
    answers.Readings.model_validate(reduced)
    assert reduced["reduced"]
    assert sum(reduced["count"]) == len(MINUTES)
    assert (min(reduced["min"]), max(reduced["max"])) == pytest.approx((100, 101.2))

    span = {"start": datetime.fromtimestamp(START_US / 1e6, UTC).isoformat(), "end": str(END_US)}
    for level, periods in (("5min", 24), ("hour", 2)):
        found = await get(browser, url, "/api/statistics", key="import", level=level, **span)
        answers.Statistics.model_validate(found)
        (series,) = found["series"]
        assert len(series["start_us"]) == periods
        assert sum(series["change"]) == pytest.approx(1.2)
        assert set(series["provenance"]) == {"backfilled"}, "it was two hours ago when it came"

    energy = await get(browser, url, "/api/energy", resolution="hour", zone="Asia/Kolkata", **span)
    answers.Energy.model_validate(energy)
    assert energy["totals"]["grid_import"] == pytest.approx(1.2)
    assert energy["totals"]["solar"] == pytest.approx(2.4)
    assert energy["totals"]["home"] == pytest.approx(3.6)
    assert energy["totals"]["self_sufficiency"] == pytest.approx(2 / 3)
    assert sum(energy["flows"]["home"]) == pytest.approx(3.6)
    assert energy["devices"][0]["total"] == pytest.approx(0.48)
    assert energy["edges_us"][0] == START_US

    entities = (await get(browser, url, "/api/entities"))["entities"]
    for described in entities:
        answers.Entity.model_validate(described)
    assert {one["key"]: one["latest"]["ts_us"] for one in entities} == dict.fromkeys(
        ("import", "sun", "fridge"), END_US
    )
    completeness = await get(browser, url, "/api/completeness", zone="UTC", **span)
    answers.Completeness.model_validate(completeness)
    assert sum(day["backfilled_s"] for day in completeness["days"]) == pytest.approx(7_200)
    status = await get(browser, url, "/api/status")
    answers.Status.model_validate(status)
    assert status["sites"][0]["link"]["connected"]
    assert status["storage"]["readings"] == 3 * len(MINUTES)
    assert status["problems"] == []
    await client.send({"type": "goodbye"})


async def test_sigterm_tells_everybody_and_leaves_nothing_behind(
    served: Process, browser: aiohttp.ClientSession, tmp_path: Path, launch: Launch
) -> None:
    client = await fed(browser, served.url)
    async with browser.ws_connect(f"{served.url}/api/live") as live:
        await live.receive_json()
        children = psutil.Process(served.process.pid).children(recursive=True)
        stopping = asyncio.create_task(served.stop())
        assert (await client.expect("error"))["code"] == "shutting_down"
        async with asyncio.timeout(30):
            while not live.closed:
                await live.receive()
        assert live.close_code == aiohttp.WSCloseCode.GOING_AWAY
        assert await stopping == 0
    assert children == []
    assert not any("Traceback" in line for line in served.log)
    assert not list((tmp_path / "data").rglob("*.wal"))
    assert TOKEN not in "".join(served.log)

    again = await launch(tmp_path / "data")
    await again.until("stores are open")
    found = await get(browser, again.url, "/api/readings", key="sun", start=str(START_US), end=str(END_US + 1))
    assert len(found["ts_us"]) == len(MINUTES)
    status = await get(browser, again.url, "/api/status")
    assert status["sites"][0]["complete"]["live_since_us"] == START_US
    assert await again.stop(signal.SIGINT) == 0


async def test_a_kill_loses_nothing_that_was_acknowledged(
    served: Process, browser: aiohttp.ClientSession, tmp_path: Path, launch: Launch
) -> None:
    await fed(browser, served.url)
    await served.stop(signal.SIGKILL)
    again = await launch(tmp_path / "data", rollup_interval_s="0.1")
    await again.until("stores are open")
    for key in ("sun", "import", "fridge"):
        found = await get(browser, again.url, "/api/readings", key=key, start=str(START_US), end=str(END_US + 1))
        assert len(found["ts_us"]) == len(MINUTES)
    assert await again.stop() == 0


async def test_peers_that_do_not_answer_do_not_hold_up_the_end(served: Process) -> None:
    async with deaf(served.url, "/api/live"), deaf(served.url, "/link"), deaf(served.url, "/link"):
        began_s = time.monotonic()
        assert await served.stop() == 0
        assert time.monotonic() - began_s < 9.5  # Docker kills after 10
    assert not any("Traceback" in line for line in served.log)


async def test_it_is_small(tmp_path: Path, browser: aiohttp.ClientSession, launch: Launch) -> None:
    process = await launch(tmp_path / "data")
    await process.until("stores are open")
    await get(browser, process.url, "/api/ready")
    memory_mb = psutil.Process(process.process.pid).memory_info().rss / 1e6
    assert await process.stop() == 0
    assert memory_mb < 150


async def test_a_port_that_is_taken_is_explained(served: Process, tmp_path: Path, launch: Launch) -> None:
    port = served.url.rpartition(":")[2]
    with pytest.raises(AssertionError) as err:
        await launch(tmp_path / "other", port=port)
    assert "cannot listen" in str(err.value)
    assert "Traceback" not in str(err.value)
