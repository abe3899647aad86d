"""The two SeriesStores are the same store: whatever happened to both, they answer alike."""

import asyncio
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import VALUE_COLUMNS, Level, Provenance, Source
from energy_server.store.port import SeriesStore
from tests.server.store.conftest import Make
from tests.server.store.readings import DAY_US, EVER, HOUR_US, NOON_US, SECOND_US, statistics

KEYS = ["a", "b", "never heard"]
INSTANTS = [NOON_US + day * DAY_US + step for day in (-31, 0, 30) for step in (0, 1, HOUR_US, 2 * HOUR_US)]

VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.0, -0.0, 1e-300, 1e300, 0.1]))
READING = st.tuples(st.sampled_from(KEYS[:2]), st.sampled_from(INSTANTS), VALUES, st.sampled_from([None, 0, NOON_US]))
BATCH = st.tuples(st.sampled_from(Origin), st.lists(READING, min_size=1, max_size=8))
APPEND = st.lists(BATCH, min_size=1, max_size=4)
PUT = st.tuples(
    st.sampled_from(Level),
    st.sampled_from(Source),
    st.sampled_from(Provenance),
    st.lists(
        st.tuples(
            st.sampled_from(KEYS[:2]),
            st.integers(-3, 3).map(lambda week: NOON_US + week * 7 * DAY_US),
            st.none() | st.floats(-1e6, 1e6),
        ),
        max_size=6,
    ),
)
HISTORIES = st.lists(APPEND | PUT, max_size=6)

type Open = Callable[[], SeriesStore]


def batch_of(site: str, origin: Origin, rows: list[tuple[str, int, float | None, int | None]]) -> ReadingBatch:
    keys, ts_us, values, resets = zip(*rows, strict=True)
    return ReadingBatch(site, origin, list(keys), list(ts_us), list(values), list(resets))


async def live_through(store: SeriesStore, site: str, history: list[Any]) -> None:
    for event in history:
        match event:
            case (Level() as level, Source() as source, provenance, rows):
                await store.put_statistics(site, level, source, statistics(rows, provenance=provenance))
            case batches:
                await store.append([batch_of(site, origin, rows) for origin, rows in batches])


async def answers(store: SeriesStore, site: str) -> dict[str, Any]:
    """Return what the store says to every question of the port, by the question."""
    found: dict[str, Any] = {"latest": await store.latest(site), "counts": await store.counts(site, KEYS, *EVER)}
    for key in KEYS:
        found[f"read {key}"] = await store.read(site, key, *EVER)
        found[f"reduce {key}"] = await store.reduce(site, key, NOON_US - 40 * DAY_US, NOON_US + 40 * DAY_US, 13)
        for at_us in (0, NOON_US - 31 * DAY_US, NOON_US, NOON_US + 1, NOON_US + DAY_US, NOON_US + 60 * DAY_US):
            found[f"before {key} {at_us}"] = await store.before(site, key, at_us)
            found[f"after {key} {at_us}"] = await store.after(site, key, at_us)
    for level in Level:
        for source in Source:
            for columns in (VALUE_COLUMNS, ("change",)):
                name = f"statistics {level.name} {source.name} {len(columns)}"
                found[name] = await store.statistics(site, KEYS, level, source, *EVER, columns)
    return found


def assert_same(one: Any, other: Any, question: str) -> None:
    if not hasattr(one, "__dataclass_fields__"):
        assert one == other, question
        return
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if not isinstance(mine, np.ndarray):
            assert mine == theirs, question
        elif field.name == "mean" and question.startswith("reduce"):
            # a sum of floats depends on its order, which no store promises
            assert np.allclose(mine, theirs, rtol=1e-9, atol=1e-9, equal_nan=True), question
        else:
            assert mine.dtype == theirs.dtype, question
            assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), question


@pytest.fixture(scope="session")
def both(
    on_duckdb: Make[SeriesStore], on_questdb: Make[SeriesStore], tmp_path_factory: pytest.TempPathFactory
) -> list[Open]:
    folder: Path = tmp_path_factory.mktemp("both")
    return [lambda: on_duckdb(folder), lambda: on_questdb(folder)]


async def answers_of(make: Open, site: str, history: list[Any]) -> list[dict[str, Any]]:
    """Return the answers after the history, after its replay, and after opening again."""
    store = make()
    await store.open()
    await live_through(store, site, history)
    found = [await answers(store, site)]
    await live_through(store, site, history)
    found.append(await answers(store, site))
    await store.close()
    await store.open()
    found.append(await answers(store, site))
    await store.close()
    return found


@pytest.mark.timeout(180)
@settings(max_examples=10, deadline=None)
@given(history=HISTORIES)
def test_both_stores_answer_alike(both: list[Open], history: list[Any]) -> None:
    site = uuid4().hex
    duckdb, questdb = [asyncio.run(answers_of(make, site, history)) for make in both]
    for mine, theirs in zip(duckdb, questdb, strict=True):
        for question in mine:
            assert_same(mine[question], theirs[question], question)


def test_both_stores_reduce_alike(both: list[Open]) -> None:
    site, rng = uuid4().hex, np.random.default_rng(20261121)
    ts_us = np.sort(rng.choice(30 * 86_400, 20_000, replace=False)) * SECOND_US + NOON_US
    values = [None if value > 0.99 else float(value) for value in rng.random(len(ts_us))]
    history = [[(Origin.LIVE, [("a", int(ts), value, None) for ts, value in zip(ts_us, values, strict=True)])]]

    async def reduced(make: Open) -> Any:
        store = make()
        await store.open()
        await live_through(store, site, history)
        found = await store.reduce(site, "a", NOON_US, NOON_US + 30 * DAY_US, 1_000)
        await store.close()
        return found

    duckdb, questdb = [asyncio.run(reduced(make)) for make in both]
    assert len(duckdb.start_us) == 1_000
    assert_same(duckdb, questdb, "reduce")
