"""The whole path against models: what Coverage calls known is stored, whatever is killed, cut, set back or overflows.

Real are the outbox, the claims, the timeline of the recorder and its replay on one side, and the session, the ingest,
the ledger and what is wanted on the other. Models are Home Assistant, its recorder, the clocks, the network, the disk.
"""

import asyncio
import selectors
from typing import Any

import pytest
from homeassistant.helpers.json import json_bytes
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from custom_components.energy_dashboard.pipeline.claims import nothing_body
from custom_components.energy_dashboard.pipeline.convert import Converter
from custom_components.energy_dashboard.pipeline.model import Catalog, Entity, Kind, Site
from custom_components.energy_dashboard.pipeline.outbox import Batch
from custom_components.energy_dashboard.pipeline.replay import Part, messages_of
from custom_components.energy_dashboard.pipeline.spans import Span
from custom_components.energy_dashboard.pipeline.timeline import Verdict, of_entity, timeline
from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import CoverageSource
from tests.model.home import SECOND_US, START_US, Home, HomeState
from tests.model.server import Server
from tests.model.stores import Crash, Disk

SITE = Site("9f2b7c1e5a6d4f0f8b1f2c3d4e5f6a7b", "Home", "Europe/Amsterdam", "EUR", None, "2026.10.4")
ENTITIES = tuple(
    Entity(key, f"sensor.{key}", key, Kind.POWER, "W", state_class="measurement", source_unit="W") for key in ("a", "b")
)
MESSAGES = json_bytes([entity.message(START_US, None) for entity in ENTITIES])
CATALOG = Catalog(1, ENTITIES, b'"rev":1,"entities":' + MESSAGES + b"}")
LATEST_US = 30 * SECOND_US
READ = (CoverageSource.LIVE, CoverageSource.STATES)
KNOWN = (*READ, CoverageSource.HA_OFF)
PLACES = st.integers(0, 1)
VALUES = st.none() | st.integers(0, 5).map(float)
LONG_US = 1_200 * SECOND_US
MOST_ROUNDS = 50

pytestmark = pytest.mark.timeout(900)


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is the home's, so that both ends live in the same time."""

    def __init__(self, home: Home) -> None:
        super().__init__(selectors.DefaultSelector())
        self._home = home

    def time(self) -> float:
        return self._home.monotonic_us / 1e6


