"""What is particular to the MongoDB store: its schema's history, whom it refuses, what it survives."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from dev.processes import free_port
from dev.servers import MongoDB, Running, start
from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.site import Site
from energy_server.store.mongodb import MongoStateStore, connection, schema
from energy_server.store.port import CoverageRow, SyncEntry
from tests.conftest import FIRST_PORT
from tests.product.proxy import Proxy
from tests.server.store.impatience import impatience
from tests.server.store.other_mongod import other_mongod

HOME = Site("home", "Home", "Europe/Amsterdam", "EUR", None, "2026.10.4", "0.1.0")
LIVE = CoverageRow("home", None, CoverageSource.LIVE, Span(10, 20), None)
STATES = CoverageRow("home", "a", CoverageSource.STATES, Span(0, 15), None)
OWN_PORT = FIRST_PORT + 300
REFUSED_WITHIN_S = 9.0
"""Less than what MongoDB is waited for where nobody is impatient."""

type NewMongoDB = Callable[[str], SecretStr]


def change(url: SecretStr, work: Callable[[Any], object]) -> None:
    """Do something to the database behind the store's back."""
    with MongoClient[dict[str, Any]](url.get_secret_value()) as client:
        work(client.get_default_database())


@asynccontextmanager
async def opened(url: SecretStr) -> AsyncIterator[MongoStateStore]:
    store = MongoStateStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def own_server(folder: Path, *, options: tuple[str, ...] = ()) -> AsyncIterator[tuple[MongoDB, Running]]:
    """Run a mongod of the test's own, which it may stop."""
    server = MongoDB(folder, free_port(OWN_PORT), options=options)
    running = await start(server)
    try:
        yield server, running
    finally:
        await running.stop()


async def refusal(work: Awaitable[object]) -> str:
    async with asyncio.timeout(REFUSED_WITHIN_S):
        with pytest.raises(StoreUnavailableError) as failure:
            await work
    return failure.value.message


async def test_a_newer_database_is_left_alone(mongodb_url: str, new_mongodb: NewMongoDB) -> None:
    url = new_mongodb(mongodb_url)
    change(url, lambda database: database.versions.insert_one({"_id": "schema", "version": 99}))
    assert "newer release" in await refusal(MongoStateStore(url).open())


async def test_an_older_database_is_migrated(
    mongodb_url: str, new_mongodb: NewMongoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_mongodb(mongodb_url)
    async with opened(url) as store:
        await store.put_document("kept", {"it": "is"})

    async def later(database: connection.Database) -> None:
        await database.documents.update_many({}, {"$set": {"later": True}})

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, later))
    async with opened(url) as store:
        assert await store.document("kept") == {"it": "is"}
    change(url, lambda database: database.documents.find_one({"later": True})["json"])


async def test_an_old_server_is_refused(
    mongodb_url: str, new_mongodb: NewMongoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "OLDEST_VERSION", (99, 1))
    assert re.search(
        r"MongoDB \d+\.\d.* is too old. Use 4.4 or newer",
        await refusal(MongoStateStore(new_mongodb(mongodb_url)).open()),
    )


@pytest.mark.parametrize(
    ("speaks", "told"), [((0, 6), "is too old. Use 4.4 or newer"), ((1_000, 1_001), "is too new for this release")]
)
async def test_a_server_that_the_driver_cannot_speak_to(speaks: tuple[int, int], told: str) -> None:
    async with other_mongod(*speaks) as url:
        assert told in await refusal(MongoStateStore(SecretStr(url)).open())


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    port = free_port(OWN_PORT)
    url = SecretStr(f"mongodb://user:hidden-word@127.0.0.1:{port}/energy")
    with impatience():
        message = await refusal(MongoStateStore(url).open())
    assert "cannot be reached. Start it" in message
    assert "hidden-word" not in message
    server = MongoDB(tmp_path, port)
    running = await start(server)
    async with opened(SecretStr(server.url)) as store:
        assert await store.sites() == []
    await running.stop()


async def test_a_replica_set_that_is_none(mongodb_url: str) -> None:
    with impatience():
        message = await refusal(MongoStateStore(SecretStr(f"{mongodb_url}?replicaSet=other")).open())
    assert "no primary" in message or "cannot be reached" in message


async def test_whom_it_does_not_know_it_refuses(tmp_path: Path) -> None:
    async with own_server(tmp_path) as (server, _):
        change(
            SecretStr(f"{server.url}admin"),
            lambda database: [
                database.command("createUser", "energy", pwd="a:b/c@d", roles=[{"role": "readWrite", "db": "energy"}]),
                database.command("createUser", "reader", pwd="word", roles=[{"role": "read", "db": "energy"}]),
            ],
        )
    async with own_server(tmp_path, options=("--auth",)) as (server, _):
        there = f"127.0.0.1:{server.port}/energy?authSource=admin"
        message = await refusal(MongoStateStore(SecretStr(f"mongodb://energy:hidden-word@{there}")).open())
        assert "refuses user or password" in message
        assert "hidden-word" not in message
        assert "wants a login" in await refusal(MongoStateStore(SecretStr(f"mongodb://127.0.0.1:{server.port}")).open())
        assert "may not" in await refusal(MongoStateStore(SecretStr(f"mongodb://reader:word@{there}")).open())
        async with opened(SecretStr(f"mongodb://energy:a%3Ab%2Fc%40d@{there}")) as store:
            await store.save_site(HOME)
            assert (await store.info()).well


