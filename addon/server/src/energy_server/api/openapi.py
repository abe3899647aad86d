"""Describe the API as an OpenAPI document, made from the table of routes and the models.

In:   the routes.
Out:  the document, as a dictionary. A route or parameter that is not described cannot exist: handlers get only what
      their model declares.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from energy_server import __version__
from energy_server.api.answers import ErrorBody
from energy_server.api.failures import STATUS_OF
from energy_server.api.ingress import HARMLESS, LINK
from energy_server.api.parameters import Query
from energy_server.api.route import Route

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """
Times in answers are epoch microseconds (`_us`). Times in requests are ISO 8601 with an offset or Z, or a date (the
start of that local day), or epoch seconds, or epoch microseconds if greater than 1e14. Spans are half open. Every
answer that is no success has the one error body. Access: `Authorization: Bearer <token>`, or the session cookie of
`POST /api/session`. What Home Assistant passes on from its sidebar has `X-Ingress-Path`; if it comes through the
Supervisor it reads, and may ask for backfills. Requests are limited to 64 KiB of body, 16 KiB of address and 8 KiB a
header.
"""
ALWAYS = ("invalid_parameter", "host_not_allowed", "peer_not_allowed", "prefix_not_allowed", "internal")
CLOSED = ("unauthorized", "too_many_attempts")
OF_DATA = ("not_found", "store_unavailable")


def _parameters(query: type[Query], path: str) -> list[dict[str, object]]:
    schema = query.model_json_schema(ref_template=REFERENCE)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else "query",
            "required": name in required,
            "description": field.description,
            "schema": {key: value for key, value in schema["properties"][name].items() if key != "title"},
        }
        for name, field in query.model_fields.items()
    ]


def _errors(route: Route[Any]) -> list[str]:
    codes = [*ALWAYS, *(() if route.open else CLOSED)]
    if route.data:
        codes += OF_DATA
    if route.socket:
        codes += ["origin_not_allowed", "upgrade_required"]
    if (route.method != "GET" or route.path == LINK) and (route.method, route.path) not in HARMLESS:
        codes += ["read_only"]
    if route.body:
        codes += ["origin_not_allowed", "unauthorized", "too_many_attempts", "too_large"]
    return list(dict.fromkeys(codes))


def _content(model: type[BaseModel]) -> dict[str, object]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}


def _responses(route: Route[Any]) -> dict[str, object]:
    if route.socket:
        messages = f"; each message is a {route.answer.__name__}" if route.answer else ""
        responses: dict[str, object] = {"101": {"description": f"The WebSocket is open{messages}"}}
    elif route.file:
        content = {route.file: {"schema": {"type": "string"}}}
        responses = {"200": {"description": route.summary, "content": content}}
    elif route.answer:
        responses = {"200": {"description": route.summary, "content": _content(route.answer)}}
    else:
        responses = {"204": {"description": "Done"}}
    codes: dict[HTTPStatus, list[str]] = {}
    for code in _errors(route):
        codes.setdefault(STATUS_OF[code], []).append(code)
    for status, names in sorted(codes.items()):
        responses[str(status.value)] = {"description": ", ".join(names), "content": _content(ErrorBody)}
    return responses


def _operation(route: Route[Any]) -> dict[str, object]:
    operation: dict[str, object] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "description": (route.handler.__doc__ or "").strip(),
        "parameters": _parameters(route.query, route.path),
        "responses": _responses(route),
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": _content(route.body)}
    if route.open:
        operation["security"] = []
    return operation


def document(routes: Sequence[Route[Any]]) -> Mapping[str, object]:
    """Return the OpenAPI document of the routes."""
    models = {model for route in routes for model in (route.answer, route.body) if model} | {ErrorBody}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "serialization") for model in ordered], ref_template=REFERENCE)
    components = dict(schemas["$defs"])
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        components |= route.query.model_json_schema(ref_template=REFERENCE).get("$defs", {})
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Energy Dashboard for Home Assistant", "version": __version__, "description": DESCRIPTION},
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "energy_session"},
            },
        },
    }
