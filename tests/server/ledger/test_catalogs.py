"""Entities that come, leave and return: what claims for all of them say of each."""

from dataclasses import replace

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.store.port import StateStore
from tests.server.ledger.ledgers import LIVE, NONE, SITE, STATES, claim, entity, known, opened


class Home:
    """A Site whose catalog changes, as the Link stores it."""

    def __init__(self, state: StateStore, ledger: CoverageLedger) -> None:
        self.state, self.ledger = state, ledger

    async def names(self, *entities: Entity) -> None:
        adopted = await self.ledger.adopt(SITE, await self.state.entities(SITE), entities)
        await self.state.save_catalog(SITE, adopted, self.ledger.live_end_us(SITE) or 0)

    async def heard(self, since_us: int, until_us: int) -> None:
        await self.ledger.record(claim(LIVE, since_us, until_us))

    async def knows(self, key: str) -> list[tuple[int, int]]:
        (of,) = [one for one in await self.state.entities(SITE) if one.key == key]
        return [(since, until) for since, until, _ in known(self.ledger, of)]


@pytest.fixture
async def home(state: StateStore) -> Home:
    return Home(state, await opened(state))


async def test_the_first_catalog_counts_from_when_listening_began(home: Home) -> None:
    await home.names(entity("a", since_us=5))
    await home.heard(5, 100)
    assert await home.knows("a") == [(5, 100)]


async def test_one_that_is_selected_later_was_in_no_claim_before(home: Home) -> None:
    await home.names(entity("a"))
    await home.heard(0, 100)
    await home.names(entity("a"), entity("b", since_us=100))
    await home.heard(100, 200)
    assert await home.knows("a") == [(0, 200)]
    assert await home.knows("b") == [(100, 200)]


async def test_it_was_in_none_whatever_it_says_itself(home: Home) -> None:
    """A Home Assistant that was restored from a backup remembers an older beginning."""
    await home.names(entity("a"))
    await home.heard(0, 100)
    await home.names(entity("a"), entity("b", since_us=10))
    await home.heard(100, 200)
    assert await home.knows("b") == [(100, 200)]


async def test_one_that_left_is_known_until_then(home: Home) -> None:
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 100)
    await home.names(entity("a"))
    await home.heard(100, 200)
    assert await home.knows("b") == [(0, 100)]


async def test_one_that_left_and_returns_keeps_what_was_known(home: Home) -> None:
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 100)
    await home.names(entity("a"))
    await home.heard(100, 200)
    await home.names(entity("a"), entity("b", since_us=200))
    await home.heard(200, 300)
    assert await home.knows("b") == [(0, 100), (200, 300)]
    await home.names(entity("a"))
    await home.heard(300, 400)
    await home.names(entity("b", since_us=350), entity("a"))
    await home.heard(400, 500)
    assert await home.knows("b") == [(0, 100), (200, 300), (400, 500)]
    assert await home.knows("a") == [(0, 500)]


async def test_one_that_is_listened_to_anew_keeps_what_was_known(home: Home) -> None:
    """The integration was removed and added again: everything begins anew, nobody left."""
    await home.names(entity("a"))
    await home.heard(0, 100)
    await home.names(entity("a", since_us=150))
    await home.heard(150, 200)
    assert await home.knows("a") == [(0, 100), (150, 200)]


async def test_the_same_catalog_again_changes_nothing(home: Home) -> None:
    """Neither does one of a Home Assistant that was restored from a backup and remembers an older beginning."""
    await home.names(entity("a", since_us=50))
    await home.heard(50, 100)
    for since_us in (50, 0):
        await home.names(entity("a", since_us=since_us))
        assert await home.knows("a") == [(50, 100)]


async def test_what_is_kept_is_durable_before_the_new_beginning(home: Home, state: StateStore) -> None:
    await home.names(entity("a"))
    await home.heard(0, 100)
    catalog = [entity("a", since_us=150)]
    old = await state.entities(SITE)
    await home.ledger.adopt(SITE, old, catalog)
    again = await opened(state)  # the server is killed before it stores the catalog
    assert known(again, old[0]) == [(0, 100, "live")]
    assert known(again, replace(old[0], since_us=150)) == [(0, 100, "live")]


