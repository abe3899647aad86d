"""Counts of the pipeline: how many readings were stored, wait, or gave nothing, and what the server still lacks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import Snapshot
from .data import EnergyDashboardConfigEntry
from .entity import EnergyDashboardEntity

PARALLEL_UPDATES: Final = 0


@dataclass(frozen=True, kw_only=True)
class CountDescription(SensorEntityDescription):
    """A count, and by what it splits up."""

    value: Callable[[Snapshot], int | None]
    split: Callable[[Snapshot], dict[str, int]] | None = None


COUNTS: Final = (
    CountDescription(
        key="waiting",
        translation_key="waiting",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda snapshot: snapshot.waiting,
    ),
    CountDescription(
        key="gaps",
        translation_key="gaps",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda snapshot: snapshot.gaps,
    ),
    CountDescription(
        key="sent",
        translation_key="sent",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda snapshot: snapshot.sent,
    ),
    CountDescription(
        key="skipped",
        translation_key="skipped",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda snapshot: sum(snapshot.skipped.values()),
        split=lambda snapshot: snapshot.skipped,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: EnergyDashboardConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors."""
    async_add_entities(CountSensor(entry, description) for description in COUNTS)


class CountSensor(EnergyDashboardEntity, SensorEntity):
    """One count."""

    entity_description: CountDescription

    @property
    @override
    def native_value(self) -> int | None:
        return self.entity_description.value(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        split = self.entity_description.split
        return None if split is None else dict(split(self.coordinator.data))
