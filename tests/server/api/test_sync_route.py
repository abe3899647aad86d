"""How the record is kept complete, as the API tells it: Gaps and causes, backfills, clocks, finer completeness."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from energy_server.api.completeness import MOST_KEYS
from energy_server.api.sync_answers import CompletenessEntities, CompletenessHours, Job, Jobs, Sync
from energy_server.model.coverage import Span
from tests.server.link.linking import HOUR_US, MINUTE_US, NOON_US, SECOND_US, SITE, Client, catalog, hello, readings
from tests.server.serving import BEARER, Running, Start, error_of

PREFIX = {"X-Ingress-Path": "/api/hassio_ingress/abc"}
EARLIEST_US = 946_684_800_000_000


@pytest.fixture
async def server(start: Start) -> Running:
    return await start(clock_us=lambda: NOON_US)


@pytest.fixture
async def client(server: Running) -> AsyncIterator[Client]:
    socket = await server.client.ws_connect(f"{server.url}/link")
    yield Client(socket)
    await socket.close()


async def live(client: Client, *spans: tuple[int, int]) -> None:
    for span in spans:
        seq = await client.number(readings([], span=span))
    await client.expect("ack", seq=seq)


async def post(server: Running, body: Any, status: int = 200) -> Any:
    async with server.client.post(f"{server.url}/api/backfill", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json()


HOUR_AGO = NOON_US - HOUR_US


async def with_a_gap(client: Client) -> None:
    """Connect, and lack ten minutes."""
    await client.greet(keys=("a", "b"))
    await live(client, (HOUR_AGO, NOON_US - 30 * MINUTE_US), (NOON_US - 20 * MINUTE_US, NOON_US))


async def test_before_anything_connected(server: Running) -> None:
    assert (await server.error("/api/sync", status=404))["field"] == "site"


async def test_gaps_are_told_with_their_entities(server: Running, client: Client) -> None:
    await with_a_gap(client)
    answer = await server.get("/api/sync")
    Sync.model_validate(answer)
    assert answer["gaps"] == {
        "open": 1,
        "entities": 2,
        "oldest_us": NOON_US - 30 * MINUTE_US,
        "seconds": 1_200.0,
        "list": [
            {
                "since_us": NOON_US - 30 * MINUTE_US,
                "until_us": NOON_US - 20 * MINUTE_US,
                "entities": 2,
                "keys": ["a", "b"],
                "cause": "unknown",
                "state": "open",
            }
        ],
    }
    assert answer["link"]["connected"]
    assert answer["recorder"] is None
    assert answer["importing"] == {"done": 0, "total": 2}
    assert [line["what"] for line in answer["log"]] == ["connected"]


async def test_a_gap_says_why_and_what_cannot_be_had_is_lost(server: Running, client: Client) -> None:
    await client.greet(keys=("a", "b"))
    await live(client, (HOUR_AGO, NOON_US - 30 * MINUTE_US))
    await client.send({"type": "goodbye"})
    await client.expect_close()
    again = Client(await server.client.ws_connect(f"{server.url}/link"))
    await again.greet(keys=("a", "b"))
    await again.send({"type": "recorder", "state": "disabled", "oldest_us": None, "detail": "recorder.disable"})
    await live(again, (NOON_US - 20 * MINUTE_US, NOON_US))
    span = [NOON_US - 30 * MINUTE_US, NOON_US - 20 * MINUTE_US]
    lost = {"type": "nothing", "catalog": 1, "span": span, "of": [1], "reason": "not_recorded"}
    seq = await again.number(lost)
    await again.expect("ack", seq=seq)
    answer = await server.get("/api/sync")
    Sync.model_validate(answer)
    found = [(gap["keys"], gap["cause"], gap["state"]) for gap in answer["gaps"]["list"]]
    assert sorted(found) == [(["a"], "home_assistant_stopped", "open"), (["b"], "not_recorded", "lost")]
    assert answer["gaps"]["open"] == 1
    assert answer["recorder"] == {"state": "disabled", "oldest_us": None, "detail": "recorder.disable"}
    await again.socket.close()


async def test_a_gap_since_listening_began_is_told_though_all_that_was_live_is_lost(
    server: Running, client: Client
) -> None:
    await client.greet(keys=("a", "b"))
    await live(client, (HOUR_AGO, NOON_US - 30 * MINUTE_US))
    await server.core.ledger.void_within(Span(0, NOON_US))
    await live(client, (NOON_US - 20 * MINUTE_US, NOON_US))
    (gap,) = (await server.get("/api/sync"))["gaps"]["list"]
    assert (gap["since_us"], gap["until_us"], gap["state"]) == (HOUR_AGO, NOON_US - 20 * MINUTE_US, "open")


async def test_what_the_outbox_dropped_is_a_cause(server: Running, client: Client) -> None:
    await client.greet(keys=("a",))
    await live(client, (HOUR_AGO, NOON_US - 30 * MINUTE_US))
    seq = await client.number(readings([], span=(NOON_US - 20 * MINUTE_US, NOON_US), dropped=40, waiting=7))
    await client.expect("ack", seq=seq)
    answer = await server.get("/api/sync")
    assert [gap["cause"] for gap in answer["gaps"]["list"]] == ["outbox_full"]
    assert (answer["link"]["waiting"], answer["link"]["dropped"]) == (7, 40)


async def test_a_clock_that_was_set_is_the_cause_of_what_it_skipped_only(server: Running, client: Client) -> None:
    """Both times the client connects anew; the second time the clock was set by 2 s while it was away."""
    await client.greet(keys=("a",))
    await live(client, (HOUR_AGO, NOON_US - 45 * MINUTE_US))
    await client.socket.close()
    again = Client(await server.client.ws_connect(f"{server.url}/link"))
    await again.greet(keys=("a",), now_us=NOON_US - 40 * MINUTE_US + SECOND_US)
    await live(again, (NOON_US - 45 * MINUTE_US, NOON_US - 44 * MINUTE_US))
    first = (NOON_US - 40 * MINUTE_US, NOON_US - 30 * MINUTE_US)
    seq = await again.number(readings([], span=first, stepped_us=4 * MINUTE_US))
    await again.expect("ack", seq=seq)
    await again.socket.close()
    last = Client(await server.client.ws_connect(f"{server.url}/link"))
    await last.greet(keys=("a",))
    await last.number(readings([], span=(NOON_US - 20 * MINUTE_US, NOON_US), stepped_us=2 * SECOND_US))
    async with asyncio.timeout(30):
        while len([line for line in (await server.get("/api/sync"))["log"] if line["what"] == "clock"]) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing tells of it
    answer = await server.get("/api/sync")
    await last.socket.close()
    assert [gap["cause"] for gap in answer["gaps"]["list"]] == ["unreachable", "clock"]


async def test_a_backfill_is_a_job_until_its_span_is_answered(server: Running, client: Client) -> None:
    await with_a_gap(client)
    await client.expect("gaps")
    asked = await post(server, {"keys": ["a"], "start": HOUR_AGO // 1_000_000, "end": "2026-10-13T11:20:00Z"})
    Job.model_validate(asked)
    assert (asked["state"], asked["settled_s"], asked["total_s"]) == ("running", 0, 1_200)
    assert await post(server, {"keys": ["a"], "start": HOUR_AGO // 1_000_000, "end": "2026-10-13T11:20:00Z"}) == asked
    twenty = HOUR_AGO + 20 * MINUTE_US
    wanted = {"place": 0, "since_us": EARLIEST_US, "until_us": twenty}
    while wanted not in (await client.expect("gaps"))["gaps"]:
        pass
    span = (HOUR_AGO, HOUR_AGO + 10 * MINUTE_US)
    seq = await client.number(readings([[0, HOUR_AGO, 1.0]], origin="recorder", of=[0], span=span))
    await client.expect("ack", seq=seq)
    half = await server.get(f"/api/backfill/{asked['id']}")
    assert (half["state"], half["settled_s"], half["rows"]) == ("running", 600, 1)
    seq = await client.number(readings([], origin="recorder", of=[0], span=(span[1], twenty)))
    await client.expect("ack", seq=seq)
    await server.core.backfills.look()
    (done,) = (await server.get("/api/backfill"))["jobs"]
    Jobs.model_validate({"jobs": [done]})
    assert (done["state"], done["settled_s"], done["finished_us"]) == ("done", 1_200, NOON_US)
    line = (await server.get("/api/sync", lines=1))["log"][0]
    assert (line["what"], line["rows"], line["result"], line["source"]) == ("backfill", 1, "done", "recorder")
    assert (line["since_us"], line["until_us"]) == (HOUR_AGO, twenty)


async def test_a_backfill_can_be_cancelled(server: Running, client: Client) -> None:
    await with_a_gap(client)
    asked = await post(server, {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:20:00Z"})
    assert asked["keys"] == ["a", "b"]
    async with server.client.delete(f"{server.url}/api/backfill/{asked['id']}") as response:
        assert (await response.json())["state"] == "cancelled"
    async with server.client.delete(f"{server.url}/api/backfill/{asked['id']}") as response:
        assert (await response.json())["state"] == "cancelled"
    assert (await server.error("/api/backfill/none", status=404))["field"] == "id"


async def test_a_backfill_survives_a_restart(start: Start) -> None:
    server = await start(clock_us=lambda: NOON_US)
    client = Client(await server.client.ws_connect(f"{server.url}/link"))
    await with_a_gap(client)
    asked = await post(server, {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:20:00Z"})
    await client.socket.close()
    await server.core.ledger.flush()
    state, ledger = server.core.state, server.core.ledger
    again = type(server.core.backfills)(state, server.core.wanted.asked, server.core.wanted, lambda: NOON_US)
    server.core.wanted.asked.withdraw(asked["id"])
    await again.load()
    assert ledger.live_end_us(SITE) == NOON_US
    job = again.get(asked["id"])
    assert job is not None
    assert (job.state, job.settled_us, job.total_us) == ("open", 0, 2_400 * SECOND_US)


async def test_a_backfill_ends_though_one_of_its_entities_left(server: Running, client: Client) -> None:
    await with_a_gap(client)
    asked = await post(server, {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:20:00Z"})
    seq = await client.number(catalog("a", rev=2))
    await client.expect("ack", seq=seq)
    await server.core.backfills.look()
    half = await server.get(f"/api/backfill/{asked['id']}")
    assert (half["state"], half["settled_s"], half["total_s"]) == ("running", 0, 2_400)
    span = (HOUR_AGO, HOUR_AGO + 20 * MINUTE_US)
    seq = await client.number(readings([], origin="recorder", of=[0], span=span, catalog=2))
    await client.expect("ack", seq=seq)
    await server.core.backfills.look()
    over = await server.get(f"/api/backfill/{asked['id']}")
    Job.model_validate(over)
    assert (over["state"], over["settled_s"], over["total_s"]) == ("partly", 1_200, 2_400)
    assert (await server.get("/api/sync", lines=1))["log"][0]["result"] == "partly"


async def test_a_backfill_whose_entities_left_ends_after_a_restart(server: Running, client: Client) -> None:
    await with_a_gap(client)
    asked = await post(server, {"keys": ["b"], "start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:20:00Z"})
    seq = await client.number(catalog("a", rev=2))
    await client.expect("ack", seq=seq)
    server.core.wanted.asked.withdraw(asked["id"])
    again = type(server.core.backfills)(
        server.core.state, server.core.wanted.asked, server.core.wanted, lambda: NOON_US
    )
    await again.load()
    await again.look()
    job = again.get(asked["id"])
    assert job is not None
    assert (job.state, job.settled_us) == ("partly", 0)
    assert again.open(SITE) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"start": "2026-10-13T11:00:00Z"}, 400, "end"),
        ({"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:00:00Z"}, 400, "end"),
        ({"start": "1999-10-13", "end": "2026-10-13"}, 400, "start"),
        ({"start": "2026-10-14", "end": "2026-10-15"}, 400, "start"),
        ({"start": "soon", "end": "2026-10-15"}, 400, "start"),
        ({"start": True, "end": "2026-10-15"}, 400, "start"),
        ({"start": 1.7e9, "end": -5}, 400, "end"),
        ({"start": "2026-10-12", "end": "2026-10-13", "keys": []}, 400, "keys"),
        ({"start": "2026-10-12", "end": "2026-10-13", "keys": "a"}, 400, "keys"),
        ({"start": "2026-10-12", "end": "2026-10-13", "keys": ["a", "nobody"]}, 404, "keys"),
        ({"start": "2026-10-12", "end": "2026-10-13", "keys": ["gone"]}, 400, "keys"),
        ({"start": "2026-10-12", "end": "2026-10-13", "site": "elsewhere"}, 404, "site"),
        ({"start": "2026-10-12", "end": "2026-10-13", "entities": ["a"]}, 400, "entities"),
        ({"start": "2026-10-12", "end": "2026-10-13", "zone": "Nowhere"}, 400, "zone"),
        ([], 400, None),
    ],
)
async def test_nonsense_is_refused_by_field(
    server: Running, client: Client, body: Any, status: int, field: str | None
) -> None:
    await client.greet(keys=("a", "gone"))
    seq = await client.number(catalog("a", rev=2))
    await client.expect("ack", seq=seq)
    seq = await client.number(readings([], span=(HOUR_AGO, NOON_US), catalog=2))
    await client.expect("ack", seq=seq)
    assert error_of(await post(server, body, status))["field"] == field


async def test_a_backfill_before_anything_connected(server: Running) -> None:
    body = {"start": "2026-10-12", "end": "2026-10-13"}
    assert error_of(await post(server, body, 404))["field"] == "site"


async def test_there_are_only_so_many_backfills_at_once(server: Running, client: Client) -> None:
    await with_a_gap(client)
    for minute in range(10):
        await post(server, {"start": f"2026-10-13T11:{minute:02}:00Z", "end": "2026-10-13T11:20:00Z"})
    error = error_of(await post(server, {"start": "2026-10-13T11:15:00Z", "end": "2026-10-13T11:20:00Z"}, 400))
    assert error["code"] == "too_many"


async def test_a_backfill_may_be_asked_for_in_the_sidebar(server: Running, client: Client) -> None:
    await with_a_gap(client)
    body = {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T11:20:00Z"}
    async with aiohttp.ClientSession(headers=PREFIX) as browser:
        async with browser.post(f"{server.ingress_url}/api/backfill", json=body) as response:
            job = await response.json()
            assert response.status == 200
        async with browser.delete(f"{server.ingress_url}/api/backfill/{job['id']}") as response:
            assert response.status == 200
        async with browser.delete(f"{server.ingress_url}/api/session") as response:
            assert error_of(await response.json())["code"] == "read_only"


async def test_a_clock_is_believed_when_its_user_says_so(server: Running, client: Client) -> None:
    await client.greet(keys=("a",))
    await live(client, (HOUR_AGO, NOON_US))
    async with server.client.post(f"{server.url}/api/sync/clock") as response:
        assert response.status == 400, "it is not refused"
    await client.socket.close()
    behind = Client(await server.client.ws_connect(f"{server.url}/link"))
    await behind.send(hello(now_us=NOON_US - 20 * MINUTE_US))
    await behind.expect("welcome")
    await behind.expect("error", code="clock_behind")
    answer = (await server.get("/api/sync"))["clock"]
    assert answer["refused"]
    assert answer["live_end_us"] == NOON_US
    assert 0 <= answer["home_assistant_us"] - (NOON_US - 20 * MINUTE_US) < MINUTE_US
    async with server.client.post(f"{server.url}/api/sync/clock") as response:
        assert response.status == 204
    await behind.expect_close()
    assert not (await server.get("/api/sync"))["clock"]["refused"]
    assert server.core.ledger.live_end_us(SITE) == pytest.approx(answer["home_assistant_us"], abs=MINUTE_US)
    believed = Client(await server.client.ws_connect(f"{server.url}/link", headers=BEARER))
    await believed.greet(now_us=NOON_US - 20 * MINUTE_US, keys=("a",))
    await live(believed, (NOON_US - 21 * MINUTE_US, NOON_US - 20 * MINUTE_US))
    assert server.core.ledger.live_end_us(SITE) == NOON_US - 20 * MINUTE_US
    await believed.socket.close()


async def test_completeness_of_hours_and_of_each_entity(server: Running, client: Client) -> None:
    await with_a_gap(client)
    await server.core.ledger.late.take(SITE, [], [Span(HOUR_AGO, NOON_US)])
    span = (NOON_US - 30 * MINUTE_US, NOON_US - 20 * MINUTE_US)
    seq = await client.number(readings([], origin="recorder", of=[1], span=span))
    await client.expect("ack", seq=seq)
    window = {"start": "2026-10-13T11:00:00Z", "end": "2026-10-13T12:00:00Z"}
    each = await server.get("/api/completeness/entities", **window)
    CompletenessEntities.model_validate(each)
    assert [(one["key"], one["live_s"], one["backfilled_s"], one["missing_s"]) for one in each["entities"]] == [
        ("a", 3_000, 0, 600),
        ("b", 3_000, 600, 0),
    ]
    of_one = await server.get("/api/completeness/hours", key="a", **window)
    CompletenessHours.model_validate(of_one)
    assert [(hour["start_us"], hour["missing_s"]) for hour in of_one["hours"]] == [(HOUR_AGO, 600)]
    of_all = await server.get("/api/completeness/hours", **window)
    assert [(hour["backfilled_s"], hour["missing_s"]) for hour in of_all["hours"]] == [(300, 300)]
    (day,) = (await server.get("/api/completeness", start="2026-10-13", end="2026-10-14", key="b"))["days"]
    assert (day["live_s"] / day["backfilled_s"], day["missing_s"]) == (5, 0)
    assert (await server.error("/api/completeness/hours", status=404, key="nobody", **window))["field"] == "key"
    many = [f"k{number}" for number in range(MOST_KEYS + 1)]
    assert (await server.error("/api/completeness/hours", status=400, key=many, **window))["field"] == "key"


async def test_what_was_fetched_is_served_as_backfilled(server: Running, client: Client) -> None:
    """Readings of a Gap make Statistics that say so, and open dashboards hear of it."""
    await client.greet(keys=("a",))
    row = [0, HOUR_AGO, 1.0]
    seq = await client.number(readings([row], span=(HOUR_AGO, NOON_US - 30 * MINUTE_US)))
    seq = await client.number(readings([[0, NOON_US - SECOND_US, 7.0]], span=(NOON_US - 15 * MINUTE_US, NOON_US)))
    await client.expect("ack", seq=seq)
    dashboard = await server.client.ws_connect(f"{server.url}/api/live")
    assert (await dashboard.receive_json(timeout=30))["type"] == "snapshot"
    rows = [[0, NOON_US - minute * MINUTE_US, 4.0 - minute / 15] for minute in range(16, 30)]
    span = (NOON_US - 30 * MINUTE_US, NOON_US - 15 * MINUTE_US)
    seq = await client.number(readings(rows, origin="recorder", of=[0], span=span))
    await client.expect("ack", seq=seq)
    window = {"key": "a", "level": "5min", "start": "2026-10-13T11:35:00Z", "end": "2026-10-13T11:45:00Z"}
    async with asyncio.timeout(30):
        while True:
            told = await dashboard.receive_json()
            (series,) = (await server.get("/api/statistics", **window))["series"]
            if told["type"] == "statistics" and series["provenance"] == ["backfilled", "backfilled"]:
                break
    assert series["covered_s"] == [300, 300]
    await dashboard.close()
