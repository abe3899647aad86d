"""Dirty marks: durable before the readings, taken once these are written, forgotten once rolled up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.dirty import FAR_US, DirtyMarks
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import StateStore
from energy_server.store.sqlite import SqliteStateStore

SITE = "home"
NOON_US = 1_791_892_800_000_000


def batch(key: str, *ts_us: int) -> ReadingBatch:
    many = len(ts_us)
    return ReadingBatch(SITE, Origin.LIVE, [key] * many, list(ts_us), [1.0] * many, [None] * many)


async def write(dirty: DirtyMarks, *batches: ReadingBatch) -> None:
    async with dirty.marked(batches):
        pass


async def opened(state: StateStore) -> DirtyMarks:
    dirty = DirtyMarks(state)
    await dirty.load()
    return dirty


@pytest.fixture
async def dirty(state: StateStore) -> DirtyMarks:
    return await opened(state)


async def test_a_mark_is_the_exact_span_and_durable_as_hours(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US + 5, NOON_US + 2), batch("b", NOON_US - 1, NOON_US))
    assert dirty.take() == {
        (SITE, "a"): [Span(NOON_US + 2, NOON_US + 6)],
        (SITE, "b"): [Span(NOON_US - 1, NOON_US + 1)],
    }
    assert sorted(await state.dirty()) == [
        (SITE, "a", NOON_US),
        (SITE, "b", NOON_US - HOUR_US),
        (SITE, "b", NOON_US),
    ]


async def test_marks_are_durable_before_the_writing_and_taken_after_it(dirty: DirtyMarks, state: StateStore) -> None:
    async with dirty.marked([batch("a", NOON_US)]):
        assert await state.dirty() == [(SITE, "a", NOON_US)]
        assert dirty.take() == {}
    assert dirty.take() == {(SITE, "a"): [Span(NOON_US, NOON_US + 1)]}


async def test_an_hour_that_is_marked_costs_no_more_writing(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US))
    await state.close()
    await write(dirty, batch("a", NOON_US + 1))
    with pytest.raises(StoreUnavailableError):
        await write(dirty, batch("a", NOON_US + HOUR_US))
    await state.open()


async def test_what_could_not_be_marked_is_not_written(dirty: DirtyMarks, state: StateStore) -> None:
    await state.close()
    written = False
    with pytest.raises(StoreUnavailableError):
        async with dirty.marked([batch("a", NOON_US)]):
            written = True
    assert not written
    await state.open()


async def test_what_is_taken_stays_until_it_is_done(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US))
    first = dirty.take()
    await write(dirty, batch("a", NOON_US + 10))
    taken = dirty.take()
    assert taken == {(SITE, "a"): [Span(NOON_US, NOON_US + 11)]}
    await dirty.done(first)
    assert await state.dirty() == [(SITE, "a", NOON_US)]
    assert dirty.take() == taken, "of what was taken twice only the later is done"
    await dirty.done(taken)
    assert dirty.take() == {}
    assert await state.dirty() == []


async def test_marks_that_are_far_from_one_another_stay_apart(dirty: DirtyMarks, state: StateStore) -> None:
    early, late = NOON_US - 100 * FAR_US, NOON_US
    await write(dirty, batch("a", late))
    await write(dirty, batch("a", early))
    await write(dirty, batch("a", late + FAR_US))
    spans = [Span(early, early + 1), Span(late, late + FAR_US + 1)]
    taken = dirty.take()
    assert taken == {(SITE, "a"): spans}
    assert list((await opened(state)).take().values()) == [
        [Span(early, early + HOUR_US), Span(late, late + FAR_US + HOUR_US)]
    ]
    await write(dirty, batch("a", late - FAR_US))
    await dirty.done(taken)
    assert await state.dirty() == [(SITE, "a", late - FAR_US)]
    assert dirty.take() == {(SITE, "a"): [Span(late - FAR_US, late - FAR_US + 1)]}


async def test_what_is_marked_again_meanwhile_stays(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US), batch("b", NOON_US))
    taken = dirty.take()
    await write(dirty, batch("a", NOON_US + 7))
    await dirty.done(taken)
    assert await state.dirty() == [(SITE, "a", NOON_US)]
    assert dirty.take() == {(SITE, "a"): [Span(NOON_US + 7, NOON_US + 8)]}


async def test_what_is_being_written_meanwhile_stays(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US))
    taken = dirty.take()
    async with dirty.marked([batch("a", NOON_US + 7)]):
        await dirty.done(taken)
        assert await state.dirty() == [(SITE, "a", NOON_US)]
    assert dirty.take() == {(SITE, "a"): [Span(NOON_US + 7, NOON_US + 8)]}


async def test_marks_survive_a_restart_as_whole_hours(dirty: DirtyMarks, state: StateStore) -> None:
    await write(dirty, batch("a", NOON_US + 5, NOON_US + 3 * HOUR_US))
    dirty.take()
    again = await opened(state)
    taken = again.take()
    assert taken == {(SITE, "a"): [Span(NOON_US, NOON_US + 4 * HOUR_US)]}
    await again.done(taken)
    assert (await opened(state)).take() == {}


async def test_a_claim_of_exact_states_marks_all_of_its_span(dirty: DirtyMarks) -> None:
    claims = [
        Claim(SITE, CoverageSource.STATES, Span(NOON_US, NOON_US + 2 * HOUR_US), ("a",)),
        Claim(SITE, CoverageSource.LIVE, Span(NOON_US, NOON_US + 2 * HOUR_US)),
    ]
    async with dirty.marked([], claims):
        pass
    assert dirty.take() == {(SITE, "a"): [Span(NOON_US, NOON_US + 2 * HOUR_US)]}


async def test_marking_and_clearing_at_once_loses_nothing(dirty: DirtyMarks, state: StateStore) -> None:
    async def work() -> None:
        for _ in range(20):
            await dirty.done(dirty.take())

    async def arrive() -> None:
        for step in range(20):
            await write(dirty, batch("a", NOON_US + step))

    await asyncio.gather(work(), arrive())
    left = dirty.take()
    assert {(*pair, NOON_US) for pair in left} == set(await state.dirty())


class InDoubt(SqliteStateStore):
    """A store whose answers get lost: the caller cannot know whether it was done."""

    lost = False

    async def mark_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        await super().mark_dirty(marks)
        self._answer()

    async def clear_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        await super().clear_dirty(marks)
        self._answer()

    def _answer(self) -> None:
        if self.lost:
            raise StoreUnavailableError("Nobody answered.")


async def test_a_mark_whose_clearing_is_in_doubt_is_made_again(tmp_path: Path) -> None:
    store = InDoubt(tmp_path / "state.sqlite")
    await store.open()
    dirty = await opened(store)
    await write(dirty, batch("a", NOON_US))
    taken = dirty.take()
    store.lost = True
    with pytest.raises(StoreUnavailableError):
        await dirty.done(taken)
    store.lost = False
    assert dirty.take() == taken, "what is not done is handed out again"
    await write(dirty, batch("a", NOON_US + 7))
    assert await store.dirty() == [(SITE, "a", NOON_US)]
    await dirty.done(dirty.take())
    assert await store.dirty() == []
    await store.close()


async def test_a_mark_that_is_in_doubt_is_cleared(tmp_path: Path) -> None:
    store = InDoubt(tmp_path / "state.sqlite")
    await store.open()
    dirty = await opened(store)
    store.lost = True
    with pytest.raises(StoreUnavailableError):
        await write(dirty, batch("a", NOON_US))
    store.lost = False
    assert await store.dirty() == [(SITE, "a", NOON_US)]
    await dirty.done(dirty.take())
    assert await store.dirty() == []
    await store.close()
