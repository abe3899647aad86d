"""Render every failure as the one error body.

In:   whatever a handler raised, and aiohttp's own answers (404, 405, 413).
Out:  `{"error": {"code", "message", "field"}}` with the right status. An exception that nobody expected is logged here,
      once, with its traceback; nothing leaves this module.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from energy_server.errors import EnergyServerError

_LOGGER = logging.getLogger(__name__)

STATUS_OF: Mapping[str, HTTPStatus] = {
    "invalid_parameter": HTTPStatus.BAD_REQUEST,
    "too_many": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "host_not_allowed": HTTPStatus.FORBIDDEN,
    "origin_not_allowed": HTTPStatus.FORBIDDEN,
    "peer_not_allowed": HTTPStatus.FORBIDDEN,
    "prefix_not_allowed": HTTPStatus.FORBIDDEN,
    "read_only": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "upgrade_required": HTTPStatus.UPGRADE_REQUIRED,
    "too_many_attempts": HTTPStatus.TOO_MANY_REQUESTS,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "store_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
_CODE_OF = {status.value: code for code, status in STATUS_OF.items()} | {400: "bad_request", 403: "forbidden"}


def error_response(
    code: str,
    message: str,
    *,
    field: str | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return the one error body."""
    return web.Response(
        status=STATUS_OF[code] if status is None else status,
        body=orjson.dumps({"error": {"code": code, "message": message, "field": field}}),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _of_aiohttp(err: web.HTTPException) -> web.Response:
    kept = {name: err.headers[name] for name in ("Allow", "Retry-After") if name in err.headers}
    message = HTTPStatus(err.status).description or err.reason
    return error_response(_CODE_OF.get(err.status, "http_error"), message, status=err.status, headers=kept)


@web.middleware
async def render_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into an answer."""
    try:
        return await handler(request)
    except EnergyServerError as err:
        retry_s: int | None = getattr(err, "retry_after_s", None)
        headers = {} if retry_s is None else {"Retry-After": str(retry_s)}
        return error_response(err.code, err.message, field=err.field, headers=headers)
    except web.HTTPException as err:
        if err.status < HTTPStatus.BAD_REQUEST:
            raise
        return _of_aiohttp(err)
    except Exception:  # the one place that answers for a defect in a handler; without it the answer would be HTML
        resource = request.match_info.route.resource
        _LOGGER.exception("Defect while answering %s %s", request.method, resource.canonical if resource else "-")
        return error_response("internal", "The server failed; its log has the details.")
