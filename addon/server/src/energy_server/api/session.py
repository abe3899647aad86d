"""Log in and out: the access token in exchange for a session cookie.

In:   `{"token": ...}`.
Out:  204 with the cookie, or UnauthorizedError, TooManyAttemptsError, InvalidParameterError.
"""

import orjson
from aiohttp import web

from energy_server.api.answers import Login
from energy_server.api.auth import COOKIE, Auth
from energy_server.api.logins import SESSION_S
from energy_server.api.parameters import NoQuery, validate
from energy_server.errors import InvalidParameterError

AUTH = web.AppKey("auth", Auth)


async def log_in(request: web.Request, _query: NoQuery) -> web.Response:
    """Start a session."""
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise InvalidParameterError("The body must be JSON") from None
    auth = request.app[AUTH]
    auth.check_token(validate(Login, body).token, request)
    response = web.Response(status=204)
    response.set_cookie(
        COOKIE,
        await auth.start_session(),
        max_age=SESSION_S,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
    )
    return response


async def log_out(request: web.Request, _query: NoQuery) -> web.Response:
    """End the session."""
    await request.app[AUTH].end_session(request.cookies.get(COOKIE, ""))
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response
