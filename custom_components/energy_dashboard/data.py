"""The typed runtime data of a config entry."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .catalog import CatalogKeeper
from .coordinator import StatusCoordinator
from .memory import Memory
from .pipeline.link import Link
from .pipeline.listen import Listener
from .pipeline.outbox import Outbox
from .pipeline.reconcile import Reconcile
from .pipeline.watch import RecorderWatch


@dataclass(slots=True)
class EnergyDashboardData:
    """The pipeline of one server."""

    memory: Memory
    keeper: CatalogKeeper
    listener: Listener
    outbox: Outbox
    link: Link
    watch: RecorderWatch
    reconcile: Reconcile
    coordinator: StatusCoordinator


type EnergyDashboardConfigEntry = ConfigEntry[EnergyDashboardData]
