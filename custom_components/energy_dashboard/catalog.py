"""Registries and Home Assistant's Energy settings -> the catalog: what the server should know of entities.

In:   states, the entity, device and area registries, the Energy settings, the recorder's metadata of statistics.
Out:  `on_catalog` with a Catalog of a new `rev` whenever its content changed.
Fails never: what is missing or of an unknown shape is left out, and comes with the next change.

A change that renames a recorded entity takes effect at once, because a claim about it is being made; others wait a
second, because at start they come by the hundred.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from time import time_ns
from typing import Any, Final

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import ATTR_DEVICE_CLASS, ATTR_UNIT_OF_MEASUREMENT, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CALLBACK_TYPE, CoreState, Event, HomeAssistant, State, callback, valid_entity_id
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.json import json_bytes
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER, SIGNAL_ENERGY_SETTINGS
from .memory import Memory, Remembered
from .pipeline.errors import RecorderUnavailableError
from .pipeline.model import STATE_CLASSES, Catalog, Entity, Kind, Role, RoleAssignment, Source
from .pipeline.recorder import Recorder
from .pipeline.recorder_statistics import StatisticMetadata, metadata
from .pipeline.select import CARBON_PLATFORM, Candidate, Roles, energy_devices, kind_of, roles_of, unit_of

SETTLE_S: Final = 1.0

HEARS_SETTINGS: HassKey[bool] = HassKey(f"{DOMAIN}_hears_energy_settings")
"""Set once per run of Home Assistant: its Energy settings have no way to stop listening."""


async def energy_settings(hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's Energy settings, their changes announced by a signal."""
    manager = await async_get_manager(hass)

    async def announce() -> None:
        async_dispatcher_send(hass, SIGNAL_ENERGY_SETTINGS)

    if not hass.data.get(HEARS_SETTINGS):
        hass.data[HEARS_SETTINGS] = True
        manager.async_listen_updates(announce)
    return manager


