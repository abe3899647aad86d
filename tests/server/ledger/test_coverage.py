"""Coverage: what claims add up to, what shrinks it, and what of it is durable when."""

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import Span
from energy_server.store.port import CoverageRow, StateStore
from tests.server.ledger.ledgers import HA_OFF, HOUR, LIVE, NONE, SITE, STATES, claim, entity, known, opened


@pytest.fixture
async def ledger(state: StateStore) -> CoverageLedger:
    return await opened(state)


async def test_nothing_is_known_at_first(ledger: CoverageLedger) -> None:
    assert known(ledger, entity("a")) == []
    assert ledger.live_end_us(SITE) is None
    assert ledger.live_spans(SITE) == []
    assert ledger.settled_hours(SITE, "a") == []


async def test_healthy_running_is_one_row(ledger: CoverageLedger, state: StateStore) -> None:
    for step in range(0, 500, 5):
        await ledger.record(claim(LIVE, step, step + 5))
    await ledger.flush()
    assert await state.coverage("store") == [CoverageRow(SITE, None, LIVE, Span(0, 500), None)]
    assert ledger.live_spans(SITE) == [Span(0, 500)]


async def test_a_gap_stays_a_gap(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.record(claim(LIVE, 200, 300))
    assert known(ledger, entity("a")) == [(0, 100, "live"), (200, 300, "live")]
    assert ledger.live_end_us(SITE) == 300


async def test_a_claim_for_all_reaches_no_further_back_than_an_entity_listened(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    assert known(ledger, entity("new", since_us=60)) == [(60, 100, "live")]
    assert known(ledger, entity("gone", until_us=40)) == [(0, 40, "live")]
    assert known(ledger, entity("a"), 30, 50) == [(30, 50, "live")]


async def test_a_claim_for_some_may_reach_back_before_they_listened(ledger: CoverageLedger) -> None:
    await ledger.record(claim(HOUR, 0, 60, ["new"]))
    await ledger.record(claim(LIVE, 50, 100))
    assert known(ledger, entity("new", since_us=70)) == [(0, 60, "hour"), (70, 100, "live")]
    assert known(ledger, entity("other", since_us=70)) == [(70, 100, "live")]


async def test_the_best_source_counts(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 40, 60))
    await ledger.record(claim(NONE, 0, 100, ["a"], reason="no_statistics"))
    await ledger.record(claim(HOUR, 10, 90, ["a"]))
    await ledger.record(claim(HA_OFF, 20, 80, reason="ha_off"))
    await ledger.record(claim(STATES, 30, 70, ["a"]))
    outer = ["none", "hour", "ha_off", "states"]
    rising = [(at * 10, at * 10 + 10, source) for at, source in enumerate(outer)]
    falling = [(90 - at * 10, 100 - at * 10, source) for at, source in enumerate(outer)]
    assert known(ledger, entity("a")) == sorted([*rising, (40, 60, "live"), *falling])


async def test_sites_do_not_mix(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 0, 100, site="another"))
    await ledger.record(claim(HOUR, 0, 100, ["a"], site="another"))
    assert known(ledger, entity("a")) == []
    assert ledger.live_end_us(SITE) is None
    assert ledger.settled_hours(SITE, "a") == []


async def test_hours_are_settled_by_imports_and_by_there_being_none(ledger: CoverageLedger) -> None:
    await ledger.record(claim(HOUR, 50, 100, ["a", "b"]))
    await ledger.record(claim(NONE, 0, 50, ["a"], reason="no_statistics"))
    await ledger.record(claim(NONE, 0, 50, ["b"], reason="purged"))
    await ledger.record(claim(STATES, 0, 100, ["d"]))
    assert [ledger.settled_hours(SITE, key) for key in "abd"] == [[Span(0, 100)], [Span(50, 100)], []]
    assert ledger.imported_hours(SITE, "a") == [Span(50, 100)]


async def test_readings_are_settled_by_all_but_hours(ledger: CoverageLedger) -> None:
    await ledger.record(claim(NONE, 0, 10, ["a"], reason="purged"))
    await ledger.record(claim(NONE, 10, 20, ["a"], reason="no_statistics"))
    await ledger.record(claim(HOUR, 10, 40, ["a"]))
    await ledger.record(claim(STATES, 40, 50, ["a"]))
    await ledger.record(claim(HA_OFF, 50, 60))
    await ledger.record(claim(LIVE, 60, 70))
    await ledger.record(claim(NONE, 80, 90, ["a"], reason="not_recorded"))
    settled = ledger.settled_readings(entity("a"), 5, 1_000)
    assert settled == [Span(5, 10), Span(40, 70), Span(80, 90)]


async def test_the_same_claim_again_changes_nothing(ledger: CoverageLedger) -> None:
    for _ in range(2):
        await ledger.record(claim(LIVE, 0, 50))
        await ledger.record(claim(LIVE, 50, 100))
        await ledger.record(claim(HOUR, 0, 100, ["a"]))
        assert known(ledger, entity("a")) == [(0, 100, "live")]


