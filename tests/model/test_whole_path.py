"""The whole path against models: what Coverage calls known is stored, whatever is killed, cut, set back or overflows.

Real are, on Home Assistant's side, the listener, the outbox, the connection, the watch of the recorder, the answers to
Gaps and their questions to a database of the recorder's schema; on the server's side the session, the ingest, the
ledger and what is wanted. Models are Home Assistant, what the recorder writes when, the clocks, the network, the disk.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from custom_components.energy_dashboard.pipeline import gaps, listen, watch
from custom_components.energy_dashboard.pipeline.recorder import Condition
from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import CoverageSource
from tests.model.home import ENTITIES, SECOND_US
from tests.model.path import MANY, SITE, Path
from tests.model.server import Server

LATEST_US = 30 * SECOND_US
LOOK_US = 6 * SECOND_US
READ = (CoverageSource.LIVE, CoverageSource.STATES)
KNOWN = (*READ, CoverageSource.HA_OFF)
KEYS = st.sampled_from(sorted(ENTITIES))
VALUES = st.none() | st.integers(0, 5).map(float)
LONG_US = 1_200 * SECOND_US
MOST_ROUNDS = 50
EXAMPLES, SOAK_EXAMPLES = 300, 10_000

pytestmark = pytest.mark.timeout(3_600 if os.environ.get("ENERGY_SOAK") else 900)


class WholePath(Path):
    """Everything that can happen to a home, its recorder, the network and the server, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(listen, "clocks_us", self.home.clocks_us)
        self.patch.setattr(gaps, "now_us", lambda: self.home.now_us)
        self.patch.setattr(watch, "clocks_us", self.home.clocks_us)
        for module in (gaps, watch):
            self.patch.setattr(module, "process_began_us", self.home.process_began_us)
        self.backup = self.server.disk.copy()
        self.backup_of_home = self.home.back_up()
        self.again: list[tuple[int, int]] = []
        """All instants that came again."""

        self.untold: list[tuple[int, int]] = []
        """Those of which a server that was put back knows nothing any more: left to audits."""

        self.known: list[tuple[int, int]] = []
        """Those that it knew when it was backed up."""

        self.returned: set[tuple[str, int]] = set()
        """What was purged and came back with a backup."""
        self.configured = False

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            self.runner.close()
            self.patch.undo()

    # ---- the home

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.server.start())
        self.home.start()

    @rule(states=st.lists(st.tuples(KEYS, VALUES), max_size=4), length_s=st.sampled_from((0.01, 7.0, 40.0)))
    def life_goes_on(self, states: list[tuple[str, float | None]], length_s: float) -> None:
        """A while in which everything works as far as it is there: most of life."""
        for key, value in states:
            self.home.fire(key, value)
        self.home.pass_time(round(length_s * SECOND_US))
        if self.home.running is not None:
            self.seal()
            if self.connection is None:
                self.connect()
            self.exchange(MANY)

    @rule(states=st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=8), every_s=st.sampled_from((0.001, 1.0, 20.0)))
    def server_is_away(self, states: list[tuple[str, float | None]], every_s: float) -> None:
        """A while in which states come and nothing is delivered; what waits too long has to go."""
        self.cut()
        for key, value in states:
            self.home.fire(key, value)
            self.home.pass_time(round(every_s * SECOND_US))
            if self.home.running is not None:
                self.seal()

    @rule(key=KEYS, value=VALUES)
    def state_changes(self, key: str, value: float | None) -> None:
        self.home.fire(key, value)

    @rule(key=KEYS, unit=st.booleans(), after_s=st.sampled_from((0.0, 1.0, 3_000.0)))
    def state_is_reported(self, key: str, unit: bool, after_s: float) -> None:  # noqa: FBT001 what is drawn
        """Is reported again, perhaps in another unit: then it is a state of its own."""
        if unit:
            other = {"W": "kW", "kW": "W", "kWh": "MWh", "MWh": "kWh"}
            self.home.units[key] = other[self.home.units[key]]
        self.home.pass_time(round(after_s * SECOND_US))
        self.home.fire(key, self.home.values[key])

    @rule(key=st.sampled_from(("b", "d")), value=st.integers(0, 5).map(float))
    def counter_begins_anew(self, key: str, value: float) -> None:
        self.home.resets[key] = self.home.now_us
        self.home.fire(key, value)

    @rule(length_s=st.sampled_from((1.0, 300.0)))
    def time_passes(self, length_s: float) -> None:
        self.home.pass_time(round(length_s * SECOND_US))

    @precondition(lambda self: self.home.running is not None)
    @rule()
    def batch_is_sealed(self) -> None:
        self.seal()

    @rule(by_s=st.sampled_from((-900, -250, -30, -2, 2, 30, 5_000)))
    def clock_is_set(self, by_s: int) -> None:
        """Is set, but not back where the recorder's settings change as well: its states do not tell what was when."""
        if by_s < 0 and self.configured:
            return
        if by_s * SECOND_US >= LATEST_US:
            self.home.recorder.commit()  # else what is just being written seemed to be old enough to be written
        was_us = self.home.now_us
        self.home.set_clock(by_s * SECOND_US)
        if by_s < 0:
            again = self.home.now_us, max(was_us, *(until for _, until, _ in self.doubts), 0)
            self.doubts.append((*again, self.steps + 1))
            self.again.append(again)
        self._forget_lost()
        if self.home.running is not None:
            self.seal()
        self.step()

    @precondition(lambda self: self.home.running is not None and not self.configured)
    @rule(key=KEYS, value=VALUES, by_s=st.sampled_from((-250, -30)), killed=st.booleans())
    def clock_goes_back(self, key: str, value: float | None, by_s: int, killed: bool) -> None:  # noqa: FBT001 drawn
        """Is set back while all works: what is claimed of what comes again is void at once, and for good."""
        self.life_goes_on([(key, value)], 7.0)
        self.survive(self.server.ledger.flush())
        self.clock_is_set(by_s)
        self.life_goes_on([], 0.01)
        if killed:
            self.restart()
        self.home.fire(key, None if value == 1.0 else 1.0)

    @rule(how=st.sampled_from(("stop", "kill")), stays=st.booleans(), wrong_clock=st.booleans())
    def home_goes_away(self, how: str, stays: bool, wrong_clock: bool) -> None:  # noqa: FBT001 what is drawn
        self.go_away(how)
        if stays:
            return
        self.home.pass_time(3 * SECOND_US)
        if wrong_clock and how == "kill":  # a machine without a battery for its clock
            right_us = self.home.offset_us
            self.home.offset_us = 0
            self.home.start()
            self.home.pass_time(20 * SECOND_US)
            self.home.offset_us = right_us
            self.seal()
            self.home.pass_time(LOOK_US)
        else:
            self.home.start()

    @rule(how=st.sampled_from(("back up", "restore")))
    def disk_of_the_home(self, how: str) -> None:
        """Is copied, or put back: the recorder's database and what the integration remembers."""
        if how == "back up":
            self.backup_of_home = self.home.back_up()
        else:
            self.go_away("stop")
            before = self._written()
            self.home.restore(self.backup_of_home)
            self.returned |= self._written() - before
            self.home.pass_time(3 * SECOND_US)
            self.home.start()

    # ---- what there is in it

    @precondition(lambda self: self.home.running is not None)
    @rule(key=st.sampled_from(("b", "c")))
    def catalog_changes(self, key: str) -> None:
        """An Entity is selected, or no longer."""
        self.home.selected ^= {key}
        self.home.install()
        self.seal()

    @rule(key=st.sampled_from(("a", "b")), number=st.integers(0, 9))
    def entity_is_renamed(self, key: str, number: int) -> None:
        name = f"sensor.{key}{number}"
        if name != self.home.entity_ids[key]:
            self.home.rename(key, name)

    @precondition(lambda self: not self.again)
    @rule(key=st.sampled_from(("b", "d")))
    def recorder_is_configured(self, key: str) -> None:
        """An entity is excluded, or no longer, which needs a restart."""
        self.configured = True
        self.go_away("stop")
        self.home.excluded ^= {key}
        self.home.start()

    # ---- the recorder

    @rule(age_s=st.sampled_from((0, 20, 400)))
    def recorder_is_purged(self, age_s: int) -> None:
        self.home.recorder.purge(self.home.now_us - age_s * SECOND_US)

    @precondition(lambda self: self.home.running is not None)
    @rule(condition=st.sampled_from((Condition.DISABLED, Condition.LOSSY, Condition.READY)))
    def recorder_stops_recording(self, condition: Condition) -> None:
        """Or records again."""
        self.home.recorder.commit()
        self.home.recorder.condition = condition
        self.home.pass_time(LOOK_US)

    @rule(behind=st.booleans())
    def recorder_falls_behind(self, behind: bool) -> None:  # noqa: FBT001 what is drawn
        """Its disk is slow: it writes only when somebody waits for it; or it is quick again."""
        self.home.recorder.behind = behind

    @precondition(lambda self: self.home.running is not None)
    @rule()
    def recorder_is_replaced(self) -> None:
        """Its database was corrupted."""
        self.home.monotonic_us += 2  # it comes later than what it lost
        self.home.recorder.replace()
        self.home.pass_time(LOOK_US)

    # ---- the network and the server

    @precondition(lambda self: self.home.running is not None and self.connection is None)
    @rule()
    def connects(self) -> None:
        self.connect()

    @precondition(lambda self: self.connection is not None)
    @rule(count=st.integers(1, 3), answered=st.booleans())
    def batches_are_sent(self, count: int, answered: bool) -> None:  # noqa: FBT001 what is drawn
        self.exchange(count, answered=answered)

    @rule()
    def connection_breaks(self) -> None:
        self.cut()

    @precondition(lambda self: self.connection is not None)
    @rule(at_once=st.booleans())
    def gaps_are_answered(self, at_once: bool) -> None:  # noqa: FBT001 what is drawn
        self.reconcile(at_once=at_once)

    @precondition(lambda self: self.server.refuses)
    @rule()
    def clock_is_believed(self) -> None:
        """The user says that the clock, as the server was told of it, is right; what waits tells since when."""
        if self.survive(self.server.believe(SITE.id)):
            self.trust(self.server.believed_us, min(self.waiting().values(), default=self.steps))
        self.cut()

    @rule()
    def coverage_is_flushed(self) -> None:
        self.survive(self.server.ledger.flush())

    @rule(operation=st.sampled_from(("append", "save_coverage", None)), done=st.booleans())
    def server_is_killed(self, operation: str | None, done: bool) -> None:  # noqa: FBT001 what is drawn
        """Now, or in the middle of what it does next."""
        if operation is None:
            self.restart()
        else:
            self.server.disk.crash_in = (operation, done)

    @rule(how=st.sampled_from(("back up", "restore", "lose the readings")))
    def disk_of_the_server(self, how: str) -> None:
        """Is copied, put back, or loses the store of readings, which is made anew."""
        if how == "back up":
            self.backup = self.server.disk.copy()
            since_us = min((since_us for since_us, *_ in self.doubts), default=self.home.now_us * 2)
            self.known = [span for span in self.again if span[1] <= since_us]
        elif how == "restore":
            self.untold += [span for span in self.again if span not in self.known]
            self.server = Server(self.backup.copy())
            self.restart()
        else:
            self.server.disk.readings = {}
            self.server.disk.series_id += "+"
            self.restart()
        if self.again:
            self._forget_lost()

    @precondition(lambda self: not self.again)  # the recorder does not tell which of two times a report was of
    @rule(key=KEYS, value=VALUES)
    def readings_are_lost_at_the_worst_moment(self, key: str, value: float | None) -> None:
        """The newest was acknowledged, and the recorder has not written it yet."""
        self.home.fire(key, value)
        self.life_goes_on([], 0.01)
        self.disk_of_the_server("lose the readings")
        self.life_goes_on([(key, value)], 0.01)
        self.reconcile(at_once=True)

    # ---- what must hold

    @invariant()
    def what_is_called_known_is_stored(self) -> None:
        ledger = getattr(self.server, "ledger", None)
        if ledger is not None:
            unknown = self._unknown(ledger)
            assert not unknown, unknown

    @invariant()
    def what_is_stored_is_right(self) -> None:
        stored = self.server.disk.readings
        wrong = [
            (at, stored[at], reading)
            for at, reading in self.home.truth.items()
            if at in stored and stored[at] != reading and not self._in_doubt(at[1])
        ]
        assert not wrong, wrong

    def _unknown(self, ledger: CoverageLedger) -> list[tuple[str, int]]:
        """Return the readings in spans that are called known, that are not stored."""
        found = []
        stored = self.server.disk.readings
        for entity in self.server.disk.entities:
            lacking = [ts for key, ts in self.home.truth if key == entity.key and (key, ts) not in stored]
            covered = ledger.spans(SITE.id, entity, 0, self.home.now_us * 2) if lacking else []
            for ts_us in lacking:
                if entity.key in self.home.excluded and ts_us < self.home.recorder.first_run_us:
                    continue  # the clock was set back in the first run: to the recorder nothing ran at that time
                lost, told_us = self._is_lost(entity.key, ts_us), self.home.told_us.get((entity.key, ts_us), ts_us)
                if lost and any(since_us <= ts_us < until_us for since_us, until_us in self.again):
                    continue  # what the recorder has of the first time seems to be of the second
                if lost and ts_us < told_us == self._oldest_us(entity.key):
                    continue  # it was a report of a state that the recorder has no more
                known = READ if lost else KNOWN
                instants = {ts_us, told_us}
                spans = [span for span, source in covered if source in known]
                within = all(any(span.since_us <= at < span.until_us for span in spans) for at in instants)
                if within and not any(map(self._in_doubt, instants)):
                    found.append((entity.key, ts_us))
        return found

    def _oldest_us(self, key: str) -> int | None:
        return min(self.home.recorder.written(self.home.entity_ids[key]), default=None)

    def _is_lost(self, key: str, ts_us: int) -> bool:
        """Tell whether nobody has it any more."""
        entity_id = self.home.entity_ids[key]
        if ts_us in self.home.recorder.instants(entity_id, counter=ENTITIES[key].counter):
            return False
        catalog = None if self.home.running is None else self.running.outbox.catalog
        if catalog is None or key not in catalog.places:
            return True
        return not any(row[:2] == (catalog.places[key], ts_us) for row in self.running.outbox.rows)

    def _forget_lost(self) -> None:
        """Count no longer what nobody has: to the recorder a run that was killed seems to go on to states of the next.

        That is so where the clock is set: back behind them, or so far forward that it seems to have been wrong at boot.
        """
        stored = self.server.disk.readings
        self.home.truth = {
            at: reading for at, reading in self.home.truth.items() if at in stored or not self._is_lost(*at)
        }

    def _in_doubt(self, ts_us: int) -> bool:
        """Tell whether the clock was set back behind it and the server was not told yet, or forgot it."""
        return any(since_us <= ts_us < until_us for since_us, until_us in self._doubtful())

    def _doubtful(self) -> list[tuple[int, int]]:
        return [*((since_us, until_us) for since_us, until_us, _ in self.doubts), *self.untold]

    def heal(self) -> None:
        """Let everything run for a while: then all that is left anywhere is stored, and nothing is wanted."""
        if not hasattr(self.server, "ledger"):
            return
        self.server.disk.crash_in = None
        if self.home.running is None:
            self.home.start()
        self.home.recorder.condition, self.home.recorder.behind = Condition.READY, False
        self.cut()
        for number in range(MOST_ROUNDS):
            self.home.pass_time(LONG_US)
            self.home.fire("a", float(number))
            self.seal()
            if self.connection is None:
                self.connect()
            self.exchange(MANY)
            if self.connection is None:
                continue
            self.reconcile()
            if not self._wanted():
                break
        wanted, missing = self._wanted(), self._missing()
        assert not wanted, wanted
        assert not missing, missing
        self.what_is_called_known_is_stored()
        self.what_is_stored_is_right()

    def _missing(self) -> list[tuple[str, int]]:
        """Return what the recorder has and the server lacks, but for when the recorder was seen not to record."""
        blind, recent_us = self.running.watch.blind(), self.home.now_us - LONG_US
        return [
            (key, ts_us)
            for key in sorted(self.home.selected)
            for ts_us in sorted(self.home.recorder.written(self.home.entity_ids[key]))
            if ts_us < recent_us
            and (key, ts_us) in self.home.truth
            and (key, ts_us) not in self.server.disk.readings
            and not self._given_up(key, ts_us)
            and not any(since_us <= ts_us < until_us for since_us, until_us in [*blind, *self._doubtful()])
        ]

    def _given_up(self, key: str, ts_us: int) -> bool:
        """Tell whether the server was told that it is not to be had, before a backup brought it: left to audits."""
        of_key = [entity for entity in self.server.disk.entities if entity.key == key]
        spans = [span for entity in of_key for span in self.server.ledger.unreadable(entity)]
        return (key, ts_us) in self.returned and any(span.since_us <= ts_us < span.until_us for span in spans)

    def _written(self) -> set[tuple[str, int]]:
        recorder, ids = self.home.recorder, self.home.entity_ids
        return {(key, ts_us) for key, entity_id in ids.items() for ts_us in recorder.written(entity_id)}

    def _wanted(self) -> list[object]:
        wanted = self.server._around.wanted
        horizon_us = self.home.now_us - LATEST_US
        return [
            (entity.key, span)
            for entity in self.server.disk.entities
            if entity.until_us is None
            for span in wanted.readings(entity)
            if span.since_us < horizon_us
        ]


TestWholePath = WholePath.TestCase
TestWholePath.settings = settings(
    max_examples=SOAK_EXAMPLES if os.environ.get("ENERGY_SOAK") else EXAMPLES,
    stateful_step_count=40,
    derandomize=not os.environ.get("ENERGY_SOAK"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
