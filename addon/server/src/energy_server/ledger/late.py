"""Which spans of a Site's live Coverage came late: Home Assistant kept their readings while the server was away.

In:   spans, as their claims arrive.
Out:  the same, from one run of the server to the next: a mark for whoever asks how something is known, no proof.
      Neither Coverage nor readings depend on it.
Failures: StoreUnavailableError from `load` and `take`.

An outage is one span, and nothing shorter than a minute is an outage. Beyond a bound the oldest spans are forgotten:
Statistics that were rolled up keep their mark, and joining spans would mark what came in time.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final, cast

from energy_server.ledger.spans import SpanSet, clipped, difference, union
from energy_server.model.coverage import Span
from energy_server.store.port import StateStore

MOST_SPANS: Final = 2_000
"""An outage a day for five years."""


class Late:
    """The late spans of all Sites."""

    def __init__(self, state: StateStore) -> None:
        self._state = state
        self._spans: dict[str, SpanSet] = {}

    async def load(self) -> None:
        """Read what is stored."""
        self._spans = {}
        for site in await self._state.sites():
            document = await self._state.document(_document(site.id))
            if document is not None:
                edges = cast("list[int]", document["edges_us"])
                self._spans[site.id] = list(map(Span, edges[::2], edges[1::2], strict=True))

    def spans(self, site: str, start_us: int, end_us: int) -> SpanSet:
        """Return the late spans within a span."""
        return clipped(self._spans.get(site, []), start_us, end_us)

    async def take(self, site: str, late: Sequence[Span], in_time: Sequence[Span]) -> None:
        """Note durably which spans came late, and which did not: a clock that was set back lives through them again."""
        known = self._spans.get(site, [])
        if not late and not any(clipped(known, span.since_us, span.until_us) for span in in_time):
            return
        spans = union([*difference(known, union(in_time)), *late])[-MOST_SPANS:]
        if spans != known:
            edges = list(chain.from_iterable((span.since_us, span.until_us) for span in spans))
            await self._state.put_document(_document(site), {"edges_us": edges})
            self._spans[site] = spans


def _document(site: str) -> str:
    return f"late:{site}"
