"""What reconciling needs of a connection. Pure.

In:   messages beside the live path, as JSON after their number.
Out:  what became of each: stored, or outdated because its catalog is no longer the connection's.
"""

import asyncio
from typing import NamedTuple, Protocol

from .model import Catalog
from .spans import Span


class Subject(NamedTuple):
    """What a message is about: `kind` says which part of reconciling sent it, `span` and `keys` what it settles."""

    kind: str
    keys: tuple[str, ...]
    span: Span


class Channel(Protocol):
    """An open connection."""

    @property
    def catalog(self) -> Catalog | None:
        """The catalog that was sent last."""

    @property
    def max_rows(self) -> int:
        """How many rows a message may have."""

    async def post(self, subject: Subject, kind: str, body: bytes, catalog: Catalog) -> asyncio.Future[bool]:
        """Wait for room; the future is True when the message is stored, False if the catalog is no longer current."""

    def tell(self, message: dict[str, object]) -> None:
        """Send a message that has no number."""
