"""What every StateStore does: the contract of `store.port`."""

import time
from dataclasses import replace

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.site import Site
from energy_server.store.port import MOST_DOCUMENT_BYTES, CoverageRow, StateStore, SyncEntry
from tests.server.store.conftest import Opened

HOME = Site("home", "Home", "Europe/Amsterdam", "EUR", None, "2026.10.4", "0.1.0")
METER = Entity(
    site="home",
    key="a",
    entity_id="sensor.meter",
    name="Zähler '1'",
    area="Cellar",
    device=None,
    kind=Kind.ENERGY,
    unit="kWh",
    state_class=StateClass.TOTAL_INCREASING,
    source="state",
    since_us=10,
    roles=(RoleAssignment(Role.GRID_IMPORT, "grid:0", "Grid"), RoleAssignment(Role.DEVICE, "device:0", parent="b")),
)
GAUGE = replace(METER, key="b", kind=Kind.POWER, unit="W", state_class=None, area=None, device="Plug", roles=())
LIVE = CoverageRow("home", None, CoverageSource.LIVE, Span(10, 20), None)
NONE = CoverageRow("home", "a", CoverageSource.NONE, Span(0, 10), "no_statistics")


async def test_sites_are_kept_and_replaced(opened_state: Opened[StateStore]) -> None:
    await opened_state.store.save_site(HOME)
    await opened_state.store.save_site(replace(HOME, id="another"))
    await opened_state.store.save_site(replace(HOME, name="Moved"))
    again = await opened_state.reopened()
    assert await again.sites() == [replace(HOME, id="another"), replace(HOME, name="Moved")]


async def test_a_catalog_is_kept_in_its_order(opened_state: Opened[StateStore]) -> None:
    await opened_state.store.save_catalog("home", [GAUGE, METER], 100)
    await opened_state.store.save_catalog("another", [replace(METER, site="another")], 100)
    assert await (await opened_state.reopened()).entities("home") == [GAUGE, METER]
    assert await opened_state.store.entities("another") == [replace(METER, site="another")]


async def test_an_entity_leaves_the_catalog_and_returns(state_store: StateStore) -> None:
    await state_store.save_catalog("home", [METER, GAUGE], 100)
    await state_store.save_catalog("home", [GAUGE], 200)
    await state_store.save_catalog("home", [GAUGE], 300)
    assert await state_store.entities("home") == [GAUGE, replace(METER, until_us=200)]
    returned = replace(METER, since_us=400, name="New")
    await state_store.save_catalog("home", [returned, GAUGE], 400)
    assert await state_store.entities("home") == [returned, GAUGE]


async def test_who_left_later_may_have_left_earlier(opened_state: Opened[StateStore]) -> None:
    later, early = replace(METER, key="c"), replace(METER, key="d")
    for catalog, now_us in (([METER, later, early], 100), ([METER, later], 200), ([METER], 300)):
        await opened_state.store.save_catalog("home", catalog, now_us)
    await opened_state.store.left_by("another", 150)
    await opened_state.store.left_by("home", 250)
    left = {one.key: one.until_us for one in await (await opened_state.reopened()).entities("home")}
    assert left == {METER.key: None, "c": 250, "d": 200}


async def test_coverage_is_added_and_removed_in_one_step(opened_state: Opened[StateStore]) -> None:
    await opened_state.store.save_coverage("store", [LIVE, NONE], [])
    longer = replace(LIVE, span=Span(10, 30))
    await opened_state.store.save_coverage("store", [longer], [LIVE])
    found = await (await opened_state.reopened()).coverage("store")
    assert sorted(found, key=lambda row: row.span) == [NONE, longer]


async def test_coverage_of_another_store_is_void(state_store: StateStore) -> None:
    await state_store.save_coverage("old", [LIVE], [])
    assert await state_store.coverage("new") == []
    assert await state_store.coverage("old") == []


async def test_dirty_marks_are_kept_once(opened_state: Opened[StateStore]) -> None:
    await opened_state.store.mark_dirty([("home", "a", 0), ("home", "b", 0)])
    await opened_state.store.mark_dirty([("home", "a", 0), ("home", "a", 3600)])
    again = await opened_state.reopened()
    assert sorted(await again.dirty()) == [("home", "a", 0), ("home", "a", 3600), ("home", "b", 0)]
    await again.clear_dirty([("home", "a", 0), ("home", "x", 0)])
    await again.clear_dirty([])
    assert sorted(await again.dirty()) == [("home", "a", 3600), ("home", "b", 0)]


async def test_a_document_has_a_limit(opened_state: Opened[StateStore]) -> None:
    longest = {"text": "x" * (MOST_DOCUMENT_BYTES - len('{"text": ""}'))}
    await opened_state.store.put_document("long", longest)
    for too_long in ("x", "ö"):
        with pytest.raises(ValueError, match="may take"):
            await opened_state.store.put_document("long", {"text": longest["text"][1:] + too_long * 2})
    assert await opened_state.store.document("long") == longest


async def test_documents_are_kept_and_replaced(opened_state: Opened[StateStore]) -> None:
    assert await opened_state.store.document("settings") is None
    await opened_state.store.put_document("settings", {"old": True})
    await opened_state.store.put_document("settings", {"größe": [1, None, 2.5], "deep": {"er": "x"}})
    again = await opened_state.reopened()
    assert await again.document("settings") == {"größe": [1, None, 2.5], "deep": {"er": "x"}}


async def test_the_sync_log_keeps_the_newest_thousand(state_store: StateStore) -> None:
    for line in range(1_005):
        await state_store.log(SyncEntry(line, "home", "import", f"line {line}"))
    newest = await state_store.sync_log(3)
    assert [entry.ts_us for entry in newest] == [1_004, 1_003, 1_002]
    assert newest[0] == SyncEntry(1_004, "home", "import", "line 1004")
    told = SyncEntry(9_999, "home", "backfill", "states", 10, 20, 7, "recorder", "cancelled")
    await state_store.log(told)
    assert await state_store.sync_log(1) == [told]
    assert [entry.ts_us for entry in await state_store.sync_log(5_000)][-1] == 6


async def test_a_closed_state_is_unavailable(state_store: StateStore) -> None:
    await state_store.save_site(HOME)
    await state_store.close()
    with pytest.raises(StoreUnavailableError):
        await state_store.sites()
    with pytest.raises(StoreUnavailableError):
        await state_store.save_site(HOME)
    await state_store.open()
    assert await state_store.sites() == [HOME]


async def test_it_tells_how_it_is(opened_state: Opened[StateStore]) -> None:
    empty = await opened_state.store.info()
    await opened_state.store.save_site(HOME)
    before_us = time.time_ns() // 1_000
    await opened_state.store.mark_dirty([("home", "a", 0), ("home", "b", 0)])
    info = await opened_state.store.info()
    assert info.well
    assert info.detail is None
    assert info.version
    assert info.rows == empty.rows + 3
    assert info.size_bytes > 0
    assert info.last_write_us is not None
    assert info.last_write_us >= before_us
    assert info.lag_s is None
    await opened_state.store.close()
    closed = await opened_state.store.info()
    assert not closed.well
    assert closed.detail
