"""Models of Home Assistant, its recorder and its clock.

In:   time, states, stops and kills.
Out:  the states that there were, those that the recorder holds, its runs; a real Outbox that heard them.
"""

from dataclasses import dataclass, field

from homeassistant.helpers.json import json_bytes

from custom_components.energy_dashboard.pipeline.model import Catalog
from custom_components.energy_dashboard.pipeline.outbox import Outbox
from custom_components.energy_dashboard.pipeline.recorder_runs import Runs
from custom_components.energy_dashboard.pipeline.recorder_states import Recorded, StateRow, Window
from custom_components.energy_dashboard.pipeline.spans import Span

SECOND_US = 1_000_000
START_US = 1_791_892_800_000_000
OUTBOX_BYTES = 4_000
COMMIT_US = 5 * SECOND_US
STOPPING_US = 100_000


@dataclass(frozen=True)
class HomeState:
    """A state as it was: of which entity, when by the clock on the wall, its value."""

    place: int
    ts_us: int
    value: float | None


@dataclass
class Recorder:
    """States that are written and those that are not yet; the runs, the last one open."""

    written: list[HomeState] = field(default_factory=list)
    pending: list[HomeState] = field(default_factory=list)
    ended: list[tuple[int, int]] = field(default_factory=list)
    killed: list[tuple[int, int]] = field(default_factory=list)
    began_us: int | None = None

    def commit(self) -> None:
        """Write what waits."""
        self.written += self.pending
        self.pending = []

    def runs(self) -> Runs:
        """Return the runs as they are read: killed ones, and what is older than all, end with a state."""
        begun = [since_us for since_us, _ in (*self.ended, *self.killed)]
        first_us = min([*begun, *([] if self.began_us is None else [self.began_us])], default=0)
        older = [state.ts_us for state in self.written if state.ts_us < first_us]
        found = [Span(min(older), max(older) + 1)] if older else []
        found += [Span(since, until) for since, until in self.ended if since < until]
        for since_us, until_us in self.killed:
            last = [state.ts_us for state in self.written if since_us <= state.ts_us < until_us]
            if last:
                found.append(Span(since_us, max(last) + 1))
        return Runs(tuple(sorted(found)), self.began_us)

    def recorded(self, place: int) -> Recorded | None:
        """Return what is known of an entity."""
        instants = [state.ts_us for state in self.written if state.place == place]
        return Recorded(place, min(instants), max(instants)) if instants else None

    def window(self, place: int, span: Span) -> Window:
        """Return the states of an entity in a span, and the one before."""
        of = sorted((state for state in self.written if state.place == place), key=lambda state: state.ts_us)
        rows = [_row(state) for state in of if span.since_us <= state.ts_us < span.until_us]
        before = [_row(state) for state in of if state.ts_us < span.since_us][-1:]
        newest_s = {place: of[-1].ts_us / 1e6} if of else {}
        return Window(rows=rows, before=before, oldest_us={}, newest_s=newest_s, attributes={})


def _row(state: HomeState) -> StateRow:
    text = "unavailable" if state.value is None else repr(state.value)
    return (state.place, text, state.ts_us / 1e6, None, None)


@dataclass
class Home:
    """A Home Assistant. `truth` are all states that it had."""

    catalog: Catalog
    recorder: Recorder = field(default_factory=Recorder)
    monotonic_us: int = 0
    offset_us: int = START_US
    truth: set[HomeState] = field(default_factory=set)
    outbox: Outbox | None = None

    @property
    def now_us(self) -> int:
        """What the clock on the wall shows."""
        return self.monotonic_us + self.offset_us

    def start(self) -> None:
        """Start with an empty outbox and a new run of the recorder."""
        assert self.outbox is None
        if self.recorder.began_us is not None:
            self.recorder.killed.append((self.recorder.began_us, max(self.now_us, self.recorder.began_us)))
        self.recorder.began_us = self.now_us
        self.outbox = Outbox(json_bytes, OUTBOX_BYTES, START_US - 10**15)
        self.outbox.begin(self.catalog, self.now_us, self.monotonic_us)

    def pass_time(self, length_us: int) -> None:
        """Let time pass; the recorder writes every few seconds."""
        self.monotonic_us += length_us
        if self.outbox is not None and length_us >= COMMIT_US:
            self.recorder.commit()

    def fire(self, place: int, value: float | None) -> None:
        """Change a state."""
        if self.outbox is None:
            return
        self.monotonic_us += 1
        state = HomeState(place, self.now_us, value)
        self.truth = {other for other in self.truth if (other.place, other.ts_us) != (place, state.ts_us)} | {state}
        self.recorder.pending.append(state)
        self.outbox.rows.append((place, state.ts_us, value))

    def set_clock(self, by_us: int) -> None:
        """Step the clock. What happened at instants that come again belongs to a time that is no longer counted."""
        self.offset_us += by_us
        self.truth = {state for state in self.truth if state.ts_us < self.now_us}

    def seal(self) -> bool:
        """Close the present span; returns whether the clock was set. That comes later than what it closes."""
        assert self.outbox is not None
        self.monotonic_us += 2
        return self.outbox.seal(self.now_us, self.monotonic_us)

    def stop(self) -> None:
        """Stop in order: the recorder writes all it has and closes its run."""
        assert self.outbox is not None
        assert self.recorder.began_us is not None
        self.recorder.commit()
        self.monotonic_us += STOPPING_US
        self.recorder.ended.append((self.recorder.began_us, max(self.now_us, self.recorder.began_us)))
        self.recorder.began_us = None
        self.outbox = None

    def kill(self) -> None:
        """End at once: what was not written is gone."""
        self.recorder.pending = []
        self.outbox = None
