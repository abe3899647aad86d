"""What every request must pass before its handler: Host, Origin, authentication; and the headers of every answer.

In:   a request, the allowed names, `Auth`, `Ingress`.
Out:  the handler's answer, or HostNotAllowedError, OriginNotAllowedError, UnauthorizedError, TooManyAttemptsError,
      and what `ingress` refuses. The request knows its prefix.

A Host from an allow-list stops DNS rebinding; an Origin that is the server's own stops other pages from writing or from
opening a WebSocket with a visitor's session. Browsers say in Sec-Fetch-Site, which no page can set, whether it is: over
https or on localhost, and Chromium not for WebSockets. Where they do not, Origin has to equal the Host.
"""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from energy_server.api.auth import Auth
from energy_server.api.ingress import (
    PREFIX,
    PREFIX_HEADER,
    READING,
    Ingress,
    PrefixNotAllowedError,
    forbid_link,
    host_of,
    prefix_of,
)
from energy_server.errors import EnergyServerError

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
DEFAULT_PORTS = {"http": 80, "https": 443}
SITE = "Sec-Fetch-Site"
SAME_ORIGIN = "same-origin"
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


def same_origin(origin: str, host: str, *, any_port: bool = False) -> bool:
    """Return whether an Origin header names the same host and port as a Host header.

    `any_port`: a Host without a port may have lost it on its way, so it stands for all of them.
    """
    try:
        left, right = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[left.scheme]
        ports = left.port or default, right.port or default
    except KeyError, ValueError:  # "null", or not a URL
        return False
    return left.hostname == right.hostname and (ports[0] == ports[1] or (any_port and right.port is None))


def check_origin(request: web.Request, host: str, *, secret_path: bool = False) -> None:
    """Raise OriginNotAllowedError for a write or a WebSocket from another origin.

    Programs send no Origin; a browser always does, so one that sends only a cookie must name it. `secret_path`: no page
    of another origin knows the address. Then a proxy may have left the port out of the Host of a WebSocket, which
    Chromium says nothing else about.
    """
    listens = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in READING and not listens:
        return
    site, origin = request.headers.get(SITE), request.headers.get("Origin")
    if site is not None:
        allowed = site == SAME_ORIGIN
    elif origin is not None:
        allowed = same_origin(origin, host, any_port=secret_path and listens)
    else:
        allowed = "Authorization" in request.headers or "Cookie" not in request.headers
    if not allowed:
        raise OriginNotAllowedError("Pages of another origin may not do this.")


class Guard:
    """What the two listeners let in."""

    def __init__(
        self,
        auth: Auth,
        ingress: Ingress,
        allowed_hosts: Collection[str],
        open_routes: Collection[tuple[str, str]],
    ) -> None:
        self._auth = auth
        self._ingress = ingress
        self._allowed_hosts = allowed_hosts
        self._open_routes = open_routes

    def middleware(self) -> Middleware:
        """Return what checks every request."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            check_listener = self._check_ingress if self._ingress.received(request) else self._check_direct
            request[PREFIX] = check_listener(request)
            return await handler(request)

        return check

    def _check_ingress(self, request: web.Request) -> str:
        """Let the Supervisor in, whose users have logged in to Home Assistant."""
        self._ingress.check(request)
        forbid_link(request)
        check_origin(request, host_of(request), secret_path=True)
        return prefix_of(request)

    def _check_direct(self, request: web.Request) -> str:
        """Let in who has the token or a session; `open_routes` are the (method, path) that need neither."""
        host = request.headers.get("Host", "")
        if not host_allowed(host, self._allowed_hosts):
            raise HostNotAllowedError(
                "The server does not know itself by this host name; add it to the setting allowed_hosts."
            )
        check_origin(request, host)
        prefix = prefix_of(request)
        if prefix:
            self._check_forwarder(request)
        if is_closed(request.path) and (request.method, request.path) not in self._open_routes:
            self._auth.admit(request)
        return prefix

    def _check_forwarder(self, request: web.Request) -> None:
        """Let a prefix be claimed by the integration only, which has the token, not by a session of a browser."""
        if "Authorization" not in request.headers:
            raise PrefixNotAllowedError(f"Only Home Assistant sets {PREFIX_HEADER}.")
        self._auth.admit(request)
        forbid_link(request)


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every answer, and no name or version of the software."""
    response.headers.update(SECURITY_HEADERS)
    response.headers["Server"] = "energy-server"