async def test_a_catalog_waits_for_what_must_be_kept(home: Home, state: StateStore) -> None:
    await home.names(entity("a"))
    await home.heard(0, 100)
    old = await state.entities(SITE)
    await state.close()
    with pytest.raises(StoreUnavailableError):
        await home.ledger.adopt(SITE, old, [entity("a", since_us=150)])
    await state.open()
    await home.ledger.adopt(SITE, old, [entity("a", since_us=150)])
    assert known(await opened(state), replace(old[0], since_us=150)) == [(0, 100, "live")]


async def test_a_clock_set_back_cuts_what_was_kept_too(home: Home) -> None:
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 100)
    await home.names(entity("a"))
    await home.heard(100, 110)
    await home.names(entity("a"), entity("b", since_us=110))
    await home.heard(110, 120)
    await home.heard(60, 70)
    assert await home.knows("b") == [(0, 60)], "it was not listened to at that time"


async def test_one_that_left_in_a_time_that_comes_again_is_not_there_then(home: Home) -> None:
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 100)
    await home.names(entity("a"))
    await home.heard(60, 70)
    await home.heard(70, 130)
    assert await home.knows("a") == [(0, 130)]
    assert await home.knows("b") == [(0, 60)]


async def test_it_is_not_there_then_when_the_server_forgot_how_far_it_had_come(home: Home, state: StateStore) -> None:
    """Killed before the Coverage of the last seconds was written, but after the catalog was."""
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 100)
    await home.ledger.flush()
    await home.heard(100, 110)
    await home.names(entity("a"))
    again = Home(state, await opened(state))
    await again.names(entity("a"))
    await again.heard(105, 130)
    assert await again.knows("a") == [(0, 100), (105, 130)]
    assert await again.knows("b") == [(0, 100)]


async def test_states_of_all_hold_while_one_was_listened_to(home: Home) -> None:
    await home.names(entity("a"))
    await home.heard(0, 10)
    await home.heard(20, 100)
    await home.ledger.record(claim(STATES, 10, 20))
    await home.names(entity("a"), entity("b"))
    await home.heard(100, 110)
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 110)]
    assert await home.knows("b") == [(100, 110)]


async def test_a_clock_that_is_believed_voids_what_lies_after(home: Home, state: StateStore) -> None:
    await home.names(entity("a"))
    await home.heard(0, 100)
    await home.ledger.flush()
    await home.ledger.void_after(SITE, 40)
    assert [row.span for row in await state.coverage("store")] == [Span(0, 40)], "durable at once"
    await home.heard(40, 50)
    assert await home.knows("a") == [(0, 50)]


async def test_a_clock_that_is_believed_was_set_back_before_that(home: Home) -> None:
    """What waited for it to be believed tells since when; states that were fetched reach further."""
    await home.names(entity("a"), entity("b", since_us=100))
    await home.heard(100, 110)
    await home.ledger.record(claim(STATES, 0, 100, ["b"]))
    await home.ledger.void_after(SITE, 40)
    await home.names(entity("a"))
    await home.heard(30, 60)
    assert await home.knows("b") == [(0, 30)]


async def rows_of(state: StateStore, ledger: CoverageLedger) -> set[tuple[str | None, str, int, int]]:
    await ledger.flush()
    rows = await state.coverage("store")
    return {(row.key, row.source.value, row.span.since_us, row.span.until_us) for row in rows}


async def test_states_that_all_have_become_one_row(home: Home, state: StateStore) -> None:
    await home.names(entity("a"), entity("b"), entity("x", source="statistic"))
    await home.heard(0, 10)
    await home.heard(20, 30)
    await home.ledger.record(claim(STATES, 5, 20, ["a"]))
    assert await rows_of(state, home.ledger) == {
        (None, "live", 0, 10),
        (None, "live", 20, 30),
        ("a", "states", 5, 20),
    }
    await home.ledger.record(claim(STATES, 10, 18, ["b"]))
    assert await rows_of(state, home.ledger) == {
        (None, "live", 0, 10),
        (None, "live", 20, 30),
        (None, "states", 10, 18),
        ("a", "states", 5, 10),
        ("a", "states", 18, 20),
    }
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 30)]
    assert await home.knows("b") == [(0, 10), (10, 18), (20, 30)]


