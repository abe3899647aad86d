"""Coverage: spans of time for which we know that we have everything Home Assistant had."""

from dataclasses import dataclass
from enum import StrEnum


class CoverageSource(StrEnum):
    """How a span came to be covered."""

    LIVE = "live"
    STATES = "states"
    HOUR = "hour"
    HA_OFF = "ha_off"
    NONE = "none"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open span of time, `[since_us, until_us)`."""

    since_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message settles: all readings (or hours) of these Entities in the span.

    `keys` None means every Entity of the Site's catalog at that time, each from its own `since_us` on.
    """

    site: str
    source: CoverageSource
    span: Span
    keys: tuple[str, ...] | None = None
    reason: str | None = None

    @property
    def live(self) -> bool:
        """Whether it says that the whole Site was listened to."""
        return self.source is CoverageSource.LIVE and self.keys is None