class WholePath(RuleBasedStateMachine):
    """Everything that can happen to a home, its recorder, the network and the server, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Home(CATALOG)
        self.runner = asyncio.Runner(loop_factory=lambda: Loop(self.home))
        self.server = Server(Disk())
        self.backup = self.server.disk.copy()
        self.connected = False
        self.doubts: list[tuple[int, int]] = []
        """Instants that come again by a clock that was set back, until the server was told."""
        self.seq = 0
        self.in_flight: list[tuple[int, Batch]] = []

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            self.runner.close()

    # ---- the home

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.server.start())
        self.home.start()

    @rule(states=st.lists(st.tuples(PLACES, VALUES), max_size=4), length_s=st.sampled_from((0.01, 7.0, 40.0)))
    def life_goes_on(self, states: list[tuple[int, float | None]], length_s: float) -> None:
        """A while in which everything works as far as it is there: most of life."""
        for place, value in states:
            self.home.fire(place, value)
        self.home.pass_time(round(length_s * SECOND_US))
        if self.home.outbox is not None:
            self._seal()
            if not self.connected:
                self._connect()
            if self.connected:
                self._deliver(100)

    @rule(place=PLACES, value=VALUES)
    def state_changes(self, place: int, value: float | None) -> None:
        self.home.fire(place, value)

    @rule(length_s=st.sampled_from((1.0, 300.0)))
    def time_passes(self, length_s: float) -> None:
        self.home.pass_time(round(length_s * SECOND_US))

    @precondition(lambda self: self.home.outbox is not None)
    @rule()
    def batch_is_sealed(self) -> None:
        self._seal()

    @rule(by_s=st.sampled_from((-250, -30, -2, 2, 30, 5_000)))
    def clock_is_set(self, by_s: int) -> None:
        was_us = self.home.now_us
        self.home.set_clock(by_s * SECOND_US)
        if by_s < 0:
            self.doubts.append((self.home.now_us, max(was_us, *(until for _, until in self.doubts), 0)))
        if self.home.outbox is not None:
            self._seal()

    @rule(how=st.sampled_from(("stop", "kill")), stays=st.booleans())
    def home_goes_away(self, how: str, stays: bool) -> None:  # noqa: FBT001 what is drawn
        if self.home.outbox is not None:
            if how == "kill":
                self.home.kill()
            else:
                self._seal()
                if self.connected:
                    self._deliver(100)
                self.home.stop()
            self._cut()
        if not stays:
            self.home.pass_time(3 * SECOND_US)
            self.home.start()

    @rule(age_s=st.sampled_from((0, 20, 400)))
    def recorder_is_purged(self, age_s: int) -> None:
        before_us = self.home.now_us - age_s * SECOND_US
        self.home.recorder.written = [state for state in self.home.recorder.written if state.ts_us >= before_us]

    # ---- the network and the server

    @precondition(lambda self: self.home.outbox is not None and not self.connected)
    @rule()
    def connects(self) -> None:
        self._connect()

    @precondition(lambda self: self.connected)
    @rule(count=st.integers(1, 3), answered=st.booleans())
    def batches_are_sent(self, count: int, answered: bool) -> None:  # noqa: FBT001 what is drawn
        self._deliver(count, answered=answered)

    @rule()
    def connection_breaks(self) -> None:
        self._cut()

    @precondition(lambda self: self.connected)
    @rule()
    def gaps_are_answered(self) -> None:
        self._reconcile()

    @rule()
    def coverage_is_flushed(self) -> None:
        self._survive(self.server.ledger.flush())

    @rule(operation=st.sampled_from(("append", "save_coverage", None)), done=st.booleans())
    def server_is_killed(self, operation: str | None, done: bool) -> None:  # noqa: FBT001 what is drawn
        """Now, or in the middle of what it does next."""
        if operation is None:
            self._restart()
        else:
            self.server.disk.crash_in = (operation, done)

    @rule(how=st.sampled_from(("back up", "restore", "lose the readings")))
    def disk_of_the_server(self, how: str) -> None:
        """Is copied, put back, or loses the store of readings, which is made anew."""
        if how == "back up":
            self.backup = self.server.disk.copy()
        elif how == "restore":
            self.server = Server(self.backup.copy())
            self._restart()
        else:
            self.server.disk.readings = {}
            self.server.disk.series_id += "+"
            self._restart()

    # ---- what must hold

    @invariant()
    def what_is_called_known_is_stored(self) -> None:
        ledger = getattr(self.server, "ledger", None)
        if ledger is not None:
            assert self._unknown(ledger) == []

    def _unknown(self, ledger: CoverageLedger) -> list[HomeState]:
        """Return the states in spans that are called known, that are not stored."""
        found = []
        for place, entity in enumerate(self.server.disk.entities):
            covered = ledger.spans(SITE.id, entity, 0, self.home.now_us * 2)
            for state in self.home.truth:
                if state.place == place and (entity.key, state.ts_us) not in self.server.disk.readings:
                    known = READ if self._is_lost(state) else KNOWN
                    spans = [span for span, source in covered if source in known]
                    if any(span.since_us <= state.ts_us < span.until_us for span in spans) and not self._in_doubt(
                        state
                    ):
                        found.append(state)
        return found

    def _is_lost(self, state: HomeState) -> bool:
        """Tell whether nobody has it any more."""
        outbox, recorder = self.home.outbox, self.home.recorder
        heard = outbox is not None and any((row[0], row[1]) == (state.place, state.ts_us) for row in outbox.rows)
        return not heard and state not in recorder.written and state not in recorder.pending

    def _in_doubt(self, state: HomeState) -> bool:
        """Tell whether the clock was set back behind it and the server was not told yet."""
        return any(since_us <= state.ts_us < until_us for since_us, until_us in self.doubts)

    def heal(self) -> None:
        """Let everything run for a while: then all that is left anywhere is stored, and nothing is wanted."""
        if not hasattr(self.server, "ledger"):
            return
        self.server.disk.crash_in = None
        if self.home.outbox is None:
            self.home.start()
        self._cut()
        for _ in range(MOST_ROUNDS):
            self.home.pass_time(LONG_US)
            self.home.fire(0, 1.0)
            self._seal()
            if not self.connected:
                self._connect()
            self._deliver(100)
            if not self.connected:
                continue
            self._reconcile()
            if not self._wanted():
                break
        assert not self._wanted()
        left = {(ENTITIES[state.place].key, state.ts_us) for state in self.home.recorder.written}
        truth = {(ENTITIES[state.place].key, state.ts_us) for state in self.home.truth}
        recent_us = self.home.now_us - LONG_US
        missing = {one for one in (left & truth) - self.server.disk.readings.keys() if one[1] < recent_us}
        assert missing == set()

    def _wanted(self) -> list[object]:
        wanted = self.server._around.wanted
        horizon_us = self.home.now_us - LATEST_US
        return [
            span
            for entity in self.server.disk.entities
            for span in wanted.readings(entity)
            if span.since_us < horizon_us
        ]

    # ---- how it is done

    def _survive(self, work: Any) -> bool:
        """Do work of the server; returns False when it did not survive it."""
        try:
            self.runner.run(work)
        except Crash:
            self._restart()
            return False
        return True

    def _restart(self) -> None:
        self._cut()
        self.server = Server(self.server.disk)
        self.runner.run(self.server.start())

    def _cut(self) -> None:
        self.connected = False
        self.in_flight = []
        if self.home.outbox is not None:
            self.home.outbox.rewind()

    def _seal(self) -> None:
        if self.home.seal():
            self._cut()  # the server is told the new time by a new connection

    def _connect(self) -> None:
        hello = {"protocol": 1, "now_us": self.home.now_us, "site": SITE.message(), "integration_version": "0"}
        self.connected, self.seq = True, 0
        if self._survive(self.server.greet(json_bytes({"type": "hello", **hello}))):
            self._number("catalog", CATALOG.body)

    def _number(self, kind: str, body: bytes) -> bool:
        self.seq += 1
        self.connected = self._survive(self.server.take(b'{"type":"%b","seq":%d,' % (kind.encode(), self.seq) + body))
        return self.connected

    def _deliver(self, count: int, *, answered: bool = True) -> None:
        outbox = self.home.outbox
        assert outbox is not None
        for _ in range(count):
            if not outbox.waiting:
                break
            batch = outbox.take()
            if not self._number("readings", batch.body):
                return
            if self._believed():
                self.doubts = [doubt for doubt in self.doubts if batch.span[0] > doubt[0]]
            self.in_flight.append((self.seq, batch))
        if not self._believed():
            self._cut()  # the clock is not believed: what was sent waits
        elif answered:
            done = max((message["seq"] for message in self.server.sent if message["type"] == "ack"), default=0)
            for seq, batch in self.in_flight:
                if seq <= done:
                    outbox.settle(batch)
            self.in_flight = [(seq, batch) for seq, batch in self.in_flight if seq > done]

    def _believed(self) -> bool:
        return not any(message["type"] == "error" for message in self.server.sent)

    def _reconcile(self) -> None:
        """Answer all Gaps, as far as they can be."""
        self.home.pass_time(61 * SECOND_US)  # the server repeats itself no more often
        if not self._survive(self.server.look()):
            return
        self.home.recorder.commit()
        lists = [message["gaps"] for message in self.server.sent if message["type"] == "gaps"]
        home = timeline(self.home.recorder.runs(), [], self.home.now_us - LATEST_US, current=True)
        for gap in lists[-1] if lists else ():
            place = gap["place"]
            span = Span(gap["since_us"], gap["until_us"])
            for piece in of_entity(home, span, self.home.recorder.recorded(place), included=True):
                if not self._answer(place, piece.span, piece.verdict):
                    return

    def _answer(self, place: int, span: Span, verdict: Verdict) -> bool:
        if verdict is not Verdict.STATES:
            return self._number("nothing", nothing_body(CATALOG.rev, span, [place], verdict.value))
        part = Part(ENTITIES[place], place, place, span.since_us, Converter(ENTITIES[place], "EUR"))
        found = self.home.recorder.window(place, span)
        return all(
            self._number("readings", message.body)
            for message in messages_of(CATALOG.rev, [part], found, {}, span, max_rows=5)
        )


TestWholePath = WholePath.TestCase
TestWholePath.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
