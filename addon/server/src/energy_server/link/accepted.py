"""A numbered message that was understood, on its way to the stores."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from energy_server.link.messages import Refused
from energy_server.model.coverage import Claim, Span
from energy_server.model.reading import ReadingBatch
from energy_server.model.statistic import StatisticColumns
from energy_server.store.port import SyncEntry


@dataclass(frozen=True, slots=True)
class Accepted:
    """A numbered message that is to be made durable: what it carries, and what it settles."""

    seq: int
    site: str
    claims: tuple[Claim, ...] = ()
    refused: Sequence[Refused] = ()
    readings: ReadingBatch | None = None
    statistics: StatisticColumns | None = None
    late: Span | None = None
    """The part of a live claim that came late."""
    lines: Sequence[SyncEntry] = ()
    """What the sync log tells of it, before it is acknowledged: the client may be gone as soon as it knows."""
    store: Callable[[], Awaitable[None]] | None = None
    """Makes durable whatever else the message carries."""
    stored: Callable[[], Awaitable[None]] | None = None
    """Is told after the acknowledgement was sent."""
