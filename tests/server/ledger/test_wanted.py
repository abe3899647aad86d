"""What is wanted of the recorder, against a model that knows each instant by itself."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.wanted import EARLIEST_US, Wanted
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import StateStore
from energy_server.store.sqlite import SqliteStateStore
from tests.server.ledger.ledgers import HA_OFF, HOUR, LIVE, NONE, SITE, STATES, claim, entity, opened

E = EARLIEST_US
"""Everything begins here; the tests count from it."""


def at(source: CoverageSource, since: int, until: int, *keys: str, reason: str | None = None) -> Claim:
    return claim(source, E + since, E + until, keys or None, reason=reason)


async def wanted_of(state: StateStore) -> tuple[CoverageLedger, Asked, Wanted]:
    ledger, asked = await opened(state), Asked()
    return ledger, asked, Wanted(ledger, asked)


def spans(found: list[Span]) -> list[tuple[int, int]]:
    return [(span.since_us - E, span.until_us - E) for span in found]


async def test_all_that_was_before_listening_is_wanted_of_a_new_entity(state: StateStore) -> None:
    _, _, wanted = await wanted_of(state)
    assert spans(wanted.readings(entity("a", E + 100))) == [(0, 100)]


async def test_nothing_is_wanted_that_live_will_cover(state: StateStore) -> None:
    ledger, _, wanted = await wanted_of(state)
    await ledger.record(at(NONE, 0, 50, "a", reason="purged"))
    await ledger.record(at(LIVE, 50, 80))
    assert wanted.readings(entity("a", E + 50)) == [], "what comes after the last live claim may still be in the outbox"
    assert spans(wanted.readings(entity("a", E + 90))) == [(50, 90)], "one that was selected a moment ago"
    await ledger.record(at(LIVE, 95, 99))
    assert spans(wanted.readings(entity("a", E + 50))) == [(80, 95)]


async def test_what_settles_readings(state: StateStore) -> None:
    ledger, _, wanted = await wanted_of(state)
    await ledger.record(at(LIVE, 90, 100))
    await ledger.record(at(HOUR, 0, 50, "a"))
    await ledger.record(at(NONE, 50, 60, "a", reason="no_statistics"))
    assert spans(wanted.readings(entity("a", E))) == [(0, 90)], "hours do not"
    await ledger.record(at(STATES, 60, 90, "a"))
    await ledger.record(at(HA_OFF, 40, 60))
    await ledger.record(at(NONE, 30, 40, "a", reason="not_recorded"))
    await ledger.record(at(NONE, 0, 20, "a", reason="purged"))
    assert spans(wanted.readings(entity("a", E))) == [(20, 30)]


async def test_readings_are_not_wanted_of_an_external_statistic(state: StateStore) -> None:
    _, asked, wanted = await wanted_of(state)
    asked.ask("audit", SITE, "a", [Span(E, E + 10)])
    assert wanted.readings(entity("a", E + 100, source="statistic")) == []


async def test_what_is_asked_for_is_wanted_until_it_is_answered(state: StateStore) -> None:
    ledger, asked, wanted = await wanted_of(state)
    await ledger.record(at(NONE, 0, 10, "a", reason="purged"))
    await ledger.record(at(LIVE, 10, 100))
    asked.ask("audit", SITE, "a", [Span(E + 20, E + 30)])
    asked.ask("user", SITE, "a", [Span(E + 25, E + 200)])
    assert spans(wanted.readings(entity("a", E + 10))) == [(20, 100)]
    assert wanted.readings(entity("b", E + 10)) == [Span(E, E + 10)]
    nothing = at(NONE, 20, 40, "a", reason="no_statistics")
    asked.settle([at(LIVE, 20, 40), at(HOUR, 20, 40, "a"), nothing], 7)
    assert spans(wanted.readings(entity("a", E + 10))) == [(20, 100)], "only an answer about the past is one"
    asked.settle([at(STATES, 20, 40, "a", "b")], 7)
    assert spans(wanted.readings(entity("a", E + 10))) == [(40, 100)]
    assert (asked.rows("audit"), asked.rows("user"), asked.waiting_us("audit")) == (7, 7, 0)
    asked.withdraw("user")
    assert wanted.readings(entity("a", E + 10)) == []


async def test_an_import_is_done_when_it_reached_the_beginning(state: StateStore) -> None:
    ledger, _, wanted = await wanted_of(state)
    assert not wanted.imported(entity("a"))
    await ledger.record(at(HOUR, 2 * HOUR_US, 9 * HOUR_US, "a"))
    assert not wanted.imported(entity("a")), "one slice is not all"
    assert wanted.left(entity("a")) == Span(E, E + 2 * HOUR_US)
    assert wanted.left(entity("b")) is None, "of one without a slice all is left"
    await ledger.record(at(NONE, 0, 2 * HOUR_US, "a", reason="purged"))
    assert not wanted.imported(entity("a")), "that is about readings"
    await ledger.record(at(NONE, 0, 2 * HOUR_US, "a", reason="no_statistics"))
    assert wanted.imported(entity("a"))


async def test_hours_are_wanted_where_readings_cannot_be_had(state: StateStore) -> None:
    ledger, _, wanted = await wanted_of(state)
    await ledger.record(at(NONE, 0, 5 * HOUR_US + 7, "a", reason="purged"))
    assert wanted.hours(entity("a")) == [], "all of them are on their way"
    await ledger.record(at(NONE, 0, HOUR_US, "a", reason="no_statistics"))
    await ledger.record(at(HOUR, HOUR_US, 3 * HOUR_US, "a"))
    assert spans(wanted.hours(entity("a"))) == [(3 * HOUR_US, 6 * HOUR_US)], "whole hours"
    await ledger.record(at(HOUR, 3 * HOUR_US, 6 * HOUR_US, "a"))
    assert wanted.hours(entity("a")) == []


@dataclass(frozen=True)
class Said:
    """A claim; a live one begins so long after the one before ended."""

    source: CoverageSource
    reason: str | None
    begin: int
    length: int
    keys: tuple[str, ...]


WAYS = st.sampled_from(
    [(LIVE, None), (STATES, None), (HOUR, None), (HA_OFF, "ha_off"), (NONE, "purged"), (NONE, "no_statistics")]
)
CLAIMS = st.builds(
    lambda way, begin, length, keys: Said(way[0], way[1], begin, length, () if way[0] is LIVE else keys),
    WAYS,
    st.integers(0, 60),
    st.integers(1, 20),
    st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
)


class Model:
    """Knows each instant by itself."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.settled: set[int] = set()
        self.heard: set[int] = set()
        self.reached = 0

    def takes(self, said: Said) -> Claim:
        """Take a claim, and return it as the ledger gets it."""
        begin = said.begin + (max(self.heard, default=0) if said.source is LIVE else 0)
        instants = set(range(begin, begin + said.length))
        if said.source is LIVE and begin < self.reached:
            self.voids(begin)  # a clock was set back
        if said.source is not HOUR and said.reason != "no_statistics":
            self.reached = max(self.reached, begin + said.length)
        if said.source is LIVE:
            self.heard |= instants
        elif said.source is STATES and not said.keys:
            self.settled |= {one for one in instants if one >= self.since}
        elif said.source is not HOUR and said.reason != "no_statistics" and (not said.keys or "a" in said.keys):
            self.settled |= instants
        return at(said.source, begin, begin + said.length, *said.keys, reason=said.reason)

    def voids(self, instant: int) -> None:
        """Forget what lies after an instant."""
        self.reached = instant
        self.settled = {one for one in self.settled if one < instant}
        self.heard = {one for one in self.heard if one < instant}

    def wants(self) -> set[int]:
        """Return the instants whose readings are wanted."""
        horizon = max(max(self.heard, default=-1) + 1, self.since)
        return set(range(horizon)) - self.settled - {one for one in self.heard if one >= self.since}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(CLAIMS, st.integers(0, 60)), max_size=25), st.integers(0, 40))
