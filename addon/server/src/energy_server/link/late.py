"""Which of a Site's live claims come late, and when an outage is over. Pure.

In:   when each connection was opened, and each live claim, by the client's clock.
Out:  the part of a claim that came late; of an outage whose readings are all there its span and their number.

Late is what happened more than `LATE_US` before it came. With that an outage begins, of which all that happened before
the connection was opened is part, so that its last minute is not told apart from the others. It ends with the first
claim that reaches beyond.

What claims say counts more than the clock that was told at the hello: one that drifts, or is set back, would else make
every later claim a late one.
"""

from dataclasses import dataclass
from typing import Final

from energy_server.model.coverage import Span

LATE_US: Final = 60_000_000
"""An idle client claims every 30 s, so what is in time is not much older."""
TOLD_FROM_US: Final = 10_000_000
"""A clock that is set forward makes the last seconds before look late: that is no outage."""


@dataclass(slots=True)
class Outage:
    """Live readings that came late."""

    since_us: int
    until_us: int
    rows: int

    @property
    def told(self) -> bool:
        """Whether it is long enough to be told of."""
        return self.until_us - self.since_us >= TOLD_FROM_US


class Lateness:
    """What is late of one Site, from one connection to the next."""

    def __init__(self) -> None:
        self._greeted_us = 0
        self._ahead_us = 0
        self._claimed_us: int | None = None
        self._outage: Outage | None = None

    def greet(self, now_us: int) -> None:
        """Begin a connection."""
        self._greeted_us, self._ahead_us, self._claimed_us = now_us, 0, None

    def late(self, span: Span, rows: int, now_us: int) -> Span | None:
        """Return the part of the next live claim, with its number of readings, that came late."""
        if self._claimed_us is not None:
            self._ahead_us += max(0, self._claimed_us - span.since_us)
        self._claimed_us = span.until_us
        limit_us = now_us - self._ahead_us - LATE_US
        if self._outage is not None or span.since_us < limit_us:
            limit_us = max(limit_us, self._greeted_us)
        if span.until_us > limit_us:
            self._ahead_us = now_us - span.until_us
        until_us = min(span.until_us, limit_us)
        if until_us <= span.since_us:
            return None
        if self._outage is None:
            self._outage = Outage(span.since_us, until_us, 0)
        self._outage.until_us = max(self._outage.until_us, until_us)
        self._outage.rows += rows
        return Span(span.since_us, until_us)

    def over(self, span: Span) -> Outage | None:
        """Return the outage that ended with a claim that was judged, and forget it."""
        outage = self._outage
        if outage is None or span.until_us <= max(outage.until_us, self._greeted_us):
            return None
        self._outage = None
        return outage
