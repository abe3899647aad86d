"""What holds for every route: the one error body, the description, limits."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from openapi_spec_validator import validate
from pydantic import TypeAdapter

from energy_server.api import answers, sync_answers
from energy_server.api.health import health
from energy_server.api.openapi import document
from energy_server.api.parameters import NoQuery
from energy_server.api.routes import ROUTES, register
from tests.server.serving import BEARER, Running, error_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND")
TYPES = Path(__file__).parents[3] / "addon" / "dashboard" / "src" / "api" / "types.ts"


def there(path: str) -> str:
    """Return an address of a route."""
    return path.replace("{id}", "any")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_an_unknown_parameter_is_named(server: Running, route: Any) -> None:
    error = await server.error(there(route.path), method=route.method, status=400, nonsense="1")
    assert (error["code"], error["field"]) == ("invalid_parameter", "nonsense")


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
async def test_a_method_that_is_not_there_is_refused(server: Running, path: str) -> None:
    methods = {route.method for route in ROUTES if route.path == path}
    for method in set(METHODS) - methods:
        async with server.client.request(method, f"{server.url}{there(path)}") as response:
            assert response.status == 405
            assert set(response.headers["Allow"].split(",")) == methods
            if method != "HEAD":
                assert error_of(await response.json())["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/status/", "/api/../api/x", "/link/x", "/api/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_not_there_is_not_found(server: Running, path: str, method: str) -> None:
    assert (await server.error(path, method=method, status=404))["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/live", "/link"])
async def test_a_websocket_is_not_for_ordinary_requests(server: Running, path: str) -> None:
    assert (await server.error(path, status=426))["code"] == "upgrade_required"


async def test_a_defect_is_answered_and_logged_once(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def defect(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(server.core.state, "sites", defect)
    with caplog.at_level(logging.INFO):
        error = await server.error("/api/status", status=500)
    assert error["code"] == "internal"
    assert "of the test" not in error["message"]
    answered = [record for record in caplog.records if record.name == "energy_server.api.failures"]
    assert len([record for record in answered if record.exc_info]) == 1


@pytest.mark.parametrize(
    "path",
    ["/api/ready", "/api/entities", "/api/energy?start=1&end=2&resolution=day", "/api/completeness?start=1&end=2"],
)
async def test_a_store_that_is_lost_is_said(server: Running, path: str) -> None:
    await server.core.state.close()
    assert (await server.error(path, status=503))["code"] == "store_unavailable"


async def test_status_tells_of_a_store_that_is_lost(server: Running) -> None:
    await server.core.state.close()
    status = await server.get("/api/status")
    assert status["sites"] == []
    assert [(store["role"], store["well"]) for store in status["stores"]] == [("series", True), ("state", False)]
    assert status["stores"][1]["detail"]


async def send(server: Running, request: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /api/health?" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["nonsense", "header", "address", "TLS"],
)
async def test_what_is_no_http_or_too_long_is_refused_and_not_quoted_in_the_log(
    server: Running, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = await send(server, request_)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert not [record for record in caplog.records if record.exc_info]
    assert (await server.get("/api/health"))["status"] == "ok"


async def test_a_request_without_a_host_is_refused(server: Running) -> None:
    assert b" 403 " in (await send(server, b"GET /api/health HTTP/1.0\r\n\r\n")).split(b"\r\n")[0]


async def test_the_answer_is_compressed_when_it_is_long(server: Running) -> None:
    async with aiohttp.ClientSession(headers=BEARER, auto_decompress=False) as client:
        async with client.get(f"{server.url}/api/openapi.json", headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
        async with client.get(f"{server.url}/api/openapi.json", headers={"Accept-Encoding": "identity"}) as response:
            assert "Content-Encoding" not in response.headers


async def test_the_document_is_valid_and_names_every_route_and_parameter(server: Running) -> None:
    described = await server.get("/api/openapi.json")
    validate(described)
    assert described == document(ROUTES)
    for route in ROUTES:
        operation = described["paths"][route.path][route.method.lower()]
        assert operation["summary"]
        assert operation["description"]
        assert {parameter["name"] for parameter in operation["parameters"]} == set(route.query.model_fields)
        for parameter in operation["parameters"]:
            assert parameter["description"], f"{route.path}: {parameter['name']} is not described"
    paths = {(method, path) for path, operations in described["paths"].items() for method in operations}
    assert paths == {(route.method.lower(), route.path) for route in ROUTES}
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_every_route_of_the_application_is_in_the_table() -> None:
    app = web.Application()
    register(app)
    there = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    described = {(route.method, route.path) for route in ROUTES}
    assert {(method, path) for method, path in there if path.startswith(("/api", "/link"))} == described
    assert {path for _, path in there} - {path for _, path in described} == {"/{path}"}


def test_every_handler_has_its_own_line() -> None:
    assert len({route.handler for route in ROUTES}) == len(ROUTES)
    assert health in {route.handler for route in ROUTES}
    assert TypeAdapter(NoQuery).validate_python({}) == NoQuery()


def fields_of(name: str, text: str) -> set[str]:
    """Return the names of the fields of a TypeScript interface, nested ones left out."""
    body = re.search(rf"export interface {name}(?:<T>)? \{{\n(.*?)\n\}}", text, re.DOTALL)
    assert body, name
    return set(re.findall(r"^  (\w+):", body[1], re.MULTILINE))


@pytest.mark.parametrize(
    ("interface", "model"),
    [
        ("Entity", answers.Entity),
        ("RoleAssignment", answers.RoleAssignment),
        ("Status", answers.Status),
        ("SiteStatus", answers.SiteStatus),
        ("Completeness", answers.Completeness),
        ("Statistics", answers.Statistics),
        ("Sync", sync_answers.Sync),
        ("SyncGap", sync_answers.SyncGap),
        ("SyncEntry", sync_answers.SyncEntry),
        ("BackfillJob", sync_answers.Job),
        ("EntityCompleteness", sync_answers.CompletenessEntities),
        ("HourCompleteness", sync_answers.CompletenessHours),
        ("Flows", answers.Flows),
        ("Energy", answers.Energy),
        ("ErrorBody", answers.ErrorBody),
    ],
)
def test_the_dashboard_expects_what_the_server_says(interface: str, model: type[answers.Answer]) -> None:
    assert fields_of(interface, TYPES.read_text()) == set(model.model_fields)
