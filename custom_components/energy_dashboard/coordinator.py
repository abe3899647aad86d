"""The results of the pipeline for Home Assistant's own entities: counts, and whether the Link stands.

In:   the outbox, the listener and the Link, read in memory once a minute and whenever the Link changes.
Out:  a snapshot for entities and diagnostics.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import DOMAIN, LOGGER
from .pipeline.link import LinkStatus
from .pipeline.listen import Listener
from .pipeline.outbox import Outbox
from .pipeline.reconcile import Reconcile

INTERVAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things are now. Counts are since this config entry was loaded; `gaps` is None while nobody asks for any."""

    connected: bool
    server_version: str | None
    sent: int
    waiting: int
    dropped: int
    gaps: int | None
    skipped: dict[str, int]
    refused: dict[str, int]


class StatusCoordinator(DataUpdateCoordinator[Snapshot]):
    """Hands snapshots to the entities."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        outbox: Outbox,
        listener: Listener,
        status: LinkStatus,
        reconcile: Reconcile,
    ) -> None:
        """Read nothing yet."""
        super().__init__(hass, LOGGER, config_entry=entry, name=DOMAIN, update_interval=INTERVAL)
        self._outbox = outbox
        self._listener = listener
        self._status = status
        self._reconcile = reconcile
        self.data = self.snapshot()

    def snapshot(self) -> Snapshot:
        """Return how things are now."""
        welcome = self._status.welcome
        return Snapshot(
            connected=self._status.connected,
            server_version=None if welcome is None else welcome.server_version,
            sent=self._status.acknowledged,
            waiting=len(self._outbox),
            dropped=self._outbox.dropped_rows,
            gaps=self._reconcile.gaps.open if self._status.connected else None,
            skipped=dict(self._listener.skipped),
            refused=dict(self._status.refused),
        )

    @override
    async def _async_update_data(self) -> Snapshot:
        return self.snapshot()
