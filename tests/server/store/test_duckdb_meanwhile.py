"""What comes while a DuckDB store sorts, at each of its steps: ahead of the copy, behind it, and beyond its end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore, Thresholds, upkeep
from tests.server.store.readings import EVER, HOUR_US, NOON_US, SITE, batch, changes_of, rows_of, statistics

KEYS = ("a", "b", "c", "d", "e")
PLACES = 60
WAIT_S = 60

pytestmark = pytest.mark.timeout(120)

type Place = tuple[str, int]
type Held = dict[Place, float]

PLACE = st.tuples(st.sampled_from(KEYS), st.integers(0, PLACES))
AT_FIRST = st.sets(st.tuples(st.sampled_from(KEYS[:4]), st.integers(10, PLACES - 10)), min_size=40)
MEANWHILE = st.lists(st.lists(PLACE, max_size=12, unique=True), max_size=10)


class OfReadings:
    """Readings of one month."""

    work = upkeep._Months

    async def put(self, store: DuckDBSeriesStore, rows: Held) -> None:
        await store.append([batch(key, [(_start_us(at), value)]) for (key, at), value in rows.items()])

    async def held(self, store: DuckDBSeriesStore) -> Held:
        assert (await store.info()).statistics == 0
        found = {key: rows_of(await store.read(SITE, key, *EVER)) for key in KEYS}
        return {(key, _place(ts_us)): value or 0 for key, rows in found.items() for ts_us, value in rows}


class OfStatistics:
    """Statistics of one year."""

    work = upkeep._Statistics

    async def put(self, store: DuckDBSeriesStore, rows: Held) -> None:
        put = statistics([(key, _start_us(at), value) for (key, at), value in rows.items()])
        await store.put_statistics(SITE, Level.HOUR, Source.IMPORT, put)

    async def held(self, store: DuckDBSeriesStore) -> Held:
        assert (await store.info()).readings == 0
        found = changes_of(await store.statistics(SITE, KEYS, Level.HOUR, Source.IMPORT, *EVER))
        return {(key, _place(start_us)): value or 0 for key, start_us, value in found}


def _start_us(place: int) -> int:
    return NOON_US + place * HOUR_US


def _place(start_us: int) -> int:
    return (start_us - NOON_US) // HOUR_US


async def sorted_beside(
    folder: Path, of: OfReadings | OfStatistics, places: Iterator[Sequence[Place]], rows_at_once: int
) -> None:
    """Sort, while more is put before and after each step; check that all of it is there ever after."""
    due = Thresholds(10, 0, 10, statistics_rows=10, rows_at_once=rows_at_once, pause_share=0)
    store = DuckDBSeriesStore(folder, thresholds=due, clock_us=lambda: NOON_US)
    await store.open()
    expected: Held = {}

    async def put_next() -> None:
        rows = {place: len(expected) + at / 100 for at, place in enumerate(next(places, ()))}
        if rows:
            await of.put(store, rows)
            expected.update(rows)

    async def check() -> None:
        assert await of.held(store) == expected
        info = await store.info()
        assert info.readings + info.statistics == len(expected)

    await put_next()
    with pytest.MonkeyPatch.context() as patched:
        for step in ("prepare", "copy", "seal"):
            _between(patched, of.work, step, put_next)
        said = await store.upkeep()
    assert said is not None
    assert said.startswith("Sorted")
    await check()
    while await store.upkeep():
        await check()
    await store.close()
    await store.open()
    await check()
    await store.close()


def _between(patched: pytest.MonkeyPatch, work: Any, step: str, put: Callable[[], Awaitable[None]]) -> None:
    """Put something before and after a step, which runs in a thread."""
    loop, real = asyncio.get_running_loop(), getattr(work, step)

    def between(self: Any) -> None:
        asyncio.run_coroutine_threadsafe(_awaited(put), loop).result(WAIT_S)
        real(self)
        asyncio.run_coroutine_threadsafe(_awaited(put), loop).result(WAIT_S)

    patched.setattr(work, step, between)


async def _awaited(put: Callable[[], Awaitable[None]]) -> None:
    await put()


@pytest.mark.parametrize("of", [OfReadings(), OfStatistics()], ids=["readings", "statistics"])
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(first=AT_FIRST, meanwhile=MEANWHILE, rows_at_once=st.integers(10, 40))
def test_what_comes_while_the_store_sorts_is_there(
    of: OfReadings | OfStatistics, first: set[Place], meanwhile: list[list[Place]], rows_at_once: int
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(sorted_beside(Path(folder), of, iter([sorted(first), *meanwhile]), rows_at_once))
