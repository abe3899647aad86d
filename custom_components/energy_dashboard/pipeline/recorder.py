"""Ask Home Assistant's recorder something, without ever standing in its way.

In:   a question: a function of a database session. Only the `recorder_...` modules have any.
Out:  its answer, found in the recorder's executor; how the recorder is; how long it was held.
Fails with RecorderUnavailableError: not set up, migrating, or no answer in time (a backup locks it, the disk is slow).

One question at a time. One that was not answered in time still holds one of the recorder's few threads: until it is
done nothing else is asked, or all of them would end up waiting.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any, Final

from homeassistant.components.recorder.const import DOMAIN
from homeassistant.components.recorder.core import Recorder as Instance
from homeassistant.components.recorder.entity_options import is_entity_recorded
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .convert import instant_us, ts_us
from .errors import RecorderUnavailableError

ANSWER_S: Final = 30.0
CATCH_UP_S: Final = 30.0
LATEST_S: Final = 30.0
"""States younger than this, or than two commits of the recorder, may not be written yet."""


class Condition(StrEnum):
    """How the recorder is."""

    READY = "ready"
    DISABLED = "disabled"
    MIGRATING = "migrating"
    NOT_SET_UP = "not_set_up"
    LOSSY = "lossy"
    NOT_ANSWERING = "not_answering"


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How the recorder is, and the instant of its oldest state."""

    condition: Condition
    oldest_us: int | None = None
    detail: str | None = None


@dataclass(slots=True)
class Holding:
    """How long the recorder's executor was held by questions."""

    questions: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0
    last_s: float = 0.0
    until_s: float = 0.0

    def add(self, held_s: float) -> None:
        """Count one question."""
        self.questions += 1
        self.total_s += held_s
        self.longest_s = max(self.longest_s, held_s)
        self.last_s = held_s
        self.until_s = perf_counter()

    def rest_s(self) -> float:
        """Return how long it should still be left to others: half as long as it was held."""
        return max(0.0, self.until_s + self.last_s / 2 - perf_counter())


class Recorder:
    """The recorder of this Home Assistant, as far as it is asked for history."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Ask nothing yet."""
        self._hass = hass
        self._one_at_a_time = asyncio.Lock()
        self._question: asyncio.Future[Any] | None = None
        self._failure: str | None = None
        self.holding = Holding()

    @property
    def _instance(self) -> Instance | None:
        return self._hass.data.get(DATA_INSTANCE)

    @property
    def is_set_up(self) -> bool:
        """Whether there is a recorder at all; one whose set-up failed may come back."""
        return self._instance is not None

    @property
    def latest_s(self) -> float:
        """Return the age from which on states are certainly written by a recorder that has caught up."""
        return max(LATEST_S, 0.0 if self._instance is None else 2.0 * self._instance.commit_interval)

    @property
    def began_us(self) -> int | None:
        """Return when the recorder began to listen, in this run of Home Assistant or with another database.

        Ids of its tables are good as long as this stays the same: a database that breaks is replaced by an empty one.
        """
        return None if self._instance is None else instant_us(self._instance.recorder_runs_manager.recording_start)

    def status(self) -> RecorderStatus:
        """Return how the recorder is now."""
        instance = self._instance
        if instance is None:
            return RecorderStatus(Condition.NOT_SET_UP)
        oldest_s = instance.states_manager.oldest_ts
        return RecorderStatus(self._condition(instance), None if oldest_s is None else ts_us(oldest_s), self._failure)

    def _condition(self, instance: Instance) -> Condition:
        if instance.migration_in_progress:
            return Condition.MIGRATING
        if self._failure is not None or DOMAIN not in self._hass.config.components or not instance.is_running:
            return Condition.NOT_ANSWERING
        if not instance.recording:
            return Condition.LOSSY
        return Condition.READY if instance.enabled else Condition.DISABLED

    def records(self, entity_id: str) -> bool:
        """Whether the recorder's settings include an entity."""
        return is_entity_recorded(self._hass, entity_id)

    async def catch_up(self) -> None:
        """Wait until everything that happened before now is written."""
        future = self._asked().async_get_commit_future()
        if future is not None and not (await asyncio.wait([future], timeout=CATCH_UP_S))[0]:
            self._failure = "it has not written what happened (a backup?)"
            raise RecorderUnavailableError(f"the recorder does not answer: {self._failure}")

    async def ask[T](self, question: Callable[[Session], T]) -> T:
        """Return the answer to a question, asked in the recorder's executor."""
        instance = self._asked()

        def timed() -> tuple[T, float]:
            start_s = perf_counter()
            with _session(instance) as session:
                answer = question(session)
            return answer, perf_counter() - start_s

        async with self._one_at_a_time:
            if self._question is not None and not self._question.done():
                raise RecorderUnavailableError("the recorder still does not answer")
            self._question = future = instance.async_add_executor_job(timed)
            future.add_done_callback(_noted)
            if not (await asyncio.wait([future], timeout=ANSWER_S))[0]:
                self._failure = "it did not answer in time"
                raise RecorderUnavailableError(f"the recorder does not answer: {self._failure}")
            try:
                answer, held_s = future.result()
            except SQLAlchemyError as err:
                self._failure = f"its database failed: {type(err).__name__}"
                raise RecorderUnavailableError(f"the recorder does not answer: {self._failure}") from err
            self._failure = None
            self.holding.add(held_s)
            return answer

    def _asked(self) -> Instance:
        """Return the recorder if it can be asked."""
        instance = self._instance
        if instance is None or DOMAIN not in self._hass.config.components:
            raise RecorderUnavailableError("the recorder is not set up")
        if instance.migration_in_progress and not instance.migration_is_live:
            raise RecorderUnavailableError("the recorder migrates its database")
        return instance


def _noted(future: asyncio.Future[Any]) -> None:
    """Take note of an error that may come when nobody waits for it any more."""
    if not future.cancelled():
        future.exception()


@contextmanager
def _session(instance: Instance) -> Iterator[Session]:
    """Open a session of its own, for reading: nothing is committed."""
    try:
        session = instance.get_session()
    except RuntimeError as err:
        raise RecorderUnavailableError("the recorder's database is closed") from err
    try:
        yield session
    finally:
        session.close()
