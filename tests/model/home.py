"""A model of Home Assistant and its clock, with the real listener, outbox, watch of the recorder and answers to Gaps.

In:   time, states, reports, stops and kills, changes of what there is; backups.
Out:  the readings that there really were; the outbox and the connection of a running one.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State
from homeassistant.helpers.json import json_bytes

from custom_components.energy_dashboard.pipeline.connection import Connection
from custom_components.energy_dashboard.pipeline.gaps import Gaps
from custom_components.energy_dashboard.pipeline.listen import Listener
from custom_components.energy_dashboard.pipeline.model import Catalog, Entity, Kind
from custom_components.energy_dashboard.pipeline.outbox import Outbox
from custom_components.energy_dashboard.pipeline.recorder import Recorder as IntegrationsRecorder
from custom_components.energy_dashboard.pipeline.spans import Span
from custom_components.energy_dashboard.pipeline.watch import RecorderWatch
from tests.model.recorder import EPOCH, WRITTEN_US, Content, Recorder

SECOND_US = 1_000_000
START_US = 1_791_892_800_000_000
EARLIEST_US = START_US - 10**12
OUTBOX_BYTES = 4_000
STOPPING_US = 100_000
CURRENCY = "EUR"
ADDED_US = 2 * SECOND_US
"""So long after the start of Home Assistant its entities have a state."""
KILO: Mapping[str, str] = {"W": "kW", "kWh": "MWh"}

GAUGE = Entity("a", "sensor.a", "a", Kind.POWER, "W", state_class="measurement", source_unit="W")
COUNTER = Entity("b", "sensor.b", "b", Kind.ENERGY, "kWh", state_class="total", source_unit="kWh")
LATER = Entity("c", "sensor.c", "c", Kind.POWER, "W", state_class="measurement", source_unit="W")
EXCLUDED = Entity("d", "sensor.d", "d", Kind.ENERGY, "kWh", state_class="total", source_unit="kWh")
"""One that the recorder's settings leave out at first."""
ENTITIES = {entity.key: entity for entity in (GAUGE, COUNTER, LATER, EXCLUDED)}

type Truth = tuple[float | None, int | None]
"""A value in the canonical unit, and the last reset."""


@dataclass
class Storage:
    """What the integration keeps in a file."""

    since_us: dict[str, int] = field(default_factory=dict)
    blind: list[Span] = field(default_factory=list)
    began: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Backup:
    """What a backup of Home Assistant holds."""

    content: Content
    storage: Storage
    entity_ids: Mapping[str, str]
    selected: frozenset[str]
    excluded: frozenset[str]


@dataclass
class Running:
    """What there is while Home Assistant runs."""

    began_us: int
    outbox: Outbox
    listener: Listener
    watch: RecorderWatch
    gaps: Gaps
    states: dict[str, State]
    rev: int = 0
    connection: Connection | None = None