async def test_a_clock_set_back_cuts_what_lies_after(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.record(claim(STATES, 80, 120, ["a"]))
    await ledger.record(claim(HOUR, 0, 120, ["a"]))
    await ledger.record(claim(LIVE, 60, 65))
    assert ledger.live_spans(SITE) == [Span(0, 65)]
    assert known(ledger, entity("a")) == [(0, 65, "live"), (65, 120, "hour")]


async def test_a_cut_is_durable_at_once_and_growth_is_not(ledger: CoverageLedger, state: StateStore) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    assert await state.coverage("store") == []
    await ledger.flush()
    await ledger.record(claim(LIVE, 100, 200))
    assert [row.span for row in await state.coverage("store")] == [Span(0, 100)]
    await ledger.record(claim(LIVE, 60, 65))
    assert [row.span for row in await state.coverage("store")] == [Span(0, 65)]
    await ledger.record(claim(LIVE, 65, 70))
    assert [row.span for row in await state.coverage("store")] == [Span(0, 65)]
    await ledger.close()
    assert [row.span for row in await state.coverage("store")] == [Span(0, 70)]


async def test_what_the_store_lost_is_void_and_nothing_else(ledger: CoverageLedger, state: StateStore) -> None:
    lost = Span(100, 200)
    claims = [
        claim(LIVE, 0, 130),
        claim(LIVE, 140, 300),
        claim(LIVE, 0, 300, site="elsewhere"),
        claim(STATES, 90, 110, ["a"]),
        claim(HA_OFF, 130, 140, reason="ha_off"),
        claim(HOUR, 100, 160, ["a"]),
        claim(NONE, 180, 190, ["b"], reason="not_recorded"),
    ]
    for one in claims:
        await ledger.record(one)
    before = ledger.shape(SITE)
    await ledger.void_within(lost)
    assert known(ledger, entity("a")) == [
        (0, 100, "live"),
        (100, 130, "hour"),
        (130, 140, "ha_off"),
        (140, 160, "hour"),
        (200, 300, "live"),
    ]
    assert known(ledger, entity("b")) == [
        (0, 100, "live"),
        (130, 140, "ha_off"),
        (180, 190, "none"),
        (200, 300, "live"),
    ]
    assert ledger.live_spans("elsewhere") == [Span(0, 100), Span(200, 300)]
    assert ledger.shape(SITE) != before, "who remembers anything of it looks again"
    again = await opened(state)
    assert known(again, entity("a")) == known(ledger, entity("a")), "it is durable"
    await ledger.void_within(lost)
    assert ledger.live_end_us(SITE) == 300


async def test_an_empty_claim_of_an_earlier_time_cuts_too(ledger: CoverageLedger, state: StateStore) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.record(claim(LIVE, 40, 40))
    assert [row.span for row in await state.coverage("store")] == [Span(0, 40)]


async def test_a_live_claim_for_some_does_not_cut_the_others(ledger: CoverageLedger) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.record(claim(LIVE, 20, 30, ["a"]))
    assert known(ledger, entity("a")) == [(0, 100, "live")]
    assert ledger.live_end_us(SITE) == 100


async def test_everything_is_there_after_a_restart(ledger: CoverageLedger, state: StateStore) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.record(claim(LIVE, 150, 200))
    await ledger.record(claim(NONE, 0, 90, ["a"], reason="purged"))
    before = known(ledger, entity("a"))
    await ledger.close()
    again = await opened(state)
    assert known(again, entity("a")) == before
    assert again.settled_readings(entity("a"), 0, 90) == [Span(0, 90)]
    await again.record(claim(LIVE, 200, 250))
    await again.close()
    assert (await opened(state)).live_spans(SITE) == [Span(0, 100), Span(150, 250)]


async def test_another_series_store_voids_everything(ledger: CoverageLedger, state: StateStore) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.close()
    assert (await opened(state, "another store")).live_spans(SITE) == []


async def test_a_cut_that_could_not_be_stored_is_not_acknowledged_until_it_is(
    ledger: CoverageLedger, state: StateStore
) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await ledger.flush()
    await state.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await ledger.record(claim(LIVE, 60, 65))
    await state.open()
    await ledger.record(claim(LIVE, 60, 65))
    assert [row.span for row in await state.coverage("store")] == [Span(0, 65)]


async def test_growth_that_could_not_be_flushed_is_flushed_later(ledger: CoverageLedger, state: StateStore) -> None:
    await ledger.record(claim(LIVE, 0, 100))
    await state.close()
    with pytest.raises(StoreUnavailableError):
        await ledger.flush()
    await ledger.record(claim(LIVE, 100, 110))
    await state.open()
    await ledger.flush()
    assert [row.span for row in await state.coverage("store")] == [Span(0, 110)]
