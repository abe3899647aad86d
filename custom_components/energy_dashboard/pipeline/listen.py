"""The only subscriber of Home Assistant's event bus.

In:   `state_changed` events, a Catalog.
Out:  rows in the outbox; a Batch sealed after each short delay; `on_sealed` and `on_new_entity` called.
Never raises into Home Assistant's bus: a state that gives no reading is counted by its reason, and that is all.

No I/O, and nothing per event that grows with the number of entities. What other entities do costs one set look-up.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback

from .clock import CLOCKLESS_YEAR, clocks_us
from .convert import Converter, instant_us, ts_us
from .errors import SkippedStateError
from .model import Catalog, Entity, Source
from .outbox import BATCH_ROWS, Outbox

DELAY_S = 0.2
"""How long readings are collected while the server is connected: what a person feels as at once."""
DELAY_OFFLINE_S = 10.0
"""While it is away larger Batches keep more readings in the same bytes."""
IDLE_S = 30.0
"""After this long without a reading an empty Batch carries the claim."""


class Pace(Enum):
    """When the open rows are sealed."""

    IDLE = auto()
    COLLECTING = auto()
    AT_ONCE = auto()


class Track:
    """What is known of one entity while its events come in, one look-up away."""

    __slots__ = ("counter", "entity", "place", "reset_us", "total", "value")

    def __init__(self, place: int, entity: Entity, currency: str) -> None:
        """Remember the Entity's place in the catalog."""
        converter = Converter(entity, currency)
        self.place = place
        self.entity = entity
        self.counter = entity.counter
        self.total = entity.state_class == "total"
        self.value = converter.value
        self.reset_us = converter.reset_us


class Listener:
    """Turns the bus's events into rows of the outbox, and seals them in time."""

    def __init__(
        self,
        hass: HomeAssistant,
        outbox: Outbox,
        *,
        on_sealed: Callable[[bool], None],
        on_new_entity: Callable[[str], None],
        skipped: Counter[str],
    ) -> None:
        """Subscribe nothing yet. `on_sealed` hears whether the clock was set, `on_new_entity` of new entities.

        `skipped` counts, by reason, the states that give no reading.
        """
        self._hass = hass
        self._outbox = outbox
        self._on_sealed = on_sealed
        self._on_new_entity = on_new_entity
        self._tracks: dict[str, Track] = {}
        self._stop_listening: CALLBACK_TYPE | None = None
        self._soon: asyncio.Handle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._sealed_s = 0.0
        self._pace = Pace.IDLE
        self._connected = False
        self.skipped = skipped
        self.readings = 0

    @callback
    def start(self) -> None:
        """Begin to listen. The catalog comes by `install`."""
        tracks = self._tracks

        @callback
        def wanted(data: EventStateChangedData) -> bool:
            return data["entity_id"] in tracks or data["old_state"] is None

        self._stop_listening = self._hass.bus.async_listen(EVENT_STATE_CHANGED, self._on_state, event_filter=wanted)

        if self._tracks and self._outbox.catalog is not None:
            self._outbox.begin(self._outbox.catalog, *clocks_us())
        self._watch_idle()

    @callback
    def stop(self) -> None:
        """Stop listening and seal what was heard: the claim ends here."""
        if self._stop_listening is None:
            return
        self._stop_listening()
        self._stop_listening = None
        self._seal()
        self._outbox.end()
        for timer in (self._soon, self._idle):
            if timer is not None:
                timer.cancel()

    @callback
    def install(self, catalog: Catalog, currency: str) -> None:
        """Follow the Entities of this catalog; those that are new are sent with the state that they have already."""
        known = {track.entity.key: track for track in self._tracks.values()}
        stepped = self._outbox.begin(catalog, *clocks_us())
        self._tracks.clear()
        for place, entity in enumerate(catalog.entities):
            if entity.source is not Source.STATE:
                continue
            track = Track(place, entity, currency)
            self._tracks[entity.entity_id] = track
            before = known.get(entity.key)
            if before is not None and before.entity.entity_id == entity.entity_id and before.entity.unit == entity.unit:
                continue
            if (state := self._hass.states.get(entity.entity_id)) is None:
                continue
            if state.last_updated.year < CLOCKLESS_YEAR:
                self.skipped["clock_not_set"] += 1  # nobody knows when it was
            else:
                self._add(track, state, state.last_updated)
        if self._outbox.rows:
            self._schedule(Pace.COLLECTING)
        self._on_sealed(stepped)

    @callback
    def connection_changed(self, *, connected: bool) -> None:
        """Collect for the delay that fits; what was heard while the server was away goes out at once."""
        self._connected = connected
        if connected and self._stop_listening is not None:
            self._seal()

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        """Add the reading of a new state, and for a counter the old value at the instant that confirmed it last."""
        data = event.data
        track = self._tracks.get(data["entity_id"])
        if track is None:
            self._on_new_entity(data["entity_id"])
            return
        new, old = data["new_state"], data["old_state"]
        if track.counter and old is not None and old.last_reported is not old.last_updated:
            self._add_confirmed(track, old)
        if new is None:  # the recorder stores a null state at this same instant
            self._outbox.rows.append((track.place, ts_us(event.time_fired_timestamp), None))
            self.readings += 1
        else:
            self._add(track, new, new.last_updated)
        if self._pace is not Pace.AT_ONCE and (rows := self._outbox.rows):
            if len(rows) >= BATCH_ROWS:
                self._schedule(Pace.AT_ONCE)
            elif self._pace is Pace.IDLE:
                self._schedule(Pace.COLLECTING)

    def _add_confirmed(self, track: Track, old: State) -> None:
        """Add the value that a counter still had when it was reported last: it is known to have stood still."""
        if old.last_reported <= old.last_updated or old.last_reported.year < CLOCKLESS_YEAR:
            return
        try:
            value = track.value(old.state, old.attributes)
        except SkippedStateError:
            return  # it was counted when it was new
        if value is not None:
            self._add(track, old, old.last_reported)

    def _add(self, track: Track, state: State, when: datetime) -> None:
        """Add one reading; this is the path whose cost counts."""
        try:
            value = track.value(state.state, state.attributes)
        except SkippedStateError as err:
            self.skipped[err.code] += 1
            return
        self.readings += 1
        if track.total and value is not None and (reset_us := track.reset_us(state.attributes)) is not None:
            self._outbox.rows.append((track.place, instant_us(when), value, reset_us))
        else:
            self._outbox.rows.append((track.place, instant_us(when), value))

    def _schedule(self, pace: Pace) -> None:
        """Seal after the delay that fits; a full Batch at once, but outside of the bus's dispatching."""
        if self._soon is not None:
            self._soon.cancel()
        self._pace = pace
        if pace is Pace.AT_ONCE:
            self._soon = self._hass.loop.call_soon(self._seal)
        else:
            self._soon = self._hass.loop.call_later(DELAY_S if self._connected else DELAY_OFFLINE_S, self._seal)

    def _watch_idle(self) -> None:
        """Seal when nothing was for a while. One timer that looks again is cheaper than one moved by each Batch."""
        loop = self._hass.loop
        quiet_s = loop.time() - self._sealed_s
        if quiet_s >= IDLE_S:
            self._seal()
            quiet_s = 0.0
        self._idle = loop.call_later(IDLE_S - quiet_s, self._watch_idle)

    @callback
    def _seal(self) -> None:
        """Seal the open rows and wait for the next ones."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._pace = Pace.IDLE
        self._sealed_s = self._hass.loop.time()
        stepped = self._outbox.seal(*clocks_us(), dict(self.skipped))
        self._on_sealed(stepped)