def test_wanted_is_what_no_claim_settles(steps: list[Said | int], since: int) -> None:
    """A step is a claim, or an instant after which a clock voids Coverage."""

    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            state = SqliteStateStore(Path(folder) / "state.sqlite")
            await state.open()
            await _compare(state, steps, Model(since))
            await state.close()

    asyncio.run(check())


async def _compare(state: StateStore, steps: list[Said | int], model: Model) -> None:
    ledger, _, wanted = await wanted_of(state)
    a = entity("a", E + model.since)
    for step in steps:
        if isinstance(step, Said):
            await ledger.record(model.takes(step))
        else:
            model.voids(step)
            await ledger.void_after(SITE, E + step)
        assert {one for since, until in spans(wanted.readings(a)) for one in range(since, until)} == model.wants()
        ledger.spans(SITE, a, E, E + 200)  # remembered here, and computed anew below
    await ledger.flush()
    again = await opened(state)
    assert Wanted(again, Asked()).readings(a) == wanted.readings(a), "a restart changes nothing"
    assert again.spans(SITE, a, E, E + 200) == ledger.spans(SITE, a, E, E + 200)


async def test_a_server_restored_from_a_backup_wants_what_it_forgot(tmp_path: Path, state: StateStore) -> None:
    ledger, _, _ = await wanted_of(state)
    await ledger.record(at(NONE, 0, 10, "a", reason="purged"))
    await ledger.record(at(LIVE, 10, 50))
    await ledger.flush()
    await state.close()
    shutil.copy(tmp_path / "state.sqlite", tmp_path / "backup.sqlite")
    await state.open()
    await ledger.record(at(LIVE, 50, 90))
    await ledger.flush()
    restored = SqliteStateStore(tmp_path / "backup.sqlite")
    await restored.open()
    again, _, wanted = await wanted_of(restored)
    assert wanted.readings(entity("a", E + 10)) == []
    await again.record(at(LIVE, 90, 95))
    assert spans(wanted.readings(entity("a", E + 10))) == [(50, 90)]
    await restored.close()
