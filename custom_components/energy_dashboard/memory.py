"""What must survive a restart of Home Assistant.

That is since when each Entity is heard, which imports are not done, when the recorder did not record, and when its runs
really began.

In:   Entities as they are selected.
Out:  `.storage/energy_dashboard.<entry>`, written a moment after a change.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .pipeline.model import Entity, Kind, Role, RoleAssignment, Source
from .pipeline.spans import Span

VERSION: Final = 1
SAVE_DELAY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """An Entity, since when it is heard without a break in its selection, and the key that it had before."""

    entity: Entity
    since_us: int
    was: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return self.entity.message(self.since_us, self.was) | {"source_unit": self.entity.source_unit}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Remembered:
        """Return it from what was stored."""
        entity = Entity(
            key=stored["key"],
            entity_id=stored["entity_id"],
            name=stored["name"],
            kind=Kind(stored["kind"]),
            unit=stored["unit"],
            area=stored["area"],
            device=stored["device"],
            state_class=stored["state_class"],
            source=Source(stored["source"]),
            source_unit=stored["source_unit"],
            roles=tuple(
                RoleAssignment(Role(role["role"]), role["group"], role.get("name"), role.get("parent"))
                for role in stored["roles"]
            ),
        )
        return cls(entity, stored["since_us"], stored.get("was"))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What one run leaves to the next.

    That is the keys of Entities whose import is not done, of those whose statistics have another unit, the spans in
    which the recorder did not record, and when runs really began, by when a wrong clock said that they did.
    """

    pending: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    blind: list[Span] = field(default_factory=list)
    began: dict[int, int] = field(default_factory=dict)


class Memory:
    """The stored state of one config entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Load nothing yet."""
        self._store = Store[dict[str, Any]](hass, VERSION, f"{DOMAIN}.{entry_id}")
        self._loop = hass.loop
        self._due_s = 0.0
        self.entities: dict[str, Remembered] = {}
        self.unfinished: Callable[[], Unfinished] = Unfinished

    async def load(self) -> Unfinished:
        """Load; returns what the run before left behind."""
        stored = await self._store.async_load() or {}
        self.entities = {item["key"]: Remembered.from_json(item) for item in stored.get("entities", ())}
        return Unfinished(
            list(stored.get("pending", ())),
            list(stored.get("misfits", ())),
            [Span(*span) for span in stored.get("blind", ())],
            {int(said_us): began_us for said_us, began_us in stored.get("began", {}).items()},
        )

    @callback
    def save(self) -> None:
        """Write it down soon; more changes meanwhile do not put it off, or an import would for as long as it lasts."""
        if self._loop.time() >= self._due_s:
            self._due_s = self._loop.time() + SAVE_DELAY_S
            self._store.async_delay_save(self._content, SAVE_DELAY_S)

    async def save_now(self) -> None:
        """Write it down."""
        await self._store.async_save(self._content())

    async def remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()

    def _content(self) -> dict[str, Any]:
        return {
            "entities": [remembered.to_json() for remembered in self.entities.values()],
            **asdict(self.unfinished()),
        }
