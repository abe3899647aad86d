"""The tables of QuestDB: made, brought to the next release, and what somebody did to them by hand."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.statistic import Level, Source
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore, schema
from energy_server.store.questdb.schema import READINGS, SERIES, STATISTICS, STORE, TABLES, Table
from tests.server.store.questdb_tables import drop_tables, opened, run
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, batch, rows_of, statistics

NOTES = "energy_notes"
WITH_NOTES = {**TABLES, NOTES: Table({"ts": "TIMESTAMP", "note": "VARCHAR"}, (), "YEAR", since=2)}
QUALITY = (READINGS, "quality")
READINGS_OF_2 = replace(TABLES[READINGS], columns={**TABLES[READINGS].columns, "quality": "BYTE"})


@pytest.fixture
async def store(questdb: QuestDBAddress) -> AsyncIterator[QuestDBSeriesStore]:
    async with opened(questdb) as store:
        yield store


async def test_tables_of_a_later_release(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    await store.close()
    run(questdb, f"INSERT INTO {STORE} VALUES (0::timestamp, 'x', 99)")  # noqa: S608 a table's name
    run(questdb, f"SELECT wait_wal_table('{STORE}')")
    with pytest.raises(StoreUnavailableError, match="later release"):
        await store.open()


@pytest.fixture
def release_2(questdb: QuestDBAddress, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what makes this the next release: with one more table, and with these tables and steps."""

    def update(tables: Mapping[str, Table], *columns: tuple[str, str]) -> None:
        monkeypatch.setattr(schema, "VERSION", 2)
        monkeypatch.setattr(schema, "TABLES", {**WITH_NOTES, **tables})
        monkeypatch.setattr(schema, "MIGRATIONS", (columns,))

    yield update
    run(questdb, f"DROP TABLE IF EXISTS {NOTES}")


@pytest.mark.parametrize(
    ("tables", "columns"),
    [({}, ()), ({READINGS: READINGS_OF_2}, (QUALITY,))],
    ids=["a table", "a table and a column"],
)
async def test_an_upgrade_keeps_the_store(
    questdb: QuestDBAddress,
    store: QuestDBSeriesStore,
    release_2: Callable[..., None],
    tables: Mapping[str, Table],
    columns: Sequence[tuple[str, str]],
) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    release_2(tables, *columns)
    for _ in range(2):
        await store.open()
        assert store.store_id == store_id
        assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
        assert (await store.info()).well
        await store.close()
    assert [row[0] for row in run(questdb, f"SELECT version FROM {STORE}")] == [2]  # noqa: S608 a table's name


async def test_an_upgrade_of_a_store_that_lost_a_table(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, release_2: Callable[..., None]
) -> None:
    store_id = store.store_id
    await store.close()
    run(questdb, f"DROP TABLE {READINGS}")
    release_2({READINGS: READINGS_OF_2}, QUALITY)
    await store.open()
    assert store.store_id != store_id


async def test_an_upgrade_that_fails_on_the_way_is_done_again(
    store: QuestDBSeriesStore, release_2: Callable[..., None]
) -> None:
    store_id = store.store_id
    await store.close()
    altered = replace(TABLES[STATISTICS], columns={**TABLES[STATISTICS].columns, "covered_s": "FLOAT"})
    release_2({READINGS: READINGS_OF_2, STATISTICS: altered}, QUALITY)
    with pytest.raises(StoreUnavailableError, match="covered_s"):
        await store.open()
    release_2({READINGS: READINGS_OF_2}, QUALITY)
    await store.open()
    assert store.store_id == store_id


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        (READINGS, "DROP COLUMN reset", "lacks the column reset"),
        (READINGS, "ALTER COLUMN value TYPE FLOAT", "column value as FLOAT and not as DOUBLE"),
        (READINGS, "RENAME COLUMN origin TO source", "lacks the column origin"),
        (READINGS, "SET TTL 3 DAYS", "has a TTL"),
        (READINGS, "DEDUP DISABLE", "lost its WAL or its DEDUP"),
        (STATISTICS, "DEDUP ENABLE UPSERT KEYS(ts, site, key)", "tells rows apart by key, site, ts"),
        (STATISTICS, "DROP COLUMN covered_s", "lacks the column covered_s"),
    ],
)
async def test_a_table_that_somebody_altered(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, table: str, change: str, told: str
) -> None:
    run(questdb, f"ALTER TABLE {table} {change}")
    run(questdb, f"SELECT wait_wal_table('{table}')")
    info = await store.info()
    assert not info.well
    assert told in str(info.detail)
    with pytest.raises(StoreUnavailableError, match="Somebody altered"):
        await store.append([batch("a", [(NOON_US, 1.0)])])
    with pytest.raises(StoreUnavailableError, match="Somebody altered"):
        await store.upkeep()
    with pytest.raises(StoreUnavailableError, match=f"table {table}: it .*Change it back"):
        await QuestDBSeriesStore(questdb).open()