async def test_a_server_that_hangs_is_waited_for_in_bounds(tmp_path: Path) -> None:
    async with own_server(tmp_path) as (server, running), opened(SecretStr(server.url)) as store:
        await store.save_site(HOME)
        await running.pause()
        with impatience():
            assert "did not answer in time" in await refusal(store.sites())
            assert "did not answer in time" in await refusal(store.save_coverage("store", [LIVE], []))
            info = await store.info()
        assert not info.well
        assert info.detail
        await running.resume()
        assert await store.sites() == [HOME]
        await store.save_coverage("store", [STATES], [])
        assert await store.coverage("store") == [STATES]


async def test_a_server_that_was_killed_is_found_again(tmp_path: Path) -> None:
    server = MongoDB(tmp_path, free_port(OWN_PORT))
    running = await start(server)
    async with opened(SecretStr(server.url)) as store:
        await store.save_site(HOME)
        await running.kill()
        with impatience():
            assert "cannot be reached" in await refusal(store.save_site(HOME))
        running = await start(server)
        await store.log(SyncEntry(1, "home", "connected", ""))
        assert await store.sites() == [HOME]
        assert len(await store.sync_log(5)) == 1
    await running.stop()


def _by(url: SecretStr, port: int) -> SecretStr:
    return SecretStr(urlsplit(url.get_secret_value())._replace(netloc=f"127.0.0.1:{port}").geturl())


@pytest.mark.parametrize("made", [True, False], ids=["made all the same", "not made"])
async def test_a_step_in_doubt_leaves_no_coverage_that_nobody_claims(
    mongodb_url: str, new_mongodb: NewMongoDB, *, made: bool
) -> None:
    url = new_mongodb(mongodb_url)
    proxy = Proxy(urlsplit(mongodb_url).port or 27_017)
    async with proxy.listening(), opened(_by(url, proxy.port)) as store:
        await store.save_coverage("store", [LIVE], [])
        further = replace(LIVE, span=Span(30, 40))
        async with proxy.halve() if made else proxy.cut():
            with impatience():
                await refusal(store.save_coverage("store", [STATES, further], []))
        # The caller thinks of that as not done, and goes on from what was there before: further is never claimed again.
        await store.save_coverage("store", [replace(LIVE, span=Span(10, 12))], [LIVE])
    async with opened(url) as store:
        assert await store.coverage("store") == [replace(LIVE, span=Span(10, 12))]


async def test_coverage_that_is_replaced_is_removed(mongodb_url: str, new_mongodb: NewMongoDB) -> None:
    url = new_mongodb(mongodb_url)
    async with opened(url) as store:
        for until_us in range(11, 31):
            before = [] if until_us == 11 else [replace(LIVE, span=Span(10, until_us - 1))]
            await store.save_coverage("store", [replace(LIVE, span=Span(10, until_us))], before)
        await store.save_coverage("store", [STATES], [])
        await store.save_coverage("store", [], [STATES])
        assert await store.coverage("store") == [replace(LIVE, span=Span(10, 30))]
    counts: list[int] = []
    change(url, lambda database: counts.append(database.coverage.count_documents({})))
    assert counts == [1]


async def test_a_second_server_on_the_database_is_told_to_the_first(mongodb_url: str, new_mongodb: NewMongoDB) -> None:
    url = new_mongodb(mongodb_url)
    async with opened(url) as first, opened(url) as second:
        await first.save_coverage("store", [LIVE], [])
        assert await second.coverage("store") == [LIVE]
        assert "Another server took over" in await refusal(first.save_coverage("store", [STATES], []))
        await second.save_coverage("store", [STATES], [LIVE])
        assert await second.coverage("store") == [STATES]


@pytest.mark.parametrize("collection", ["sites", "entities", "dirty", "documents", "sync_log", "coverage_heads"])
async def test_what_somebody_altered_by_hand_is_told(
    mongodb_url: str, new_mongodb: NewMongoDB, collection: str
) -> None:
    url = new_mongodb(mongodb_url)
    altered: dict[str, Any] = {
        "_id": "store" if collection == "coverage_heads" else 7,
        "site": "home",
        "json": 3,
        "surprise": {},
    }
    async with opened(url) as store:
        change(url, lambda database: database[collection].insert_one(altered))
        reads: dict[str, Awaitable[object]] = {
            "sites": store.sites(),
            "entities": store.entities("home"),
            "dirty": store.dirty(),
            "documents": store.document(7),  # type: ignore[arg-type]  # as altered
            "sync_log": store.sync_log(5),
            "coverage_heads": store.coverage("store"),
        }
        for name, read in reads.items():
            if name == collection:
                assert f"of the collection {collection.removesuffix('_heads')} is not" in await refusal(read)
            else:
                await read
