"""Answer what the server asks of the past, from Home Assistant's recorder, beside the live path.

In:   Gaps and requests.
Out:  hourly statistics first, then the readings of Gaps, then what the audit wants; how the recorder is.
Fails never by the recorder: what it does not answer is tried again later. Any other error ends `run`, and the Link
begins it anew.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from homeassistant.core import HomeAssistant

from .audit import Audit
from .channel import Channel, Subject
from .errors import RecorderUnavailableError
from .gaps import Gaps
from .imports import Imports
from .recorder import Holding, Recorder, RecorderStatus
from .spans import Span
from .watch import RecorderWatch, condition_of

LOGGER: Final = logging.getLogger(__name__)

RETRY_S: Final = 30.0


class Reconcile:
    """Works through what the server wants, a slice at a time."""

    def __init__(
        self,
        hass: HomeAssistant,
        recorder: Recorder,
        watch: RecorderWatch,
        pending: Sequence[str],
        misfits: Sequence[str],
        skipped: Counter[str],
        *,
        on_change: Callable[[], None],
    ) -> None:
        """Take up what the run before left undone."""
        self._recorder = recorder
        self._watch = watch
        self._arrived = asyncio.Event()
        self.imports = Imports(hass, recorder, pending, misfits, on_change=on_change, wake=self._arrived.set)
        self.gaps = Gaps(hass, recorder, watch, skipped)
        self.audit = Audit(recorder, wake=self._arrived.set)
        self._not_before_s: dict[Imports | Gaps | Audit, float] = {}
        self._told: RecorderStatus | None = None

    @property
    def holding(self) -> Holding:
        """Return how long the recorder was held."""
        return self._recorder.holding

    @property
    def pending(self) -> list[str]:
        """Return the keys of the Entities whose import is not done yet."""
        return self.imports.pending

    def want(self, gaps: Sequence[tuple[str, Span]]) -> None:
        """Replace the spans whose readings the server wants."""
        self.imports.told()  # the server asks for hours before it tells of Gaps
        self.gaps.want(gaps)
        self._arrived.set()

    def request(self, kind: str, id_: int, keys: Sequence[str], span: Span | None) -> None:
        """Remember a request."""
        if kind == "statistics":
            self.imports.request(keys, span)
        elif kind == "digests":
            self.audit.digest(id_, keys)
        elif kind == "counts" and span is not None:
            self.audit.count(id_, keys, span)
        self._arrived.set()

    def abandon(self, subject: Subject) -> None:
        """Leave out what the server cannot read."""
        if subject.kind == "statistics":
            self.imports.abandon(subject.keys)
        elif subject.kind == "states":
            self.gaps.leave_out(subject)

    def recorder_changed(self) -> None:
        """Look again: what could not be answered may be now."""
        self.gaps.replan()
        self._arrived.set()

    async def run(self, channel: Channel) -> None:
        """Work for as long as the connection stands."""
        self._told = None
        self._not_before_s.clear()
        try:
            while True:
                self._arrived.clear()
                self._tell(channel)
                questions = self._recorder.holding.questions
                if not await self._step(channel):
                    await self._rest()
                elif self._recorder.holding.questions > questions:
                    await asyncio.sleep(self._recorder.holding.rest_s())  # others want the recorder too
        except asyncio.CancelledError:
            self.imports.disconnected()
            raise
        finally:
            self.imports.again()
            self.gaps.disconnected()
            self.audit.disconnected()

    async def _step(self, channel: Channel) -> bool:
        """Do a little of the first thing that can be done; returns False if there is none."""
        for job in (self.imports, self.gaps, self.audit):
            if self._not_before_s.get(job, 0.0) > monotonic():
                continue
            try:
                if await job.step(channel):
                    return True
            except RecorderUnavailableError as err:
                LOGGER.debug("History has to wait: %s", err)
                self._not_before_s[job] = monotonic() + RETRY_S
                self._watch.look()
                self._tell(channel)
        return False

    async def _rest(self) -> None:
        """Wait until something arrives, or what could not be answered may be."""
        now_s = monotonic()
        waits_s = [not_before_s - now_s for not_before_s in self._not_before_s.values() if not_before_s > now_s]
        if (retry_s := self.gaps.next_retry_s()) is not None:
            waits_s.append(retry_s)
        try:
            async with asyncio.timeout(min(waits_s, default=None)):
                await self._arrived.wait()
        except TimeoutError:
            if retry_s is not None:
                self.gaps.replan()

    def _tell(self, channel: Channel) -> None:
        """Tell the server how the recorder is, when that changed."""
        status = self._watch.status
        if self._told is None or (self._told.condition, self._told.detail) != (status.condition, status.detail):
            self._told = status
            channel.tell(condition_of(status))