async def test_one_that_is_not_recorded_stands_not_in_the_way_and_gains_nothing(home: Home, state: StateStore) -> None:
    await home.names(entity("a"), entity("b"))
    await home.heard(0, 10)
    await home.heard(20, 30)
    await home.ledger.record(claim(NONE, 10, 20, ["b"], reason="not_recorded"))
    await home.ledger.record(claim(STATES, 10, 20, ["a"]))
    assert (None, "states", 10, 20) in await rows_of(state, home.ledger)
    (b,) = [one for one in await state.entities(SITE) if one.key == "b"]
    assert known(home.ledger, b) == [(0, 10, "live"), (10, 20, "none"), (20, 30, "live")]
    await home.names(entity("a"), entity("b", since_us=40))
    (b,) = [one for one in await state.entities(SITE) if one.key == "b"]
    assert known(home.ledger, b) == [(0, 10, "live"), (10, 20, "none"), (20, 30, "live")]


async def test_what_home_assistant_purged_since_stays_known(home: Home, state: StateStore) -> None:
    """Somebody asks again for what was fetched long ago, and Home Assistant has it no more."""
    await home.names(entity("a"), entity("b", since_us=0))
    await home.heard(0, 10)
    await home.heard(20, 30)
    await home.ledger.record(claim(STATES, 10, 20, ["a", "b"]))
    await home.ledger.flush()
    await home.ledger.record(claim(NONE, 5, 25, ["a"], reason="purged"))
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 30)]
    again = Home(state, await opened(state))
    await home.ledger.flush()
    assert await again.knows("b") == [(0, 10), (10, 20), (20, 30)]


async def test_one_that_is_selected_later_has_no_part_in_states_of_all(home: Home) -> None:
    await home.names(entity("a"))
    await home.heard(0, 10)
    await home.heard(20, 30)
    await home.names(entity("a"), entity("b", since_us=30))
    await home.heard(30, 40)
    await home.ledger.record(claim(STATES, 10, 20, ["a"]))
    await home.ledger.record(claim(STATES, 0, 30, ["b"]))
    await home.ledger.flush()
    assert await home.knows("b") == [(0, 30), (30, 40)]
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 40)]


async def test_one_that_left_gains_nothing_of_what_was_answered_after(home: Home) -> None:
    """Nobody can answer for it, so what it lacks it lacks, until it returns and is asked about."""
    await home.names(entity("a"), entity("b"), entity("z"))
    await home.heard(0, 10)
    await home.heard(20, 21)
    await home.names(entity("a"), entity("b"))
    await home.heard(21, 22)
    await home.ledger.record(claim(STATES, 10, 20, ["a", "b"]))
    await home.ledger.flush()
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 22)]
    assert await home.knows("z") == [(0, 10), (20, 21)]
    await home.names(entity("a"), entity("b"), entity("z", since_us=22))
    await home.heard(22, 30)
    assert await home.knows("z") == [(0, 10), (20, 21), (22, 30)]
    await home.ledger.record(claim(STATES, 10, 20, ["z"]))
    await home.ledger.flush()
    assert await home.knows("z") == [(0, 10), (10, 20), (20, 21), (22, 30)]


async def test_one_that_left_after_its_answer_stands_not_in_the_way(home: Home, state: StateStore) -> None:
    await home.names(entity("a"), entity("z"))
    await home.heard(0, 10)
    await home.heard(20, 30)
    await home.ledger.record(claim(STATES, 10, 20, ["z"]))
    await home.names(entity("a"))
    await home.heard(30, 40)
    await home.heard(50, 60)
    await home.ledger.record(claim(STATES, 10, 20, ["a"]))
    await home.ledger.record(claim(STATES, 40, 50, ["a"]))
    rows = await rows_of(state, home.ledger)
    assert {row for row in rows if row[1] == "states"} == {(None, "states", 10, 20), (None, "states", 40, 50)}
    assert await home.knows("z") == [(0, 10), (10, 20), (20, 30)]


async def test_one_that_is_listened_to_anew_keeps_its_states(home: Home) -> None:
    await home.names(entity("a"))
    await home.heard(0, 10)
    await home.heard(20, 100)
    await home.ledger.record(claim(STATES, 10, 20, ["a"]))
    await home.ledger.flush()
    await home.names(entity("a", since_us=150))
    await home.heard(150, 200)
    await home.ledger.flush()
    assert await home.knows("a") == [(0, 10), (10, 20), (20, 100), (150, 200)]
