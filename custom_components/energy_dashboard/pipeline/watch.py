"""Watch whether Home Assistant's recorder records: of the time in which it does not, its states say nothing.

In:   a look at the recorder every few seconds.
Out:  the spans in which it ran but did not record, and when runs really began that a wrong clock wrote down, both of
      which outlast a restart; `on_change` when its status changed.
"""

from collections.abc import Callable
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .clock import SOON_US, clocks_us, process_began_us
from .outbox import CLOCK_STEP_US
from .recorder import Condition, Recorder, RecorderStatus
from .spans import Span

LOOK_S: Final = 5.0
MOST: Final = 200
"""Spans that are remembered, the newest ones: who disables the recorder every night is still known half a year."""

BLIND: Final = frozenset({Condition.DISABLED, Condition.LOSSY})
FOREVER_US: Final = 2**62


class RecorderWatch:
    """What is known of the recorder's attention."""

    def __init__(
        self,
        hass: HomeAssistant,
        recorder: Recorder,
        remembered: list[Span],
        really_began_us: dict[int, int],
        *,
        restarted: bool,
        on_change: Callable[[], None],
    ) -> None:
        """Take up what was seen before: by an earlier process, if Home Assistant was restarted since."""
        self._hass = hass
        self._recorder = recorder
        self._blind = remembered
        self._really_began_us = really_began_us
        self._on_change = on_change
        self._of_before = restarted
        self._seen_us: tuple[int, int] | None = None
        self.back_us: int | None = None
        """What the clock was set back to since this was made, at the earliest; None if it was not."""
        self._timer: CALLBACK_TYPE | None = None
        self.status = recorder.status()

    def blind(self) -> list[Span]:
        """Return the spans in which the recorder did not record; one that lasts has no end."""
        return list(self._blind)

    def really_began_us(self) -> dict[int, int]:
        """Return when runs began, by when they say that they did, where a wrong clock said that."""
        return dict(self._really_began_us)

    @callback
    def start(self) -> None:
        """Look every few seconds."""
        self.look()
        self._timer = self._hass.loop.call_later(LOOK_S, self.start).cancel

    @callback
    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer()

    @callback
    def look(self) -> None:
        """Look now."""
        status, blind = self._recorder.status(), self._blind
        instant_us, monotonic_us = clocks_us()
        last_us = self._last_us(instant_us, monotonic_us)
        if self._seen_us is not None and last_us < self._seen_us[0] - CLOCK_STEP_US:
            self.back_us = last_us if self.back_us is None else min(self.back_us, last_us)
        if status.condition in BLIND:
            self._open(last_us)
        elif status.condition is Condition.READY:
            self._close(last_us, instant_us)
        self._seen_us = instant_us, monotonic_us
        changed = self._correct() or self._blind != blind
        before, self.status = self.status, status
        if changed or (before.condition, before.detail) != (status.condition, status.detail):
            self._on_change()

    def _correct(self) -> bool:
        """Remember when the present run really began; returns whether that is news."""
        said_us, began_us = self._recorder.began_us, process_began_us()
        if said_us is None or began_us - said_us < SOON_US:
            return False
        before_us = self._really_began_us.get(said_us)
        if before_us is not None and abs(before_us - began_us) < SOON_US:
            return False
        kept = list(self._really_began_us.items())[-MOST:]
        self._really_began_us = dict(kept) | {said_us: began_us}
        return True

    def _last_us(self, instant_us: int, monotonic_us: int) -> int:
        """Return the instant of the last look, or what the clock was set back to since, at the earliest."""
        if self._seen_us is None:
            return instant_us
        seen_us, seen_monotonic_us = self._seen_us
        return min(seen_us, instant_us - (monotonic_us - seen_monotonic_us))

    def _open(self, last_us: int) -> None:
        """Begin a span: when it really began is only known to be after the last look.

        Of one that lasts, what comes again by a clock that was set back is a part: it is not recorded either.
        """
        if not self._blind or self._blind[-1].until_us != FOREVER_US:
            self._blind = [*self._blind[-MOST:], Span(last_us, FOREVER_US)]
        else:
            self._blind = [*self._blind[:-1], Span(min(self._blind[-1].since_us, last_us), FOREVER_US)]
        self._of_before = False

    def _close(self, last_us: int, instant_us: int) -> None:
        """End the span that lasts: one of a process before with the present one, once the clock tells when that was."""
        if not self._blind or self._blind[-1].until_us != FOREVER_US:
            return
        since_us, began_us = self._blind[-1].since_us, process_began_us()
        if not self._of_before:
            self._blind = [*self._blind[:-1], Span(min(since_us, last_us), instant_us)]
        elif since_us <= instant_us:
            self._blind = [*self._blind[:-1], Span(since_us, began_us if since_us < began_us else instant_us)]


def condition_of(status: RecorderStatus) -> dict[str, object]:
    """Return the `recorder` message."""
    message: dict[str, object] = {"type": "recorder", "state": status.condition, "oldest_us": status.oldest_us}
    return message if status.detail is None else message | {"detail": status.detail}
