"""What every request must pass before its handler: Host, Origin, authentication; and the headers of every answer.

In:   a request, the allowed names, `Auth`.
Out:  the handler's answer, or HostNotAllowedError, OriginNotAllowedError, UnauthorizedError, TooManyAttemptsError.

A Host from an allow-list stops DNS rebinding; an Origin that equals the Host stops other pages from writing or from
opening a WebSocket with a visitor's session.
"""

from collections.abc import Collection
from http import HTTPMethod
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from energy_server.api.auth import Auth
from energy_server.errors import EnergyServerError

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
DEFAULT_PORTS = {"http": 80, "https": 443}
READING = (HTTPMethod.GET, HTTPMethod.HEAD)
CLOSED = ("/api", "/link")


class HostNotAllowedError(EnergyServerError):
    """The server is called by a name that it does not know."""

    code = "host_not_allowed"


class OriginNotAllowedError(EnergyServerError):
    """A page of another origin wants to write or to listen."""

    code = "origin_not_allowed"


def is_closed(path: str) -> bool:
    """Return whether a path is one of data, known or not, as opposed to the dashboard's files."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in CLOSED)


def host_allowed(host: str, allowed: Collection[str]) -> bool:
    """Return whether a Host header names an IP address, localhost or an allowed name."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or "@" in host:
        return False
    name = name.rstrip(".")
    if name == "localhost" or name in allowed:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(origin: str, host: str) -> bool:
    """Return whether an Origin header names the same host and port as a Host header."""
    try:
        left, right = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[left.scheme]
        ports = left.port or default, right.port or default
    except KeyError, ValueError:  # "null", or not a URL
        return False
    return left.hostname == right.hostname and ports[0] == ports[1]


def check_origin(request: web.Request) -> None:
    """Raise OriginNotAllowedError for a write or a WebSocket from another origin.

    Programs send no Origin; a browser always does, so one that sends only a cookie must name it.
    """
    if request.method in READING and request.headers.get("Upgrade", "").lower() != "websocket":
        return
    origin = request.headers.get("Origin")
    if origin is None and not ("Cookie" in request.headers and "Authorization" not in request.headers):
        return
    if origin is None or not same_origin(origin, request.headers.get("Host", "")):
        raise OriginNotAllowedError("Pages of another origin may not do this.")


def guard(auth: Auth, allowed_hosts: Collection[str], open_routes: Collection[tuple[str, str]]) -> Middleware:
    """Return the middleware; `open_routes` are the (method, path) that need no authentication."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_allowed(request.headers.get("Host", ""), allowed_hosts):
            raise HostNotAllowedError(
                "The server does not know itself by this host name; add it to the setting allowed_hosts."
            )
        check_origin(request)
        if is_closed(request.path) and (request.method, request.path) not in open_routes:
            auth.admit(request)
        return await handler(request)

    return check


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every answer, and no name or version of the software."""
    response.headers.update(SECURITY_HEADERS)
    response.headers["Server"] = "energy-server"
