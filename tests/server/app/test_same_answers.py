"""The same simulated month on both pairs of stores: every answer of the API is equal."""

import asyncio
import math
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dev.simulated_home.sensors import SENSORS
from energy_server.api.routes import ROUTES
from energy_server.store.questdb import QuestDBAddress
from tests.conftest import QuestDBAddress as Urls
from tests.product.saying import say
from tests.server.app.same_home import DAY_S, END_S, HISTORY_S, NOW_US, SECOND_US, SITE, START_S, messages
from tests.server.link import linking
from tests.server.link.linking import Client, hello
from tests.server.serving import Running, Start
from tests.server.store.questdb_tables import drop_tables

ACKNOWLEDGED_WITHIN_S = 120.0
ROLLED_WITHIN_S = 240.0
UNACKNOWLEDGED = 16
LOOK_AGAIN_S = 0.1

OWN = {
    "server_id",
    "storage",
    "stores",
    "started_us",
    "problems",
    "ts_us",
    "last_error",
    "rate_per_s",
    "outbox",
    "home_assistant_us",
    "progress",
}
"""What each server has of its own: who it is, where its data is, when it did what (`ts_us` in its logs), and how much
was wanted when it looked."""

pytestmark = pytest.mark.timeout(400)


def questions() -> list[tuple[str, dict[str, Any]]]:
    """Return requests for every route that answers with what is stored."""
    span = {"start": START_S * SECOND_US, "end": END_S * SECOND_US}
    week = {"start": (START_S + 18 * DAY_S) * SECOND_US, "end": (START_S + 25 * DAY_S) * SECOND_US}
    ever = {"start": HISTORY_S * SECOND_US, "end": END_S * SECOND_US}
    asked: list[tuple[str, dict[str, Any]]] = [("/api/status", {}), ("/api/entities", {}), ("/api/sync", {})]
    asked += [("/api/energy", {"resolution": resolution, **week}) for resolution in ("5min", "hour", "day")]
    asked += [("/api/energy", {"resolution": resolution, **ever}) for resolution in ("day", "week", "month", "year")]
    asked += [("/api/energy", {"resolution": "day", "zone": zone, **ever}) for zone in ("Asia/Kolkata", "UTC")]
    for sensor in SENSORS:
        asked.append(("/api/readings", {"key": sensor.key, **week}))
        asked.append(("/api/readings", {"key": sensor.key, "points": 500, **span}))
        asked += [("/api/statistics", {"key": sensor.key, "level": level, **ever}) for level in ("5min", "hour")]
    asked += [("/api/export", {"data": data, **ever}) for data in ("readings", "5min", "hour")]
    asked += [("/api/completeness", ever), ("/api/completeness/hours", week), ("/api/completeness/entities", span)]
    asked += [("/api/backfill", {}), ("/api/health", {}), ("/api/ready", {}), ("/api/openapi.json", {})]
    return asked


def test_every_route_that_answers_is_asked() -> None:
    asked = {path for path, _ in questions()}
    parts = {route.path for route in ROUTES if route.method == "GET" and not route.socket and "{" not in route.path}
    assert asked == parts


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    return list(messages())


async def fed(server: Running, month: list[dict[str, Any]]) -> Client:
    """Send the month, and wait until all of it is acknowledged and rolled up."""
    client = Client(await server.client.ws_connect(f"{server.url}/link"))
    await client.send(hello(now_us=NOW_US, site=SITE))
    await client.expect("welcome")
    for message in month:
        seq = await client.number(message)
        if seq % UNACKNOWLEDGED == 0 or seq == len(month):
            await client.expect("ack", seq=seq)
    async with asyncio.timeout(ROLLED_WITHIN_S):
        while not await is_rolled(server):  # noqa: ASYNC110 the last of many roll-ups is no event of its own
            await asyncio.sleep(LOOK_AGAIN_S)
    return client


async def is_rolled(server: Running) -> bool:
    document = await server.core.state.document(f"rolled_until:{SITE}")
    return document == {"ts_us": END_S * SECOND_US} and not await server.core.state.dirty()


def common(answer: Any) -> Any:
    """Return an answer without what is each server's own."""
    if isinstance(answer, dict):
        return {name: common(value) for name, value in answer.items() if name not in OWN}
    if isinstance(answer, list):
        return [common(value) for value in answer]
    return answer


def difference(one: Any, other: Any, where: str = "") -> str | None:
    """Say where two answers differ; means of reduced readings are sums of floats, whose order no store promises."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((found for name in one if (found := difference(one[name], other[name], f"{where}.{name}"))), None)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((found for place, pair in pairs if (found := difference(*pair, f"{where}[{place}]"))), None)
    if one == other or (".mean[" in where and math.isclose(one, other, rel_tol=1e-9)):
        return None
    return f"{where}: {one!r} and {other!r}"


async def answer(server: Running, path: str, query: dict[str, Any]) -> Any:
    async with server.client.get(f"{server.url}{path}", params=query) as response:
        assert response.status == 200, await response.text()
        if response.content_type == "application/json":
            return common(await response.json())
        return (await response.text()).splitlines()


async def test_a_month_on_both(
    start: Start,
    questdb_address: Urls,
    mongodb_url: str,
    tmp_path: Path,
    month: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linking, "ANSWER_WITHIN_S", ACKNOWLEDGED_WITHIN_S)
    drop_tables(QuestDBAddress.of(questdb_address.url, questdb_address.pg_url))
    settings = {"clock_us": lambda: NOW_US, "commit_interval_s": 0.05, "rollup_interval_s": 0.5}
    urls = {
        "questdb_url": questdb_address.url,
        "questdb_pg_url": questdb_address.pg_url,
        "mongodb_url": f"{mongodb_url}{uuid4().hex}",
    }
    embedded = await start(data_path=tmp_path / "embedded", storage="embedded", **settings)
    questdb = await start(data_path=tmp_path / "questdb", storage="questdb", **settings, **urls)
    clients = await asyncio.gather(fed(embedded, month), fed(questdb, month))
    backends = [(await server.get("/api/status"))["storage"]["backend"] for server in (embedded, questdb)]
    assert backends == ["duckdb", "questdb"]
    different = []
    for path, query in questions():
        one, other = [await answer(server, path, query) for server in (embedded, questdb)]
        if (found := difference(one, other)) is not None:
            different.append((path, query, found))
    for client in clients:
        await client.socket.close()
    assert different == []
    say(f"{len(questions())} answers of the API are equal on both pairs of stores")
