"""How far fetching readings from Home Assistant's recorder is, with an estimate. Pure.

In:   how much is wanted now, how many rows came, the time.
Out:  what is done of how much, and when the rest will be at the pace of the last minute.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from energy_server.model.coverage import Span

PACE_US = 60_000_000


@dataclass(slots=True)
class Progress:
    """Seconds are summed over Entities; what is wanted anew on the way adds to the total."""

    kind: str
    since_us: int
    open_us: int = 0
    total_us: int = 0
    rows: int = 0
    span: Span | None = None
    _samples: deque[tuple[int, int, int]] = field(default_factory=deque)

    def update(self, spans: Sequence[Span], now_us: int) -> None:
        """Say what is still wanted now, Entity by Entity."""
        hull = [*spans] if self.span is None else [*spans, self.span]
        if hull:
            self.span = Span(min(span.since_us for span in hull), max(span.until_us for span in hull))
        open_us = sum(span.until_us - span.since_us for span in spans)
        self.total_us += max(0, open_us - self.open_us)
        self.open_us = open_us
        self._samples.append((now_us, self.total_us - open_us, self.rows))
        while self._samples[0][0] < now_us - PACE_US:
            self._samples.popleft()

    @property
    def done_s(self) -> float:
        """Return how much is settled."""
        return (self.total_us - self.open_us) / 1e6

    def rate_per_s(self) -> float:
        """Return rows per second over the last minute."""
        (since_us, _, first), (until_us, _, last) = self._ends()
        return (last - first) * 1e6 / (until_us - since_us) if until_us > since_us else 0.0

    def eta_s(self) -> float | None:
        """Return how long the rest takes at the pace of the last minute, None while there is no pace."""
        (since_us, first, _), (until_us, last, _) = self._ends()
        return self.open_us * (until_us - since_us) / (last - first) / 1e6 if last > first else None

    def _ends(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        nothing = (0, 0, 0)
        return (self._samples[0], self._samples[-1]) if self._samples else (nothing, nothing)


def followed(progress: Progress | None, spans: Sequence[Span], *, importing: bool, now_us: int) -> Progress | None:
    """Return the progress after a look at what is wanted: begun when there is something, None when all is there."""
    if not spans and not importing:
        return None
    if progress is None:
        progress = Progress("first_install" if importing else "backfill", now_us)
    progress.update(spans, now_us)
    return progress
