"""The law of what the ledger puts together: each Entity has the Coverage that was claimed for it, and no other."""

import asyncio
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.model.coverage import Claim, CoverageSource
from energy_server.store.port import StateStore
from tests.model.stores import Disk, State
from tests.server.ledger.ledgers import HA_OFF, LIVE, NONE, SITE, STATES, claim, entity, opened

KEYS = "abcd"
SOURCES = [LIVE, STATES, HA_OFF, NONE]
REASONS = {HA_OFF: "ha_off", NONE: "purged"}

type Step = tuple[str, set[str], int, int]

steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["live", "away", "named", "states", "answered", "none", "ha_off", "flushed", "restarted"]),
    st.sets(st.sampled_from(KEYS), min_size=1),
    st.integers(0, 30),
    st.integers(1, 15),
)


class Alone:
    """What one Entity knows by itself, instant by instant; nothing is put together."""

    def __init__(self) -> None:
        self.present = False
        self.since_us = 0
        self.how: dict[int, CoverageSource] = {}

    def take(self, claim: Claim) -> None:
        """Take a claim that names it, or one for all."""
        for instant_us in range(claim.span.since_us, claim.span.until_us):
            if claim.keys is not None or claim.source is HA_OFF or (self.present and instant_us >= self.since_us):
                known = self.how.get(instant_us, NONE)
                self.how[instant_us] = min(known, claim.source, key=SOURCES.index)


class Home:
    """A ledger of all, beside ledgers of each."""

    def __init__(self) -> None:
        self.state = cast("StateStore", State(Disk()))
        self.each = {key: Alone() for key in KEYS}
        self.now_us = 0

    async def begin(self) -> None:
        self.ledger = await opened(self.state, "first")
        await self.name({"a", "b"})

    async def name(self, keys: set[str]) -> None:
        """Send a catalog: who comes is listened to from now on."""
        live_end_us = self.ledger.live_end_us(SITE)
        for key, one in self.each.items():
            if key in keys and not one.present:
                one.since_us = max(self.now_us, live_end_us or 0)
            one.present = key in keys
        catalog = [entity(key, self.each[key].since_us) for key in sorted(keys)]
        adopted = await self.ledger.adopt(SITE, await self.state.entities(SITE), catalog)
        await self.state.save_catalog(SITE, adopted, self.now_us if live_end_us is None else live_end_us)

    async def step(self, step: Step) -> None:
        what, keys, at_us, length_us = step
        if what == "flushed":
            await self.ledger.flush()
        elif what == "restarted":
            await self.ledger.close()
            self.ledger = await opened(self.state, "first")
            await self.name({key for key, one in self.each.items() if one.present})
        elif what == "named":
            await self.name(keys)
        elif what in ("live", "away"):
            self.now_us += length_us
            if what == "live":
                await self.record(claim(LIVE, self.now_us - length_us, self.now_us))
        elif what == "answered":
            await self.record(claim(STATES, 0, self.now_us, self.of(STATES, set(KEYS))))
        else:
            source, past = CoverageSource(what), (min(at_us, self.now_us), min(at_us + length_us, self.now_us))
            await self.record(claim(source, *past, self.of(source, keys), reason=REASONS.get(source)))

    def of(self, source: CoverageSource, keys: set[str]) -> list[str] | None:
        """Return who is named: answers name those of the catalog, that Home Assistant was off holds for all."""
        return None if source is HA_OFF else sorted(key for key in keys if self.each[key].present)

    async def record(self, claim: Claim) -> None:
        await self.ledger.record(claim)
        for key, one in self.each.items():
            if claim.keys is None or key in claim.keys:
                one.take(claim)

    async def check(self) -> None:
        for of in await self.state.entities(SITE):
            known = self.ledger.spans(SITE, of, 0, self.now_us + 1)
            how = {at: source for span, source in known for at in range(span.since_us, span.until_us)}
            assert how == self.each[of.key].how, of.key


async def lived(story: list[Step]) -> None:
    home = Home()
    await home.begin()
    for step in story:
        await home.step(step)
        await home.check()
    await home.ledger.flush()
    await home.check()


@given(st.lists(steps, max_size=30))
@settings(deadline=None, max_examples=150)
def test_each_has_what_was_claimed_for_it(story: list[Step]) -> None:
    asyncio.run(lived(story))