class CatalogKeeper:
    """Builds the catalog and keeps it up to date."""

    def __init__(
        self,
        hass: HomeAssistant,
        memory: Memory,
        recorder: Recorder,
        on_catalog: Callable[[Catalog], None],
        last_rev: int = 0,
    ) -> None:
        """Build nothing yet. `last_rev` is that of a catalog that Batches still refer to."""
        self._rev = last_rev
        self._hass = hass
        self._memory = memory
        self._recorder = recorder
        self._on_catalog = on_catalog
        self._manager: EnergyManager | None = None
        self._external: dict[str, StatisticMetadata] = {}
        self._roles: Roles = {}
        self._devices: frozenset[str] = frozenset()
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._debouncer = Debouncer(hass, LOGGER, cooldown=SETTLE_S, immediate=False, function=self.refresh)
        self.catalog: Catalog | None = None

    async def start(self) -> None:
        """Build the first catalog and follow what changes it."""
        self._manager = await energy_settings(self._hass)
        await self.refresh()
        listen = self._hass.bus.async_listen
        self._unsubscribe = [
            listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._on_entity_registry),
            listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._on_change),
            listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._on_change),
            listen(EVENT_HOMEASSISTANT_STARTED, self._on_change),
            async_dispatcher_connect(self._hass, SIGNAL_ENERGY_SETTINGS, self._debouncer.async_schedule_call),
        ]

    @callback
    def stop(self) -> None:
        """Follow nothing any more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        self._debouncer.async_shutdown()

    @callback
    def entity_appeared(self, entity_id: str) -> None:
        """Build the catalog anew if an entity that was never seen before is one to record."""
        candidate = self._candidate(entity_id, er.async_get(self._hass).async_get(entity_id))
        if kind_of(candidate, self._roles.get(entity_id, ()), self._devices) is not None:
            self._debouncer.async_schedule_call()

    @callback
    def settings_changed(self) -> None:
        """Build the catalog anew in a moment."""
        self._debouncer.async_schedule_call()

    @callback
    def _on_change(self, _event: Event[Any]) -> None:
        self._debouncer.async_schedule_call()

    @callback
    def _on_entity_registry(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] == "update" and "old_entity_id" in event.data:
            self.rebuild(leaving=event.data["old_entity_id"])
        self._debouncer.async_schedule_call()

    async def refresh(self) -> None:
        """Read the Energy settings and build the catalog anew."""
        self._roles = roles_of(None if self._manager is None else self._manager.data)
        unknown = [
            statistic_id
            for statistic_id in self._roles
            if not valid_entity_id(statistic_id) and statistic_id not in self._external
        ]
        if unknown:
            try:
                self._external |= await self._recorder.ask(partial(metadata, statistic_ids=unknown))
            except RecorderUnavailableError as err:
                LOGGER.debug("External statistics have to wait: %s", err)
        self.rebuild()

    @callback
    def rebuild(self, leaving: str | None = None) -> None:
        """Build the catalog from what is known now; nothing happens if it is the same as before.

        `leaving` is an entity_id that was given up a moment ago, whose state is about to go.
        """
        entities = self._select(leaving)
        memory = self._remember(entities, time_ns() // 1000)
        body = json_bytes([item.entity.message(item.since_us, item.was) for item in memory.values()])
        if self.catalog is not None and self.catalog.body == body:
            return
        self._memory.entities = memory
        self._memory.save()
        self._rev += 1
        self.catalog = Catalog(self._rev, tuple(item.entity for item in memory.values()), body)
        self._on_catalog(self.catalog)

    def _select(self, leaving: str | None) -> list[Entity]:
        """Return the Entities to record, in a stable order."""
        registry = er.async_get(self._hass)
        ids = {state.entity_id for state in self._hass.states.async_all(SENSOR_DOMAIN)} - {leaving}
        ids.update(
            entry.entity_id
            for entry in registry.entities.values()
            if entry.domain == SENSOR_DOMAIN and entry.disabled_by is None
        )
        ids.update(filter(valid_entity_id, self._roles))
        known = [
            (self._candidate(entity_id, entry := registry.async_get(entity_id)), entry) for entity_id in sorted(ids)
        ]
        self._devices = energy_devices([candidate for candidate, _ in known])
        entities = [entity for candidate, entry in known if (entity := self._entity(candidate, entry)) is not None]
        entities.extend(self._external_entities())
        return self._with_parents(_with_carbon(entities, {c.entity_id: c.platform for c, _ in known}))

    def _candidate(self, entity_id: str, entry: er.RegistryEntry | None) -> Candidate:
        """Return what is known of an entity: its state says it best, the registry where there is no state yet."""
        state = self._hass.states.get(entity_id)
        attributes: dict[str, Any] = {} if state is None else dict(state.attributes)
        if entry is None:
            return Candidate(
                entity_id,
                _text(attributes.get(ATTR_DEVICE_CLASS)),
                _text(attributes.get(ATTR_UNIT_OF_MEASUREMENT)),
                _text(attributes.get(ATTR_STATE_CLASS)),
            )
        return Candidate(
            entity_id,
            _text(attributes.get(ATTR_DEVICE_CLASS)) or entry.device_class or entry.original_device_class,
            _text(attributes.get(ATTR_UNIT_OF_MEASUREMENT)) or entry.unit_of_measurement,
            _text(attributes.get(ATTR_STATE_CLASS)) or _text((entry.capabilities or {}).get(ATTR_STATE_CLASS)),
            entry.platform,
            entry.device_id,
        )

    def _entity(self, candidate: Candidate, entry: er.RegistryEntry | None) -> Entity | None:
        """Return the Entity of a candidate, None if it is not recorded."""
        roles = tuple(self._roles.get(candidate.entity_id, ()))
        kind = kind_of(candidate, roles, self._devices)
        unit = None if kind is None else unit_of(kind, candidate, self._hass.config.currency)
        if kind is None or unit is None:
            return self._remembered(entry)
        device = (
            None if entry is None or entry.device_id is None else dr.async_get(self._hass).async_get(entry.device_id)
        )
        return Entity(
            key=candidate.entity_id if entry is None else entry.id,
            entity_id=candidate.entity_id,
            name=_name(self._hass.states.get(candidate.entity_id), entry, candidate.entity_id),
            kind=kind,
            unit=unit,
            area=self._area(entry, device),
            device=None if device is None else device.name_by_user or device.name,
            state_class=candidate.state_class if candidate.state_class in STATE_CLASSES else None,
            source_unit=candidate.unit,
            roles=roles,
        )

    def _remembered(self, entry: er.RegistryEntry | None) -> Entity | None:
        """Return an entity without a state as it was when it had one: it is being renamed or reloaded."""
        if entry is None or entry.id not in self._memory.entities or self._hass.states.get(entry.entity_id) is not None:
            return None
        return replace(self._memory.entities[entry.id].entity, entity_id=entry.entity_id)

    def _area(self, entry: er.RegistryEntry | None, device: dr.BaseDeviceEntry | None) -> str | None:
        area_id = (entry.area_id if entry is not None else None) or (device.area_id if device is not None else None)
        area = None if area_id is None else ar.async_get(self._hass).async_get_area(area_id)
        return None if area is None else area.name

    def _external_entities(self) -> Iterable[Entity]:
        """Yield the statistics that the Energy settings name and that have no entity."""
        for statistic_id, known in sorted(self._external.items()):
            roles = tuple(self._roles.get(statistic_id, ()))
            candidate = Candidate(statistic_id, None, known.unit, "total" if known.has_sum else "measurement")
            kind = kind_of(candidate, roles, self._devices)
            unit = None if kind is None else unit_of(kind, candidate, self._hass.config.currency)
            if kind is not None and unit is not None:
                yield Entity(
                    key=statistic_id,
                    entity_id=statistic_id,
                    name=known.name or statistic_id,
                    kind=kind,
                    unit=unit,
                    state_class=candidate.state_class,
                    source=Source.STATISTIC,
                    source_unit=known.unit,
                    roles=roles,
                )

    @staticmethod
    def _with_parents(entities: list[Entity]) -> list[Entity]:
        """Turn the parents of roles from statistic ids into keys; one that is not recorded is no parent."""
        keys = {entity.entity_id: entity.key for entity in entities}
        return [
            replace(
                entity,
                roles=tuple(
                    role if role.parent is None else replace(role, parent=keys.get(role.parent))
                    for role in entity.roles
                ),
            )
            if any(role.parent is not None for role in entity.roles)
            else entity
            for entity in entities
        ]

    def _remember(self, entities: list[Entity], now_us: int) -> dict[str, Remembered]:
        """Give each Entity the instant since which it is heard, and the key under which it was known before.

        While Home Assistant starts, an entity without a registry entry may not be there yet: it stays in the catalog,
        and being listened for all the time it keeps its instant.
        """
        known = self._memory.entities
        memory: dict[str, Remembered] = {}
        for entity in entities:
            was = entity.entity_id if entity.key != entity.entity_id and entity.entity_id in known else None
            before = known.get(entity.key) or (None if was is None else known[was])
            memory[entity.key] = (
                Remembered(entity, now_us) if before is None else Remembered(entity, before.since_us, was or before.was)
            )
        if self._hass.state is not CoreState.running:
            taken = {entity.entity_id for entity in entities}
            memory |= {
                key: item for key, item in known.items() if key not in memory and item.entity.entity_id not in taken
            }
        return memory


def _with_carbon(entities: list[Entity], platforms: dict[str, str | None]) -> list[Entity]:
    """Give the carbon intensity that Home Assistant's own Energy page uses its role."""
    return [
        replace(entity, roles=(RoleAssignment(Role.CARBON, "carbon:0"),))
        if entity.kind is Kind.CARBON and not entity.roles and platforms.get(entity.entity_id) == CARBON_PLATFORM
        else entity
        for entity in entities
    ]


def _name(state: State | None, entry: er.RegistryEntry | None, entity_id: str) -> str:
    if state is not None:
        return state.name
    if entry is not None:
        return entry.name or entry.original_name or entity_id
    return entity_id


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
