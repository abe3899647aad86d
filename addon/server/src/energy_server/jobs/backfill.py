"""Backfills that somebody asked for: readings of some Entities and a span are fetched from the recorder again.

In:   Entities and a span; what is still asked for.
Out:  jobs, with how far they are; a line in the sync log when one ends. They survive a restart: one that was not done
      begins again, which changes nothing of what it did before.
Failures: StoreUnavailableError from what reads the catalog or writes them down.

Who is no longer in the catalog cannot be asked about: a job gives up on it, and ends `partly`.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace

from energy_server.ledger.asked import Asked
from energy_server.ledger.wanted import Wanted
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.store.port import StateStore, SyncEntry

DOCUMENT = "backfills"
MOST_JOBS = 50
MOST_OPEN = 10
LOOK_EVERY_S = 2.0
RECENT_US = 60_000_000
"""What came live a moment ago is not fetched again: the recorder may not have written it yet."""

type Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """One backfill; `keys` are those whose readings are fetched, `settled_us` and `rows` count once it is over.

    Of `total_us`, which is summed over Entities, `given_up_us` will never be settled.
    """

    id: str
    site: str
    keys: tuple[str, ...]
    start_us: int
    end_us: int
    created_us: int
    total_us: int
    state: str = "open"
    finished_us: int | None = None
    settled_us: int = 0
    rows: int = 0
    given_up_us: int = 0


class Backfills:
    """All jobs; the newest MOST_JOBS are remembered."""

    def __init__(self, state: StateStore, asked: Asked, wanted: Wanted, clock_us: Callable[[], int]) -> None:
        self._state = state
        self._asked = asked
        self._wanted = wanted
        self._clock_us = clock_us
        self._jobs: dict[str, Job] = {}

    async def load(self) -> None:
        """Read the jobs of earlier runs, and begin again those that were not done."""
        document = await self._state.document(DOCUMENT)
        stored = document.get("jobs") if document else None
        for fields in stored if isinstance(stored, list) else []:
            job = Job(**(fields | {"keys": tuple(fields["keys"])}))
            self._jobs[job.id] = job
        for job in [job for job in self._jobs.values() if job.state == "open"]:
            present = await self._present(job.site)
            still = [present[key] for key in job.keys if key in present]
            self._ask(job, still)
            left = len(job.keys) - len(still)
            self._jobs[job.id] = replace(job, given_up_us=job.total_us * left // len(job.keys))

    async def create(self, site: str, entities: Sequence[Entity], span: Span) -> Job:
        """Begin a backfill; one that is the same and still open is returned instead."""
        keys = tuple(sorted(entity.key for entity in entities))
        for job in self.open(site):
            if (job.keys, job.start_us, job.end_us) == (keys, span.since_us, span.until_us):
                return job
        job = Job(uuid.uuid4().hex, site, keys, span.since_us, span.until_us, self._clock_us(), 0)
        self._ask(job, entities)
        job = replace(job, total_us=self._asked.waiting_us(job.id))
        self._jobs[job.id] = job
        await self._save()
        return job

    async def cancel(self, number: str) -> Job | None:
        """End a job before it is done; one that is over stays as it is. None if there is no such job."""
        job = self._jobs.get(number)
        if job is not None and job.state == "open":
            await self._finish(job, "cancelled")
        return self._jobs.get(number)

    def get(self, number: str) -> Job | None:
        """Return a job with how far it is now."""
        job = self._jobs.get(number)
        return None if job is None else self._now(job)

    def all(self, site: str) -> list[Job]:
        """Return the jobs of a Site, newest first, with how far they are now."""
        return [self._now(job) for job in reversed(self._jobs.values()) if job.site == site]

    def open(self, site: str) -> list[Job]:
        """Return the jobs of a Site that are not over."""
        return [job for job in self._jobs.values() if job.site == site and job.state == "open"]

    async def run(self, sleep: Sleep = asyncio.sleep) -> None:
        """Notice which jobs are done, until cancelled."""
        while True:
            await self.look()
            await sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """End the jobs that wait for nothing any more, or only for Entities that left."""
        for job in [job for job in self._jobs.values() if job.state == "open"]:
            present = await self._present(job.site)
            now = self._jobs.get(job.id)
            if now is None or now.state != "open":
                continue  # it was cancelled meanwhile
            gone_us = self._asked.give_up(now.id, now.site, present)
            now = self._jobs[now.id] = replace(now, given_up_us=now.given_up_us + gone_us)
            if not self._asked.waiting_us(now.id):
                await self._finish(now, "partly" if now.given_up_us else "done")

    async def _present(self, site: str) -> dict[str, Entity]:
        entities = await self._state.entities(site)
        return {entity.key: entity for entity in entities if entity.readable and entity.until_us is None}

    def _ask(self, job: Job, entities: Sequence[Entity]) -> None:
        for entity in entities:
            until_us = min(job.end_us, self._wanted.horizon_us(entity) - RECENT_US)
            if until_us > job.start_us:
                self._asked.ask(job.id, job.site, entity.key, [Span(job.start_us, until_us)])

    def _now(self, job: Job) -> Job:
        if job.state != "open":
            return job
        settled_us = max(0, job.total_us - job.given_up_us - self._asked.waiting_us(job.id))
        return replace(job, settled_us=settled_us, rows=self._asked.rows(job.id))

    async def _finish(self, job: Job, state: str) -> None:
        ended = replace(self._now(job), state=state, finished_us=self._clock_us())
        self._jobs[job.id] = ended
        self._asked.withdraw(job.id)
        await self._save()
        names = f"{len(job.keys)} entities" if len(job.keys) != 1 else "1 entity"
        entry = SyncEntry(self._clock_us(), job.site, "backfill", names, job.start_us, job.end_us, ended.rows)
        await self._state.log(replace(entry, source="recorder", result=state))

    async def _save(self) -> None:
        over = [job.id for job in self._jobs.values() if job.state != "open"]
        for number in over[: max(0, len(self._jobs) - MOST_JOBS)]:
            del self._jobs[number]
        await self._state.put_document(DOCUMENT, {"jobs": [asdict(job) for job in self._jobs.values()]})
