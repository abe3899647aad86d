"""What tests say about the past: runs of Home Assistant's recorder and the states it holds, written as it would."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any

import pytest
from homeassistant.components.recorder.db_schema import RecorderRuns, StateAttributes, States, StatesMeta
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from custom_components.energy_dashboard.pipeline import gaps, reconcile, recorder, watch
from custom_components.energy_dashboard.pipeline.convert import instant_us
from tests.integration.home import COUNTER, state

EARLIEST_US = 946_684_800_000_000


class Past:
    """A recorder's database. Instants are minutes from about the beginning of the test, negative ones before it."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.start = (datetime.now(UTC) - timedelta(seconds=1)).replace(microsecond=123_457)  # never ahead of now
        self._todo: list[Callable[[Session], object]] = []
        self._run_id = -1_000  # before the one of Home Assistant's present run

    def at(self, minute: float) -> datetime:
        return self.start + timedelta(minutes=minute)

    def us(self, minute: float) -> int:
        return instant_us(self.at(minute))

    def span(self, since: float, until: float) -> tuple[int, int]:
        return self.us(since), self.us(until)

    def run(self, since: float, until: float, *, killed: bool = False) -> None:
        """Home Assistant ran; if it was killed the recorder wrote the end at its next start."""
        self._run_id += 1
        run = RecorderRuns(
            run_id=self._run_id, start=self.at(since), end=self.at(until), closed_incorrect=killed, created=self.start
        )
        self._todo.append(lambda session: session.add(run))

    def present_run(self, since: float) -> None:
        """Home Assistant has been running since then."""
        self._todo.append(
            lambda session: session.execute(
                update(RecorderRuns).where(RecorderRuns.end.is_(None)).values(start=self.at(since))
            )
        )

    def state(
        self,
        entity_id: str,
        minute: float,
        value: str | None,
        attributes: Mapping[str, Any] | None = COUNTER,
        reported: float | None = None,
    ) -> None:
        """Store a state; attributes None stand for those that were too large."""

        def add(session: Session) -> None:
            meta = session.query(StatesMeta).filter_by(entity_id=entity_id).one_or_none()
            stored = StateAttributes(shared_attrs="{}" if attributes is None else dumps(attributes), hash=0)
            state = States(
                state=value,
                last_updated_ts=self.at(minute).timestamp(),
                last_reported_ts=None if reported is None else self.at(reported).timestamp(),
            )
            state.states_meta_rel = meta or StatesMeta(entity_id=entity_id)
            state.state_attributes = stored
            session.add(state)
            session.flush()

        self._todo.append(add)

    def forget(self, entity_id: str) -> None:
        """Purge what was stored of an entity."""

        def purge(session: Session) -> None:
            ids = [row.metadata_id for row in session.query(StatesMeta).filter_by(entity_id=entity_id)]
            session.execute(delete(States).where(States.metadata_id.in_(ids)))
            session.execute(delete(StatesMeta).where(StatesMeta.metadata_id.in_(ids)))

        self._todo.append(purge)

    async def write(self) -> None:
        """Write it down."""
        todo, self._todo = self._todo, []

        def work() -> None:
            with session_scope(hass=self.hass) as session:
                for job in todo:
                    job(session)

        await settled(self.hass)
        await get_instance(self.hass).async_add_executor_job(work)


async def settled(hass: HomeAssistant) -> None:
    """Wait until the recorder has written everything: its own waiting leaves out what it is just doing."""
    await hass.async_block_till_done()
    written: asyncio.Future[None] = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(written))
    await written


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be too recent, and look again soon."""
    monkeypatch.setattr(recorder, "LATEST_S", 0.0)
    monkeypatch.setattr(gaps, "RETRY_S", 0.05)
    monkeypatch.setattr(gaps, "LONGEST_RETRY_S", 0.05)
    monkeypatch.setattr(watch, "LOOK_S", 0.05)
    monkeypatch.setattr(reconcile, "RETRY_S", 0.05)


@pytest.fixture
async def home_with_past(recorder_mock: object, hass: HomeAssistant) -> Past:
    """A home whose meter has the state 5 now, and two hours of history."""
    del recorder_mock
    state(hass, "sensor.meter", "5", COUNTER)
    await settled(hass)
    past = Past(hass)
    past.present_run(-120)
    return past
