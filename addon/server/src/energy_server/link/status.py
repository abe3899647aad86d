"""How the Link of a Site is, for the status page."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from energy_server.link.clock import ClientClock
from energy_server.link.late import Lateness
from energy_server.link.progress import Progress

RATE_OVER_S = 60


@dataclass(frozen=True, slots=True)
class Importing:
    """How far the first import of statistics is: Entities that are settled, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a Link now."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RecorderState:
    """How Home Assistant's recorder is, as it says; `oldest_us` is its oldest state."""

    state: str
    oldest_us: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How a Link is at one moment. `refused` counts rows since the start, `skipped` states since listening began."""

    connected: bool
    since_us: int | None
    last_message_us: int | None
    last_reading_us: int | None
    readings_per_s: float
    refused: Mapping[str, int]
    skipped: Mapping[str, int]
    error: Trouble | None
    importing: Importing | None


@dataclass(slots=True)
class LinkRecord:
    """What is kept of a Site's Link from one connection to the next."""

    connected: bool = False
    since_us: int | None = None
    last_message_us: int | None = None
    last_reading_us: int | None = None
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Mapping[str, int] = field(default_factory=dict)
    error: Trouble | None = None
    importing: Importing | None = None
    recorder: RecorderState | None = None
    waiting: int | None = None
    dropped: int | None = None
    clock: ClientClock | None = None
    lateness: Lateness = field(default_factory=Lateness)
    progress: Progress | None = None
    ended: str = "server"
    """How the last connection ended: `goodbye`, `broken`, or with the server."""
    _arrived: deque[tuple[int, int]] = field(default_factory=deque)

    def arrived(self, readings: int, now_us: int) -> None:
        """Count live readings that arrived now."""
        self.last_reading_us = now_us
        self._arrived.append((now_us, readings))
        self._forget(now_us)

    def status(self, now_us: int) -> LinkStatus:
        """Return how the Link is now; the rate is the mean of the last minute."""
        self._forget(now_us)
        return LinkStatus(
            self.connected,
            self.since_us,
            self.last_message_us,
            self.last_reading_us,
            sum(readings for _, readings in self._arrived) / RATE_OVER_S,
            dict(self.refused),
            dict(self.skipped),
            self.error,
            self.importing,
        )

    def _forget(self, now_us: int) -> None:
        while self._arrived and self._arrived[0][0] <= now_us - RATE_OVER_S * 1_000_000:
            self._arrived.popleft()
