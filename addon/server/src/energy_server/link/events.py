"""What the Link tells the rest of the server as it happens. Readings are told before they are durable, for display."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadingsArrived:
    """Valid live readings, as parallel columns; null = unavailable."""

    site: str
    keys: Sequence[str]
    ts_us: Sequence[int]
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The Link of a Site opened or closed."""

    site: str
    connected: bool


@dataclass(frozen=True, slots=True)
class CatalogChanged:
    """The Entities of a Site were stored anew."""

    site: str


@dataclass(frozen=True, slots=True)
class StatisticsStored:
    """Statistics of the span were stored: rolled up or imported."""

    site: str
    start_us: int
    end_us: int


type LiveEvent = ReadingsArrived | LinkChanged | CatalogChanged | StatisticsStored
