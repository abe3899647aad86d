"""The table of all routes. What is not in it does not exist; the OpenAPI document is made from it.

In:   the handlers, one file per noun.
Out:  `ROUTES`, `OPEN`, and `register`, which puts them into an application.
"""

from typing import Any

from aiohttp import web

from energy_server.api import answers, sync_answers
from energy_server.api.backfill import (
    BackfillBody,
    JobQuery,
    cancel_backfill,
    create_backfill,
    list_backfills,
    show_backfill,
)
from energy_server.api.completeness import (
    CompletenessQuery,
    EntitiesQuery,
    completeness,
    completeness_entities,
    completeness_hours,
)
from energy_server.api.dashboard import dashboard
from energy_server.api.energy import EnergyQuery, energy
from energy_server.api.entities import entities
from energy_server.api.export import ExportQuery, export
from energy_server.api.health import health, ready
from energy_server.api.openapi import document
from energy_server.api.parameters import NoQuery, SiteQuery
from energy_server.api.readings import MOST_READINGS, ReadingsQuery, readings
from energy_server.api.reply import reply
from energy_server.api.route import Route
from energy_server.api.session import log_in, log_out
from energy_server.api.sockets import link, live
from energy_server.api.statistics import MOST_ROWS, StatisticsQuery, statistics
from energy_server.api.status import status
from energy_server.api.sync import SyncQuery, believe_clock, sync

DASHBOARD = r"/{path:(?!(?:api|link)(?:/|$)).*}"


async def openapi(request: web.Request, _query: NoQuery) -> web.Response:
    """Answer with the OpenAPI document."""
    return reply(document(ROUTES), request)


ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api/health", "The process answers", health, NoQuery, answers.Health, open=True, data=False),
    Route("GET", "/api/ready", "The stores are open and well", ready, NoQuery, answers.Ready, open=True),
    Route("GET", "/api/status", "How the server is", status, NoQuery, answers.Status),
    Route("GET", "/api/entities", "All Entities", entities, SiteQuery, answers.Entities),
    Route(
        "GET",
        "/api/readings",
        f"Readings of one Entity: all of them, at most {MOST_READINGS:,}, or reduced to buckets that keep the extremes",
        readings,
        ReadingsQuery,
        answers.Readings,
    ),
    Route(
        "GET",
        "/api/statistics",
        f"Statistics of some Entities, at most {MOST_ROWS:,} rows",
        statistics,
        StatisticsQuery,
        answers.Statistics,
    ),
    Route("GET", "/api/energy", "Who fed whom: balance, devices and totals", energy, EnergyQuery, answers.Energy),
    Route(
        "GET",
        "/api/completeness",
        "How much of each local day is known",
        completeness,
        CompletenessQuery,
        answers.Completeness,
    ),
    Route(
        "GET",
        "/api/completeness/hours",
        "How much of each hour is known",
        completeness_hours,
        CompletenessQuery,
        sync_answers.CompletenessHours,
    ),
    Route(
        "GET",
        "/api/completeness/entities",
        "How much of a span is known of each Entity",
        completeness_entities,
        EntitiesQuery,
        sync_answers.CompletenessEntities,
    ),
    Route("GET", "/api/sync", "How the record is kept complete", sync, SyncQuery, sync_answers.Sync),
    Route("POST", "/api/sync/clock", "Home Assistant's clock is right", believe_clock, SiteQuery, None),
    Route("GET", "/api/backfill", "Backfills by hand", list_backfills, SiteQuery, sync_answers.Jobs),
    Route(
        "POST",
        "/api/backfill",
        "Fetch readings from Home Assistant's recorder again",
        create_backfill,
        NoQuery,
        sync_answers.Job,
        body=BackfillBody,
    ),
    Route("GET", "/api/backfill/{id}", "A backfill", show_backfill, JobQuery, sync_answers.Job),
    Route("DELETE", "/api/backfill/{id}", "Cancel a backfill", cancel_backfill, JobQuery, sync_answers.Job),
    Route(
        "GET",
        "/api/export",
        "Everything that is stored of some Entities, or of all, as CSV",
        export,
        ExportQuery,
        None,
        file="text/csv",
    ),
    Route("GET", "/api/live", "New readings as they come", live, SiteQuery, answers.LiveMessage, socket=True),
    Route(
        "POST", "/api/session", "Log in by the token", log_in, NoQuery, None, body=answers.Login, open=True, data=False
    ),
    Route("DELETE", "/api/session", "Log out", log_out, NoQuery, None, data=False),
    Route("GET", "/api/openapi.json", "This document", openapi, NoQuery, answers.Document, data=False),
    Route("GET", "/link", "The Link of the integration, see the protocol's document", link, NoQuery, None, socket=True),
)
OPEN = frozenset((route.method, route.path) for route in ROUTES if route.open)


def register(app: web.Application) -> None:
    """Put all routes into the application; what is neither API nor Link belongs to the dashboard."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handle)
    app.router.add_get(DASHBOARD, dashboard)
