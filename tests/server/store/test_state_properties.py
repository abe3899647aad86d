"""Laws of the StateStores, on made up histories and made up names: both adapters answer alike."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.site import Site
from energy_server.store.mongodb import MongoStateStore
from energy_server.store.port import CoverageRow, StateStore, SyncEntry
from energy_server.store.sqlite import SqliteStateStore

NASTY = [
    *("", ".", "$", "$where", "a.b", "$a.$b", "__proto__", "_id", "\0", "a\0b", "'; DROP TABLE sites; --", '"', "\\"),
    *("Zähler", "電力", "\U0001f600", "\u202e", "null", "%00", "{$gt: ''}", "x" * 65_536),
]
NAMES = st.sampled_from([*NASTY, "a", "b", "c"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.sampled_from(["a", "b", "c"])
INSTANTS = st.integers(-(2**53), 2**62)
FEW = st.integers(0, 6)
MORE = 10 if os.environ.get("ENERGY_SOAK") else 1

type Step = Callable[[StateStore], Awaitable[object]]


def entity(key: str, name: str, since_us: int, *, role: bool) -> Entity:
    roles = (RoleAssignment(Role.DEVICE, name, name, name),) if role else ()
    state_class = StateClass.TOTAL if role else None
    return Entity("home", key, name, name, name, None, Kind.ENERGY, "kWh", state_class, "state", since_us, None, roles)


SPANS = st.builds(lambda since, length: Span(since, since + length + 1), FEW, FEW)
ROWS = st.builds(
    CoverageRow,
    PLAIN,
    st.none() | PLAIN,
    st.sampled_from(CoverageSource),
    SPANS,
    st.none() | st.sampled_from(["purged", "$set"]),
)
MARKS = st.lists(st.tuples(PLAIN, PLAIN, st.integers(0, 5).map(lambda hour: hour * 3_600_000_000)), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def coverage_changed(rows: list[CoverageRow], at: list[int]) -> Step:
    """Add rows, perhaps some that are there, and take away some that are; and do it again."""

    async def change(store: StateStore) -> None:
        present = sorted(await store.coverage("store"), key=repr)
        removed = [present[index % len(present)] for index in at] if present else []
        removed = list(dict.fromkeys(removed))
        for _ in range(2):  # it may have been done when it failed
            await store.save_coverage("store", rows, removed)

    return change


STEPS = st.lists(
    st.one_of(
        st.builds(coverage_changed, st.lists(ROWS, max_size=5), st.lists(st.integers(0, 9), max_size=3)),
        st.builds(lambda marks: lambda store: store.mark_dirty(marks), MARKS),
        st.builds(lambda marks: lambda store: store.clear_dirty(marks), MARKS),
        st.builds(
            lambda keys, name, now: (
                lambda store: store.save_catalog(
                    "home", [entity(key, name, now, role=now % 2 == 0) for key in keys], now
                )
            ),
            st.lists(PLAIN, unique=True, max_size=3),
            NAMES,
            INSTANTS,
        ),
        st.builds(lambda name, value: lambda store: store.put_document(name, {"it": value}), PLAIN, JSON),
        st.builds(
            lambda name, ts, since: lambda store: store.log(SyncEntry(ts, "home", name, name, since, None, 3, name)),
            NAMES,
            INSTANTS,
            st.none() | INSTANTS,
        ),
        st.builds(
            lambda id_, name: lambda store: store.save_site(Site(id_, name, "UTC", None, "NL", "1", "2")), PLAIN, NAMES
        ),
    ),
    max_size=12,
)


async def everything(store: StateStore) -> tuple[object, ...]:
    documents = [await store.document(name) for name in ("a", "b", "c")]
    coverage = sorted(await store.coverage("store"), key=repr)
    return (
        *(await store.sites(), await store.entities("home"), await store.dirty(), await store.sync_log(50)),
        *(coverage, documents),
    )


async def outcome(store: StateStore, steps: list[Step], *, reopen_at: int) -> tuple[object, ...]:
    await store.open()
    for at, step in enumerate(steps):
        await step(store)
        if at == reopen_at:
            await store.close()
            await store.open()
    known = await everything(store)
    await store.close()
    await store.open()
    assert await everything(store) == known
    await store.close()
    return known


@pytest.fixture(scope="module")
def new_url(mongodb_url: str) -> Callable[[], SecretStr]:
    return lambda: SecretStr(f"{mongodb_url}laws_{uuid4().hex}")


@settings(max_examples=25 * MORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, reopen_at=st.integers(0, 12))
def test_both_adapters_answer_alike(new_url: Callable[[], SecretStr], steps: list[Step], reopen_at: int) -> None:
    async def both() -> None:
        with tempfile.TemporaryDirectory() as folder:
            sqlite = await outcome(SqliteStateStore(Path(folder) / "state.sqlite"), steps, reopen_at=reopen_at)
        assert await outcome(MongoStateStore(new_url()), steps, reopen_at=reopen_at) == sqlite

    asyncio.run(both())


@settings(max_examples=15 * MORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names=st.lists(NAMES, min_size=2, max_size=2, unique=True), value=JSON)
@pytest.mark.parametrize("adapter", ["sqlite", "mongodb"])
def test_names_are_stored_and_never_interpreted(
    new_url: Callable[[], SecretStr], adapter: str, names: list[str], value: object
) -> None:
    name, other = names
    site = Site(name, name, name, name, None, name, name)
    row = CoverageRow(name, name, CoverageSource.NONE, Span(0, 1), name)

    async def check(store: StateStore) -> None:
        await store.open()
        await store.save_site(site)
        await store.save_site(replace(site, id=other))
        await store.save_catalog(name, [replace(entity(key, name, 1, role=True), site=name) for key in names], 5)
        await store.save_coverage(name, [row, replace(row, key=other, reason=None)], [])
        await store.mark_dirty([(name, other, 0), (other, name, 0)])
        await store.put_document(name, {name: {other: value}})
        await store.log(SyncEntry(1, name, name, name, source=name, result=name))
        assert sorted(await store.sites(), key=lambda one: one.id) == sorted(
            [site, replace(site, id=other)], key=lambda one: one.id
        )
        assert [one.key for one in await store.entities(name)] == names
        assert await store.entities(other) == []
        assert set(await store.coverage(name)) == {row, replace(row, key=other, reason=None)}
        await store.clear_dirty([(name, other, 0)])
        assert await store.dirty() == [(other, name, 0)]
        assert await store.document(name) == {name: {other: value}}
        assert await store.document(other) is None
        assert await store.sync_log(1) == [SyncEntry(1, name, name, name, source=name, result=name)]
        await store.close()

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            sqlite = adapter == "sqlite"
            await check(SqliteStateStore(Path(folder) / "state.sqlite") if sqlite else MongoStateStore(new_url()))

    asyncio.run(run())
