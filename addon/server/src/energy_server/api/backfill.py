"""Backfills by hand: fetch readings of some Entities and a span from Home Assistant's recorder again.

In:   `{"site"?, "keys"?, "start", "end", "zone"?}`, or the id of a job.
Out:  jobs. InvalidParameterError or NotFoundError name the field: a span that ends before it begins, lies before 2000
      or in the future, Entities that are not there or have no states.
"""

import orjson
from aiohttp import web
from pydantic import Field, field_validator

from energy_server.api.core import Core, core_of, find_entities, find_site
from energy_server.api.parameters import Key, NoQuery, Query, SiteQuery, SpanQuery, validate
from energy_server.api.reply import reply
from energy_server.errors import InvalidParameterError, NotFoundError, TooManyError
from energy_server.jobs.backfill import MOST_OPEN, Job
from energy_server.ledger.wanted import EARLIEST_US
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity

MOST_KEYS = 5_000


class BackfillBody(SpanQuery):
    """What to fetch again; all Entities where no keys are given."""

    keys: tuple[Key, ...] | None = Field(default=None, min_length=1, max_length=MOST_KEYS, description="Entities.")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _numbers_too(cls, value: object) -> object:
        return str(value) if type(value) in (int, float) else value


class JobQuery(Query):
    """A job."""

    id: Key = Field(description="Id of the job.")


async def create_backfill(request: web.Request, _query: NoQuery) -> web.Response:
    """Begin a backfill; the same one again while it runs is the same job."""
    core = core_of(request)
    try:
        body = validate(BackfillBody, orjson.loads(await request.read()))
    except orjson.JSONDecodeError:
        raise InvalidParameterError("The body must be JSON") from None
    site = await find_site(core, body.site)
    span = body.window(site.time_zone).span
    if span.since_us < EARLIEST_US:
        raise InvalidParameterError("start must not lie before 2000", field="start")
    entities = await _entities(core, site.id, body.keys)
    if span.since_us >= max(map(core.wanted.horizon_us, entities)):
        raise InvalidParameterError("start must lie before what was heard live last", field="start")
    if len(core.backfills.open(site.id)) >= MOST_OPEN:
        raise TooManyError(f"There are {MOST_OPEN} backfills already; wait for one, or cancel one.")
    job = await core.backfills.create(site.id, entities, Span(span.since_us, span.until_us))
    return reply(describe(core, job), request)


async def list_backfills(request: web.Request, query: SiteQuery) -> web.Response:
    """Answer with the jobs of a Site, newest first."""
    core = core_of(request)
    site = await find_site(core, query.site)
    return reply({"jobs": [describe(core, job) for job in core.backfills.all(site.id)]}, request)


async def show_backfill(request: web.Request, query: JobQuery) -> web.Response:
    """Answer with a job as it is now."""
    core = core_of(request)
    return reply(describe(core, _there(core.backfills.get(query.id))), request)


async def cancel_backfill(request: web.Request, query: JobQuery) -> web.Response:
    """End a job before it is done; what it fetched stays."""
    core = core_of(request)
    return reply(describe(core, _there(await core.backfills.cancel(query.id))), request)


def describe(core: Core, job: Job) -> dict[str, object]:
    """Return a job as the API shows it."""
    waits = "running" if core.links.record(job.site).connected else "queued"
    return {
        "id": job.id,
        "site": job.site,
        "keys": list(job.keys),
        "start_us": job.start_us,
        "end_us": job.end_us,
        "state": waits if job.state == "open" else job.state,
        "created_us": job.created_us,
        "finished_us": job.finished_us,
        "settled_s": job.settled_us / 1e6,
        "total_s": job.total_us / 1e6,
        "rows": job.rows,
    }


def _there(job: Job | None) -> Job:
    if job is None:
        raise NotFoundError("There is no such backfill.", field="id")
    return job


async def _entities(core: Core, site: str, keys: tuple[str, ...] | None) -> list[Entity]:
    """Return the Entities that the recorder can be asked for. Raises NotFoundError, InvalidParameterError."""
    if keys is None:
        found = [entity for entity in await core.state.entities(site) if entity.readable and entity.until_us is None]
        if not found:
            raise NotFoundError("There are no Entities yet.", field="keys")
        return found
    try:
        found = await find_entities(core, site, keys)
    except NotFoundError as err:
        raise NotFoundError(err.message, field="keys") from None
    for entity in found:
        if not entity.readable or entity.until_us is not None:
            reason = "is no longer recorded" if entity.until_us is not None else "has no states, only statistics"
            raise InvalidParameterError(f"{entity.entity_id} {reason}", field="keys")
    return list({entity.key: entity for entity in found}.values())