class Home:
    """A Home Assistant. `truth` are all readings that there were, by key and instant."""

    def __init__(self) -> None:
        self.monotonic_us = 0
        self.offset_us = START_US
        self.recorder = Recorder(self.clocks_us)
        self.storage = Storage()
        self.truth: dict[tuple[str, int], Truth] = {}
        self.told_us: dict[tuple[str, int], int] = {}
        """When the last report of a counter became known: with its next state."""
        self.selected = {"a", "b", "d"}
        self.excluded = {"d"}
        self.entity_ids = {key: entity.entity_id for key, entity in ENTITIES.items()}
        self.units = {key: entity.unit for key, entity in ENTITIES.items()}
        self.values: dict[str, float | None] = dict.fromkeys(ENTITIES, 0.0)
        self.resets: dict[str, int] = dict.fromkeys(ENTITIES, START_US)
        self.running: Running | None = None
        self._uncounted: set[str] = set()
        """Whose state was last reported in a time that is no longer counted."""

    # ---- the clocks

    @property
    def now_us(self) -> int:
        """What the clock on the wall shows."""
        return self.monotonic_us + self.offset_us

    def clocks_us(self) -> tuple[int, int]:
        """Return both clocks."""
        return self.now_us, self.monotonic_us

    def process_began_us(self) -> int:
        """Return when Home Assistant began, by the clock as it is now."""
        assert self.running is not None
        return self.running.began_us + self.offset_us

    def pass_time(self, length_us: int) -> None:
        """Let time pass; the recorder writes, and is looked at, every few seconds."""
        rest_us = length_us
        if self.running is not None and length_us >= WRITTEN_US:
            self.monotonic_us += WRITTEN_US
            self.recorder.pass_time()
            self.running.watch.look()
            rest_us -= WRITTEN_US
        self.monotonic_us += rest_us
        if self.running is not None and length_us >= WRITTEN_US:
            self.recorder.pass_time()
            self.running.watch.look()

    def set_clock(self, by_us: int) -> None:
        """Step the clock. What happened at instants that come again belongs to a time that is no longer counted."""
        self.offset_us += by_us
        self.truth = {at: reading for at, reading in self.truth.items() if at[1] < self.now_us}
        states = () if self.running is None else self.running.states.values()
        self._uncounted |= {state.entity_id for state in states if _us(state.last_reported) >= self.now_us}

    # ---- its runs

    def start(self) -> None:
        """Start with an empty outbox and a new run of the recorder; a moment later entities have their states."""
        assert self.running is None
        self.monotonic_us += STOPPING_US
        states: dict[str, State] = {}
        hass = cast(HomeAssistant, _hass(states, self.clocks_us))
        excluded = frozenset(self.entity_ids[key] for key in self.excluded)
        self.recorder.start(excluded)
        recorder = cast(IntegrationsRecorder, self.recorder)
        skipped: Counter[str] = Counter()
        watch = RecorderWatch(
            hass, recorder, self.storage.blind, self.storage.began, restarted=True, on_change=self._on_recorder
        )
        gaps = Gaps(hass, recorder, watch, skipped)
        outbox = Outbox(json_bytes, OUTBOX_BYTES, EARLIEST_US)
        listener = Listener(hass, outbox, on_sealed=self._on_sealed, on_new_entity=_pass_over, skipped=skipped)
        self.running = Running(self.monotonic_us, outbox, listener, watch, gaps, states)
        watch.look()
        listener.start()
        self.install()
        self.pass_time(ADDED_US)
        for key in ENTITIES:
            self.fire(key, self.values[key])

    def stop(self) -> None:
        """Stop in order: what was heard was sent, the recorder writes all it has and closes its run."""
        self.monotonic_us += STOPPING_US
        self.recorder.stop()
        self._remember()
        self.running = None

    def kill(self) -> None:
        """End at once: what was not written is gone."""
        self.recorder.kill()
        self._remember()
        self.running = None

    def back_up(self) -> Backup:
        """Return what a backup has."""
        self._remember()
        return Backup(
            self.recorder.backup(),
            deepcopy(self.storage),
            dict(self.entity_ids),
            frozenset(self.selected),
            frozenset(self.excluded),
        )

    def restore(self, backup: Backup) -> None:
        """Go on from a backup."""
        self.recorder.restore(backup.content)
        self.storage = deepcopy(backup.storage)
        self.entity_ids = dict(backup.entity_ids)
        self.selected, self.excluded = set(backup.selected), set(backup.excluded)

    def _remember(self) -> None:
        if self.running is not None:
            self.storage.blind = self.running.watch.blind()
            self.storage.began = self.running.watch.really_began_us()

    def _on_recorder(self) -> None:
        self._remember()
        if self.running is not None:
            self.running.gaps.replan()

    # ---- what there is

    def install(self) -> None:
        """Listen to what is selected now; who is new is heard from now on."""
        running = self.running
        assert running is not None
        self.monotonic_us += 2  # it comes later than what it closes
        known, self.storage.since_us = self.storage.since_us, {}
        entities = []
        for key in sorted(self.selected):
            self.storage.since_us[key] = known.get(key, self.now_us)
            entities.append(_named(ENTITIES[key], self.entity_ids[key]))
        running.rev += 1
        messages = json_bytes([entity.message(self.storage.since_us[entity.key], None) for entity in entities])
        running.listener.install(Catalog(running.rev, tuple(entities), messages), CURRENCY)

    def rename(self, key: str, entity_id: str) -> None:
        """Give an entity another id; its state goes with it, as a new one."""
        old, self.entity_ids[key] = self.entity_ids[key], entity_id
        self.recorder.rename(old, entity_id)
        if self.running is not None:
            self.running.states.pop(old, None)
            if key in self.selected:
                self.install()
            self.fire(key, self.values[key])

    def fire(self, key: str, value: float | None) -> None:
        """Change a state, or report it again if it is the same."""
        running = self.running
        if running is None:
            return
        self.monotonic_us += 1
        self.values[key] = value
        entity, now = ENTITIES[key], EPOCH + timedelta(microseconds=self.now_us)
        entity_id, old = self.entity_ids[key], running.states.get(self.entity_ids[key])
        state = State(entity_id, self._text(key), self._attributes(key), now, now, now, validate_entity_id=False)
        if old is not None and (old.state, old.attributes) == (state.state, state.attributes):
            old.last_reported = now
            self._uncounted.discard(entity_id)
            return
        running.states[entity_id] = state
        counted = entity_id not in self._uncounted
        self._uncounted.discard(entity_id)
        if old is not None and entity.counter and counted and old.last_reported > old.last_updated:
            before = self.truth.get((key, _us(old.last_updated)))
            if before is not None and before[0] is not None:
                at = key, _us(old.last_reported)
                self.truth[at], self.told_us[at] = before, self.now_us
        reset = self.resets[key] if entity.counter and value is not None else None
        if self.now_us >= EARLIEST_US:
            self.truth[key, self.now_us] = (value, reset)
        self.recorder.hear(state, old, self.now_us)
        if key in self.selected:
            data = {"entity_id": entity_id, "old_state": old, "new_state": state}
            event = SimpleNamespace(data=data, time_fired_timestamp=self.now_us / 1e6)
            running.listener._on_state(cast(Event[EventStateChangedData], event))

    def _text(self, key: str) -> str:
        value = self.values[key]
        if value is None:
            return "unavailable"
        return repr(value if self.units[key] == ENTITIES[key].unit else value / 1_000)

    def _attributes(self, key: str) -> dict[str, object]:
        attributes: dict[str, object] = {"unit_of_measurement": self.units[key]}
        if ENTITIES[key].counter:
            attributes["last_reset"] = (EPOCH + timedelta(microseconds=self.resets[key])).isoformat()
        return attributes

    # ---- the live path

    def _on_sealed(self, stepped: bool) -> None:  # noqa: FBT001 the callback's only argument
        self._stepped = stepped or getattr(self, "_stepped", False)

    def seal(self) -> bool:
        """Close the present span; returns whether the clock was set."""
        assert self.running is not None
        self.monotonic_us += 2  # it comes later than what it closes
        self.running.listener._seal()
        stepped, self._stepped = self._stepped, False
        return stepped


def _named(entity: Entity, entity_id: str) -> Entity:
    return Entity(
        entity.key,
        entity_id,
        entity.name,
        entity.kind,
        entity.unit,
        state_class=entity.state_class,
        source_unit=entity.source_unit,
    )


def _us(when: Any) -> int:
    return int((when - EPOCH) // timedelta(microseconds=1))


def _pass_over(_entity_id: str) -> None:
    """What is selected is the test's to decide."""


def _hass(states: dict[str, State], clocks_us: Callable[[], tuple[int, int]]) -> SimpleNamespace:
    """Return as much of Home Assistant as the pipeline needs; its timers never fire, the test seals."""

    async def done(function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)

    timer = SimpleNamespace(cancel=lambda: None)
    loop = SimpleNamespace(time=lambda: clocks_us()[1] / 1e6, call_soon=lambda *_: timer, call_later=lambda *_: timer)
    bus = SimpleNamespace(async_listen=lambda *_, **__: lambda: None)
    config = SimpleNamespace(currency=CURRENCY)
    return SimpleNamespace(states=states, loop=loop, bus=bus, config=config, async_add_executor_job=done)
