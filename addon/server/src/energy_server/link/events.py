"""What the Link tells the rest of the server as it happens, for display only: nothing of it is durable yet."""

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


type LiveEvent = ReadingsArrived | LinkChanged | CatalogChanged
