"""How the record of a Site is kept complete: the Link, the clocks, Gaps and their causes, progress, jobs, the log.

In:   a Site.
Out:  all of that as it is now; for the clock, what its user says of it.
"""

from dataclasses import asdict

from aiohttp import web
from pydantic import Field

from energy_server.api.backfill import describe
from energy_server.api.core import Core, core_of, find_site
from energy_server.api.gaps import ENDS, TOLD, Ahead, gaps_of
from energy_server.api.known import horizon_us
from energy_server.api.parameters import SiteQuery
from energy_server.api.reply import reply
from energy_server.jobs.audit import document_of
from energy_server.link.progress import Progress
from energy_server.link.status import LinkRecord
from energy_server.store.port import SyncEntry

MOST_LINES = 1_000


class SyncQuery(SiteQuery):
    """A Site, and how much of its log."""

    lines: int = Field(default=100, ge=0, le=MOST_LINES, description="How many of the newest lines of the sync log.")


async def sync(request: web.Request, query: SyncQuery) -> web.Response:
    """Answer with how the record of a Site is kept complete."""
    core = core_of(request)
    site = (await find_site(core, query.site)).id
    record = core.links.record(site)
    log = [line for line in await core.state.sync_log(MOST_LINES) if line.site == site]
    entities = [entity for entity in await core.state.entities(site) if entity.until_us is None]
    reasons = [line for line in log if line.what in TOLD]
    why = None if record.connected else ENDS.get(record.ended)
    ahead = Ahead(horizon_us(core.ledger, site, core.clock_us()), why)
    document = {
        "site": site,
        "now_us": core.clock_us(),
        "link": _link(core, site, record),
        "clock": _clock(core, site, record),
        "recorder": asdict(record.recorder) if record.recorder else None,
        "gaps": asdict(await gaps_of(core.ledger, core.wanted, site, entities, reasons, ahead)),
        "progress": _progress(record.progress) if record.connected else None,
        "importing": asdict(record.importing) if record.importing else None,
        "jobs": [describe(core, job) for job in core.backfills.all(site)],
        "audits": await _audits(core, site),
        "log": [_line(line) for line in log[: query.lines]],
    }
    return reply(document, request)


async def believe_clock(request: web.Request, query: SiteQuery) -> web.Response:
    """Take Home Assistant's clock as right, though it is far behind the newest Coverage."""
    core = core_of(request)
    await core.links.believe_clock((await find_site(core, query.site)).id)
    return web.Response(status=204)


def _link(core: Core, site: str, record: LinkRecord) -> dict[str, object]:
    status = core.links.status(site)
    return {
        "connected": status.connected,
        "since_us": status.since_us,
        "last_message_us": status.last_message_us,
        "last_reading_us": status.last_reading_us,
        "readings_per_s": status.readings_per_s,
        "waiting": record.waiting,
        "dropped": record.dropped,
        "error": asdict(status.error) if status.error else None,
    }


def _clock(core: Core, site: str, record: LinkRecord) -> dict[str, object] | None:
    if record.clock is None:
        return None
    return {
        "home_assistant_us": record.clock.now_us(),
        "server_us": core.clock_us(),
        "live_end_us": core.ledger.live_end_us(site),
        "refused": record.clock.refusal is not None,
    }


def _progress(progress: Progress | None) -> dict[str, object] | None:
    if progress is None:
        return None
    return {
        "kind": progress.kind,
        "since_us": progress.since_us,
        "done_s": progress.done_s,
        "total_s": progress.total_us / 1e6,
        "rows": progress.rows,
        "rate_per_s": progress.rate_per_s(),
        "eta_s": progress.eta_s(),
    }


async def _audits(core: Core, site: str) -> dict[str, object]:
    document = await core.state.document(document_of(site)) or {}
    return {"day_us": document.get("day_us"), "all_us": document.get("all_us")}


def _line(line: SyncEntry) -> dict[str, object]:
    return {name: value for name, value in asdict(line).items() if name != "site"}
