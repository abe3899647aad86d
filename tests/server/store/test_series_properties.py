"""Laws of a SeriesStore, on made up histories: the order of arrival does not matter, nor does saying it twice."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from energy_server.store.port import SeriesStore
from tests.server.store.conftest import SERIES
from tests.server.store.readings import EVER, NOON_US, SITE, Row, changes_of, rows_of, statistics

KEYS = ("a", "b")
type Said = list[tuple[str, int, Origin]]
INSTANTS = [NOON_US + day * 86_400_000_000 + step for day in (-31, 0, 30) for step in range(4)]

# What Home Assistant says of an instant does not change, but each path may say it differently: rounded, or later.
SAID = st.tuples(st.sampled_from(KEYS), st.sampled_from(INSTANTS), st.sampled_from(Origin))
APPENDS = st.lists(st.lists(SAID, max_size=12), max_size=6)


def value_of(key: str, ts_us: int, origin: Origin) -> float | None:
    """Return what an origin says of an instant: two paths never agree, and some instants are unavailabilities."""
    value = float(hash((key, ts_us)) % 1_000)
    return None if value < 200 and origin is Origin.LIVE else value + origin / 4


def batches(said: Said) -> list[ReadingBatch]:
    return [
        ReadingBatch(
            SITE,
            origin,
            [key for key, _, by in said if by is origin],
            [ts for _, ts, by in said if by is origin],
            [value_of(key, ts, origin) for key, ts, by in said if by is origin],
            [None for *_, by in said if by is origin],
        )
        for origin in Origin
    ]


def expected(appends: list[Said]) -> dict[str, list[Row]]:
    """Return what a store holds at the end: the live value, else what came first."""
    held: dict[tuple[str, int], Origin] = {}
    for said in appends:
        for origin in Origin:
            for key, ts, by in said:
                if by is origin and (origin is Origin.LIVE or (key, ts) not in held):
                    held[key, ts] = origin
    return {
        key: sorted((ts, value_of(key, ts, origin)) for (of, ts), origin in held.items() if of == key) for key in KEYS
    }


async def everything(store: SeriesStore) -> dict[str, list[Row]]:
    return {key: rows_of(await store.read(SITE, key, *EVER)) for key in KEYS}


async def filled(folder: Path, adapter: str, appends: list[Said]) -> dict[str, list[Row]]:
    store = SERIES[adapter](folder)
    await store.open()
    for said in appends:
        await store.append(batches(said))
    found = await everything(store)
    latest = await store.latest(SITE)
    assert {key: (reading.ts_us, reading.value) for key, reading in latest.items()} == {
        key: rows[-1] for key, rows in found.items() if rows
    }
    assert (await store.info()).readings == sum(map(len, found.values()))
    await store.close()
    await store.open()
    assert await everything(store) == found
    assert await store.latest(SITE) == latest
    await store.close()
    return found


def run(adapter: str, appends: list[Said]) -> dict[str, list[Row]]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(filled(Path(folder), adapter, appends))


@pytest.mark.parametrize("adapter", SERIES)
@settings(max_examples=20, deadline=None)
@given(appends=APPENDS)
def test_a_store_holds_the_live_value_else_the_first(adapter: str, appends: list[Said]) -> None:
    assert run(adapter, appends) == expected(appends)


@pytest.mark.parametrize("adapter", SERIES)
@settings(max_examples=10, deadline=None)
@given(appends=APPENDS, again=st.lists(st.integers(0, 5), max_size=6))
def test_a_replay_changes_nothing(adapter: str, appends: list[Said], again: list[int]) -> None:
    replayed = [*appends, *(appends[at] for at in again if at < len(appends))]
    assert run(adapter, replayed) == run(adapter, appends)


@pytest.mark.parametrize("adapter", SERIES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same(adapter: str, data: st.DataObject) -> None:
    """Live beside one other origin: which of several other origins came first may rightly matter."""
    two = st.tuples(st.sampled_from(KEYS), st.sampled_from(INSTANTS), st.sampled_from([Origin.LIVE, Origin.RECORDER]))
    appends = data.draw(st.lists(st.lists(two, max_size=12), max_size=5))
    shuffled = data.draw(st.permutations(appends))
    assert run(adapter, list(shuffled)) == run(adapter, appends)


@pytest.mark.parametrize("adapter", SERIES)
@settings(max_examples=10, deadline=None)
@given(
    puts=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(KEYS),
                st.integers(-40, 40).map(lambda step: NOON_US + step * 300_000_000 * 288 * 7),
                st.floats(-1e6, 1e6),
            ),
            max_size=20,
        ),
        max_size=5,
    )
)
def test_statistics_are_what_was_said_last(adapter: str, puts: list[list[tuple[str, int, float]]]) -> None:
    async def put_all(folder: Path) -> list[tuple[str, int, float | None]]:
        store = SERIES[adapter](folder)
        await store.open()
        for rows in puts:
            await store.put_statistics(SITE, Level.FIVE_MINUTES, Source.ROLLUP, statistics(rows))
        found = await store.statistics(SITE, KEYS, Level.FIVE_MINUTES, Source.ROLLUP, *EVER)
        await store.close()
        return changes_of(found)

    last = {(key, start): value for rows in puts for key, start, value in rows}
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(put_all(Path(folder))) == sorted((key, start, value) for (key, start), value in last.items())
