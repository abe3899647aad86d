"""What the server asks the client of one connection, and the answers it waits for.

In:   a kind, the keys of Entities, a span.
Out:  `request` messages; the answer, or None where none came before the connection or the patience ended.
Failures: none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from energy_server.model.audit import Counted, Digested
from energy_server.model.coverage import Span

type Answer = Counted | Digested
type Send = Callable[[dict[str, object]], Awaitable[None]]


class Questions:
    """The requests of one connection; `catalog` says what their places refer to."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._count = 0
        self._rev: int | None = None
        self._places: dict[str, int] = {}
        self._open: dict[int, asyncio.Future[Answer | None]] = {}

    def catalog(self, rev: int, keys: Sequence[str]) -> None:
        """From now on places refer to this catalog."""
        self._rev, self._places = rev, {key: place for place, key in enumerate(keys)}

    async def request(self, kind: str, keys: Sequence[str], span: Span | None = None) -> int | None:
        """Send a request for those of the Entities that the catalog has; return its id, None if there are none."""
        of = [self._places[key] for key in keys if key in self._places]
        if not of:
            return None
        self._count += 1
        message: dict[str, object] = {
            "type": "request",
            "id": self._count,
            "kind": kind,
            "catalog": self._rev,
            "of": of,
        }
        if span is not None:
            message["span"] = [span.since_us, span.until_us]
        await self._send(message)
        return self._count

    async def ask(self, kind: str, keys: Sequence[str], span: Span | None, within_s: float) -> Answer | None:
        """Send a request and wait for its answer."""
        number = await self.request(kind, keys, span)
        if number is None:
            return None
        self._open[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within_s):
                return await self._open[number]
        except TimeoutError:
            return None
        finally:
            del self._open[number]

    def answered(self, number: int, answer: Answer) -> None:
        """Hand an answer to who waits for it."""
        if number in self._open and not self._open[number].done():
            self._open[number].set_result(answer)

    def close(self) -> None:
        """Nobody will answer any more."""
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)
