"""The client's clock: what time it is there, and whether it is believed.

In:   the `now_us` of a hello; the spans of live claims.
Out:  the client's time; a LinkError `clock_behind` where the clock is more than 10 minutes behind what was claimed.

It counts on from the hello by a clock that nobody sets. Claims alone do not tell a clock that was set back from a Batch
that is sent again; but what is sent again comes first on a connection, so later a step back is one of the clock.
"""

import asyncio

from energy_server.link.errors import LinkError
from energy_server.model.coverage import Span

BEHIND_US = 600_000_000
TEXT = "The clock of Home Assistant is {minutes} minutes behind the newest reading. Set the clock."


class ClientClock:
    """The clock of the client of one connection."""

    def __init__(self, now_us: int) -> None:
        self.refusal: LinkError | None = None
        self._offset_us = now_us - _monotonic_us()
        self._claimed_until_us: int | None = None

    def now_us(self) -> int:
        """Return what time it is for the client."""
        return _monotonic_us() + self._offset_us

    def greet(self, live_end_us: int | None) -> None:
        """Judge the clock by where live Coverage ends."""
        if live_end_us is not None:
            self._judge(live_end_us - self.now_us())

    def check(self, span: Span) -> None:
        """Judge the clock by the next live claim. Raises LinkError for it and every later one."""
        if self._claimed_until_us is not None:
            self._judge(self._claimed_until_us - span.since_us)
        if self.refusal is not None:
            raise self.refusal
        # what the clock said when it was ahead is sent before all else, and says nothing of the clock as it is now
        self._claimed_until_us = min(span.until_us, self.now_us())

    def _judge(self, behind_us: int) -> None:
        if behind_us > BEHIND_US and self.refusal is None:
            self.refusal = LinkError("clock_behind", TEXT.format(minutes=behind_us // 60_000_000))


def _monotonic_us() -> int:
    return int(asyncio.get_running_loop().time() * 1e6)
