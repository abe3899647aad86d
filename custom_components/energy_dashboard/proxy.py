"""Show the server's pages on Home Assistant's own origin, to those who are logged in to Home Assistant.

In:   a path that Home Assistant signed for a user, in exchange for a cookie; then requests with that cookie.
Out:  the server's answers (`passing.py`). Refused are: a session that is over, of another entry or of a user who was
      revoked (401), users who are not administrators and want to write, pages of another origin (403), and what is
      not the dashboard's (404). Nothing leaves as HTTPUnauthorized, which Home Assistant counts as a wrong login.

Browsers say in Sec-Fetch-Site, which no page can set, whether the page that asks is of the same origin: over https or
on localhost, and Chromium not for WebSockets. Where they do not, the page's Origin has to be the one that the panel
named when it had its path signed, or Home Assistant's own as Host has it, of which proxies lose the port.
"""

import asyncio
from http import HTTPMethod, HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from homeassistant.auth.models import User
from homeassistant.components.http.auth_util import async_user_not_allowed_do_auth
from homeassistant.components.http.const import KEY_HASS_REFRESH_TOKEN_ID, KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView

from .const import DOMAIN
from .passing import Origin, error_answer, pass_request, pass_socket
from .sessions import SESSION_S, PanelSession, PanelSessions

COOKIE: Final = f"{DOMAIN}_panel"
LIVE: Final = "api/live"
LINK: Final = "link"
READING: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SITE: Final = "Sec-Fetch-Site"
SAME_ORIGIN: Final = "same-origin"
PAGE_ORIGIN: Final = "origin"
"""The parameter of the session's path by which the panel names its origin; it is signed with the path."""
MOST_ORIGIN_CHARACTERS: Final = 300


class Origins(dict[str, Origin]):
    """The servers whose pages are shown, by the id of their config entry."""


class RefusedRequestError(Exception):
    """The request is answered without the server."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        """Say why, as the server would."""
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self) -> web.Response:
        """Return the answer."""
        return error_answer(self.status, self.code, str(self))


def proxy_path(entry_id: str) -> str:
    """Return the path below which the pages of an entry's server are."""
    return f"/api/{DOMAIN}/proxy/{entry_id}"


def session_path(entry_id: str) -> str:
    """Return the path that a browser has signed in exchange for a session."""
    return f"/api/{DOMAIN}/session/{entry_id}"


class PanelSessionView(HomeAssistantView):
    """Exchange a signed path for a cookie."""

    url = session_path("{entry_id}")
    name = f"api:{DOMAIN}:session"

    def __init__(self, origins: Origins, sessions: PanelSessions) -> None:
        """Keep what all requests share."""
        self._origins = origins
        self._sessions = sessions

    async def get(self, request: web.Request, entry_id: str) -> web.Response:
        """Begin a session for the user who had the path signed."""
        if entry_id not in self._origins:
            return error_answer(HTTPStatus.NOT_FOUND, "not_found", "There is no such server.")
        refresh_token_id = request.get(KEY_HASS_REFRESH_TOKEN_ID)
        if refresh_token_id is None or request[KEY_HASS_USER].system_generated:
            return error_answer(HTTPStatus.FORBIDDEN, "forbidden", "The panel is for people.")
        response = web.json_response({"expires_s": SESSION_S}, headers={hdrs.CACHE_CONTROL: "no-store"})
        response.set_cookie(
            COOKIE,
            self._sessions.begin(
                entry_id, refresh_token_id, request.query.get(PAGE_ORIGIN, "")[:MOST_ORIGIN_CHARACTERS]
            ),
            max_age=SESSION_S,
            path=f"{proxy_path(entry_id)}/",
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response


class PanelProxyView(HomeAssistantView):
    """Pass on what a session may ask."""

    url = proxy_path("{entry_id}") + "/{path:.*}"
    name = f"api:{DOMAIN}:proxy"
    requires_auth = False

    def __init__(self, hass: HomeAssistant, origins: Origins, sessions: PanelSessions) -> None:
        """Keep what all requests share."""
        self._hass = hass
        self._origins = origins
        self._sessions = sessions

    async def get(self, request: web.Request, entry_id: str, path: str) -> web.StreamResponse:
        """Answer a request of any method."""
        try:
            refresh_token_id = self._admit(request, entry_id)
            origin = self._origin(entry_id, path)
            if path == LIVE and web.WebSocketResponse().can_prepare(request):
                return await self._live(request, origin, refresh_token_id)
        except RefusedRequestError as err:
            return err.answer()
        return await pass_request(origin, request, path)

    head = post = put = patch = delete = get

    def _admit(self, request: web.Request, entry_id: str) -> str:
        """Return the id of the user's refresh token. Raises RefusedRequestError."""
        session = self._sessions.find(entry_id, request.cookies.get(COOKIE))
        user = None if session is None else self._user(request, session.refresh_token_id)
        if session is None or user is None:
            raise RefusedRequestError(
                HTTPStatus.UNAUTHORIZED, "unauthorized", "Open the panel in Home Assistant again."
            )
        reads = request.method in READING
        if (not reads or hdrs.UPGRADE in request.headers) and not of_own_page(request, session):
            message = "Pages of another origin may not do this."
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "origin_not_allowed", message)
        if not reads and not user.is_admin:
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "read_only", "Only administrators may change something.")
        return session.refresh_token_id

    def _origin(self, entry_id: str, path: str) -> Origin:
        """Return the server that has the path. Raises RefusedRequestError."""
        origin = self._origins.get(entry_id)
        if origin is None or path == LINK or not {"..", "."}.isdisjoint(path.split("/")):
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "not_found", "The dashboard has no such page.")
        return origin

    def _user(self, request: web.Request, refresh_token_id: str) -> User | None:
        """Return who has the session, None if that login was revoked or is not valid from there."""
        token = self._hass.auth.async_get_refresh_token(refresh_token_id)
        if token is None or async_user_not_allowed_do_auth(self._hass, token.user, request) is not None:
            return None
        return token.user

    async def _live(self, request: web.Request, origin: Origin, refresh_token_id: str) -> web.StreamResponse:
        revoked = asyncio.Event()
        forget = self._hass.auth.async_register_revoke_token_callback(refresh_token_id, revoked.set)
        try:
            return await pass_socket(origin, request, LIVE, revoked)
        finally:
            forget()


def of_own_page(request: web.Request, session: PanelSession) -> bool:
    """Return whether the page that asks is of the panel's own origin."""
    site = request.headers.get(SITE)
    if site is not None:
        return site == SAME_ORIGIN
    origin = request.headers.get(hdrs.ORIGIN, "")
    return bool(origin) and (origin == session.origin or same_origin(origin, request.host))


def same_origin(origin: str, host: str) -> bool:
    """Return whether an Origin header names the same host and port as a Host header."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS[page.scheme]
        ports = page.port or default, here.port or default
    except KeyError, ValueError:
        return False
    return page.hostname == here.hostname and ports[0] == ports[1]
