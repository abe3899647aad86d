"""Requests that someone else passes on for a browser: the Supervisor's ingress, and the panel of the integration.

In:   a request, the port of the ingress listener, the address of the Supervisor.
Out:  how it came: on which listener, and under which prefix its browser sees the server. PeerNotAllowedError,
      PrefixNotAllowedError, ReadOnlyError for what may not come that way.

Whoever comes through ingress has logged in to Home Assistant, which does not say whether that user is an
administrator: so ingress only reads, but for what is HARMLESS, and the headers that name the user are not used. Only
the integration itself opens the Link, never a browser behind a prefix: the panel's proxy carries the token, which
would let it.
"""

import re
from http import HTTPMethod
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from energy_server.errors import EnergyServerError

PREFIX_HEADER = "X-Ingress-Path"
PREFIX_FORMAT = re.compile(r"(/[A-Za-z0-9_-]+)+")
MOST_PREFIX_CHARACTERS = 256
PREFIX = web.RequestKey("prefix", str)
FORWARDED_HOST = "X-Forwarded-Host"
LINK = "/link"
READING = (HTTPMethod.GET, HTTPMethod.HEAD)
HARMLESS = frozenset(
    {("POST", "/api/backfill"), ("DELETE", "/api/backfill/{id}"), ("POST", "/api/sync/clock")},
)
"""Writes that any user of Home Assistant may do: they change nothing but when the recorder is read, and how often."""


class PeerNotAllowedError(EnergyServerError):
    """Someone else than the Supervisor calls the ingress listener."""

    code = "peer_not_allowed"


class PrefixNotAllowedError(EnergyServerError):
    """The prefix header is malformed, or comes from someone who may not set it."""

    code = "prefix_not_allowed"


class ReadOnlyError(EnergyServerError):
    """What came this way may only read."""

    code = "read_only"


class Ingress:
    """The ingress listener, if there is one; `port` is set as soon as it listens."""

    def __init__(self, peer: IPv4Address | IPv6Address) -> None:
        self.port: int | None = None
        self._peer = peer

    def received(self, request: web.Request) -> bool:
        """Return whether the request came to the ingress listener."""
        transport = request.transport
        return transport is not None and self.port == transport.get_extra_info("sockname")[1]

    def check(self, request: web.Request) -> None:
        """Return if the Supervisor asks to read. Raises PeerNotAllowedError, ReadOnlyError."""
        address = ip_address((request.remote or "").partition("%")[0] or "::")
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if address != self._peer:
            raise PeerNotAllowedError("Only Home Assistant's Supervisor may call this port.")
        resource = request.match_info.route.resource
        harmless = resource is not None and (request.method, resource.canonical) in HARMLESS
        if request.method not in READING and not harmless:
            raise ReadOnlyError("The dashboard in Home Assistant's sidebar may not change this.")


INGRESS = web.AppKey("ingress", Ingress)


def prefix_of(request: web.Request) -> str:
    """Return the prefix that the request claims, "" if it claims none. Raises PrefixNotAllowedError."""
    claimed = request.headers.getall(PREFIX_HEADER, [])
    if not claimed:
        return ""
    prefix = claimed[0]
    if len(claimed) > 1 or len(prefix) > MOST_PREFIX_CHARACTERS or PREFIX_FORMAT.fullmatch(prefix) is None:
        raise PrefixNotAllowedError(f"{PREFIX_HEADER} must be one path of letters, digits, - and _.")
    return prefix


def forbid_link(request: web.Request) -> None:
    """Raise ReadOnlyError for the Link: browsers have no part in it."""
    if request.path == LINK:
        raise ReadOnlyError("The Link is not for browsers.")


def host_of(request: web.Request) -> str:
    """Return the host by which the browser behind the Supervisor calls Home Assistant."""
    host: str = request.headers.get(FORWARDED_HOST, "")
    return host or request.headers.get("Host", "")