async def test_a_table_that_is_changed_back(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    run(questdb, f"ALTER TABLE {READINGS} SET TTL 3 DAYS")
    run(questdb, f"SELECT wait_wal_table('{READINGS}')")
    assert not (await store.info()).well
    run(questdb, f"ALTER TABLE {READINGS} SET TTL 0 DAYS")
    run(questdb, f"SELECT wait_wal_table('{READINGS}')")
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert (await store.info()).well


async def test_a_column_that_somebody_added_is_left_alone(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    run(questdb, f"ALTER TABLE {READINGS} ADD COLUMN note VARCHAR")
    run(questdb, f"SELECT wait_wal_table('{READINGS}')")
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert (await store.info()).well


@pytest.mark.parametrize("table", TABLES)
async def test_a_store_that_lost_a_table_is_another_store(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, table: str
) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    run(questdb, f"DROP TABLE {table}")
    info = await store.info()
    assert (info.well, f"table {table} is gone" in str(info.detail)) == (False, True)
    with pytest.raises(StoreUnavailableError, match="is gone: restart the server"):
        await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    await store.open()
    assert store.store_id != store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]


async def test_a_questdb_that_began_anew_is_not_written_to(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    drop_tables(questdb)
    another = QuestDBSeriesStore(questdb)
    await another.open()
    with pytest.raises(StoreUnavailableError, match="another store than at the start"):
        await store.upkeep()
    with pytest.raises(StoreUnavailableError, match="another store than at the start"):
        await store.append([batch("a", [(NOON_US, 1.0)])])
    await another.close()


async def test_two_servers_on_one_questdb_see_each_other(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    another = QuestDBSeriesStore(questdb)
    await another.open()
    assert another.store_id == store.store_id
    await another.append([batch("a", [(NOON_US, 1.0)])])
    assert rows_of(await another.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert (await another.info()).readings == 1
    assert rows_of(await store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    await another.close()


@pytest.mark.parametrize("table", [READINGS, STATISTICS, SERIES])
async def test_rows_that_somebody_removed_make_it_another_store(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, table: str
) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    await everything_shows(store)
    run(questdb, f"TRUNCATE TABLE {table}")
    run(questdb, f"SELECT wait_wal_table('{table}')")
    told = f"table {table} has lost rows that somebody removed: restart the server"
    info = await store.info()
    assert (info.well, told in str(info.detail)) == (False, True)
    with pytest.raises(StoreUnavailableError, match=told):
        await store.append([batch("a", [(NOON_US + 1, 1.0)])])
    with pytest.raises(StoreUnavailableError, match=told):
        await store.upkeep()
    await store.close()
    await store.open()
    assert store.store_id != store_id
    await store.append([batch("a", [(NOON_US + 1, 1.0)])])
    assert (NOON_US + 1, 1) in rows_of(await store.read(SITE, "a", *EVER))
    assert (await store.info()).well


async def test_days_that_somebody_removed_make_it_another_store(
    questdb: QuestDBAddress, store: QuestDBSeriesStore
) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0), (NOON_US + DAY_US, 2.0)])])
    await everything_shows(store)
    run(questdb, f"ALTER TABLE {READINGS} DROP PARTITION LIST '2026-10-13'")
    run(questdb, f"SELECT wait_wal_table('{READINGS}')")
    with pytest.raises(StoreUnavailableError, match="has lost rows that somebody removed"):
        await store.upkeep()
    await store.close()
    await store.open()
    assert store.store_id != store_id


async def test_readings_that_were_removed_while_it_was_closed(
    questdb: QuestDBAddress, store: QuestDBSeriesStore
) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    run(questdb, f"TRUNCATE TABLE {READINGS}")
    await store.open()
    assert store.store_id not in {store_id, ""}
    assert await store.latest(SITE) == {}
    again = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.close()
    await store.open()
    assert store.store_id == again


@pytest.mark.parametrize("table", [READINGS, STATISTICS, SERIES])
async def test_nothing_is_acknowledged_into_a_table_that_is_gone(
    questdb: QuestDBAddress, store: QuestDBSeriesStore, table: str
) -> None:
    await store.append([batch("a", [(NOON_US, 1.0)])])
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    run(questdb, f"DROP TABLE {table}")
    with pytest.raises(StoreUnavailableError, match=f"table {table} is gone"):
        await store.append([batch("a", [(NOON_US + 1, 1.0)])])
    with pytest.raises(StoreUnavailableError, match=f"table {table} is gone"):
        await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    assert table not in {row[0] for row in run(questdb, "SELECT table_name FROM tables()")}, "nobody made it anew"


async def test_a_table_that_somebody_made_anew(questdb: QuestDBAddress, store: QuestDBSeriesStore) -> None:
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0)])])
    run(questdb, f"DROP TABLE {READINGS}")
    run(questdb, TABLES[READINGS].creation(READINGS))
    with pytest.raises(StoreUnavailableError, match="was made anew by somebody: restart the server"):
        await store.append([batch("a", [(NOON_US + 1, 1.0)])])
    await store.close()
    await store.open()
    assert store.store_id != store_id


async def everything_shows(store: QuestDBSeriesStore) -> None:
    await store.read(SITE, "a", *EVER)
    await store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)
    assert (await store.info()).well
