"""Laws of a SeriesStore, on made up histories: the order of arrival does not matter, nor does saying it twice."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from energy_server.store.port import SeriesStore
from tests.server.store.readings import EVER, NOON_US, Row, changes_of, rows_of, statistics

KEYS = ("a", "b")
type MakeAgain = Callable[[], SeriesStore]
type Said = list[tuple[str, int, Origin]]
INSTANTS = [NOON_US + day * 86_400_000_000 + step for day in (-31, 0, 30) for step in range(4)]

# What Home Assistant says of an instant does not change, but each path may say it differently: rounded, or later.
SAID = st.tuples(st.sampled_from(KEYS), st.sampled_from(INSTANTS), st.sampled_from(Origin))
APPENDS = st.lists(st.lists(SAID, max_size=12), max_size=6)


def value_of(key: str, ts_us: int, origin: Origin) -> float | None:
    """Return what an origin says of an instant: two paths never agree, and some instants are unavailabilities."""
    value = float((ts_us % 997 * 31 + ord(key) * 131) % 1_000)
    return None if value < 200 and origin is Origin.LIVE else value + origin / 4


def batches(site: str, said: Said) -> list[ReadingBatch]:
    return [
        ReadingBatch(
            site,
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


async def everything(store: SeriesStore, site: str) -> dict[str, list[Row]]:
    return {key: rows_of(await store.read(site, key, *EVER)) for key in KEYS}


async def filled(make_again: MakeAgain, appends: list[Said]) -> dict[str, list[Row]]:
    site = uuid4().hex
    store = make_again()
    await store.open()
    before = (await store.info()).readings
    for said in appends:
        await store.append(batches(site, said))
    found = await everything(store, site)
    latest = await store.latest(site)
    assert {key: (reading.ts_us, reading.value) for key, reading in latest.items()} == {
        key: rows[-1] for key, rows in found.items() if rows
    }
    assert (await store.info()).readings - before == sum(map(len, found.values()))
    await store.close()
    await store.open()
    assert await everything(store, site) == found
    assert await store.latest(site) == latest
    await store.close()
    return found


def run(make_again: MakeAgain, appends: list[Said]) -> dict[str, list[Row]]:
    return asyncio.run(filled(make_again, appends))


@settings(max_examples=20, deadline=None)
@given(appends=APPENDS)
def test_a_store_holds_the_live_value_else_the_first(make_again: MakeAgain, appends: list[Said]) -> None:
    assert run(make_again, appends) == expected(appends)


@settings(max_examples=10, deadline=None)
@given(appends=APPENDS, again=st.lists(st.integers(0, 5), max_size=6))
def test_a_replay_changes_nothing(make_again: MakeAgain, appends: list[Said], again: list[int]) -> None:
    replayed = [*appends, *(appends[at] for at in again if at < len(appends))]
    assert run(make_again, replayed) == run(make_again, appends)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same(make_again: MakeAgain, data: st.DataObject) -> None:
    """Live beside one other origin: which of several other origins came first may rightly matter."""
    two = st.tuples(st.sampled_from(KEYS), st.sampled_from(INSTANTS), st.sampled_from([Origin.LIVE, Origin.RECORDER]))
    appends = data.draw(st.lists(st.lists(two, max_size=12), max_size=5))
    shuffled = data.draw(st.permutations(appends))
    assert run(make_again, list(shuffled)) == run(make_again, appends)


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
def test_statistics_are_what_was_said_last(make_again: MakeAgain, puts: list[list[tuple[str, int, float]]]) -> None:
    site = uuid4().hex

    async def put_all() -> list[tuple[str, int, float | None]]:
        store = make_again()
        await store.open()
        for rows in puts:
            await store.put_statistics(site, Level.FIVE_MINUTES, Source.ROLLUP, statistics(rows))
        found = await store.statistics(site, KEYS, Level.FIVE_MINUTES, Source.ROLLUP, *EVER)
        await store.close()
        return changes_of(found)

    last = {(key, start): value for rows in puts for key, start, value in rows}
    assert asyncio.run(put_all()) == sorted((key, start, value) for (key, start), value in last.items())
