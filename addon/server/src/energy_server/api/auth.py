"""Who may ask: the access token, login sessions, and the limit on wrong tokens.

In:   a request's Authorization header or session cookie, its address, a clock.
Out:  nothing, or UnauthorizedError, or TooManyAttemptsError. Neither says more than that, and no secret is logged.

A session is a random id in a cookie; the server keeps only its hash (`logins.py`). Until the data folder can be used
nobody is known, which is no reason to send anybody away: that is StoreUnavailableError. Only a wrong token counts as an
attempt: a session id cannot be guessed, and an expired one must not lock its owner out. The ingress listener trusts the
Supervisor's address in place of `admit`.
"""

import asyncio
import hmac
import os
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from energy_server.api.logins import Logins, digest, save
from energy_server.errors import EnergyServerError, StoreUnavailableError

COOKIE = "energy_session"
ATTEMPTS = 10
ATTEMPTS_WITHIN_S = 60.0
MOST_ADDRESSES = 10_000
TOKEN_BYTES = 32
SCHEME = "bearer"


class UnauthorizedError(EnergyServerError):
    """Neither a valid token nor a valid session."""

    code = "unauthorized"


class TooManyAttemptsError(EnergyServerError):
    """This address sent too many wrong tokens."""

    code = "too_many_attempts"

    def __init__(self, retry_after_s: int) -> None:
        """Say when to come back."""
        super().__init__(f"Too many wrong tokens from this address; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


def load_token(given: SecretStr | None, data_path: Path) -> str:
    """Return the access token: the one that is set, else the one of the token file, which is made where it is missing.

    Raises StoreUnavailableError when the file can be neither read nor written.
    """
    if given is not None:
        return given.get_secret_value()
    path = data_path / "token"
    try:
        data_path.mkdir(parents=True, exist_ok=True)
        kept = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if kept:
            return kept
        token = secrets.token_urlsafe(TOKEN_BYTES)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as err:
        raise StoreUnavailableError.of_folder(err, data_path) from err
    return token


class Attempts:
    """Counts wrong tokens by address; bounded, oldest address forgotten first."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise TooManyAttemptsError while the address is over its limit."""
        failures = self._failures.get(address)
        if failures is None or len(failures) < ATTEMPTS:
            return
        wait_s = failures[0] + ATTEMPTS_WITHIN_S - self._clock_s()
        if wait_s > 0:
            raise TooManyAttemptsError(int(wait_s) + 1)

    def failed(self, address: str) -> None:
        """Count a wrong token."""
        self._failures.setdefault(address, deque(maxlen=ATTEMPTS)).append(self._clock_s())
        self._failures.move_to_end(address)
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)


def address_of(request: web.Request) -> str:
    """Return the peer's address, an IPv6 one as its /64: all of that belongs to one peer."""
    try:
        address = ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return request.remote or ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


class Auth:
    """Admits requests by token or session."""

    def __init__(self, clock_s: Callable[[], float], logins: Logins) -> None:
        self._token: str | None = None
        self._sessions_path: Path | None = None
        self._logins = logins
        self._attempts = Attempts(clock_s)

    def use_token(self, token: str, data_path: Path) -> None:
        """Accept this token from now on, and the sessions that were started with it."""
        self._token = token
        self._sessions_path = data_path / "sessions"
        self._logins.load(self._sessions_path, token)

    def admit(self, request: web.Request) -> None:
        """Return if the request may ask for data. Raises UnauthorizedError or TooManyAttemptsError."""
        given = request.headers.get("Authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != SCHEME:
                raise UnauthorizedError("The Authorization header must be: Bearer <token>.")
            self.check_token(token.strip(), request)
        elif not self._has_session(request.cookies.get(COOKIE, "")):
            raise UnauthorizedError("Log in, or send the access token as a bearer token.")

    def check_token(self, token: str, request: web.Request) -> None:
        """Return if the token is right. Raises UnauthorizedError or TooManyAttemptsError."""
        address = address_of(request)
        self._attempts.check(address)
        if not hmac.compare_digest(digest(token), digest(self._known_token())):
            self._attempts.failed(address)
            raise UnauthorizedError("The token is wrong.")

    async def start_session(self) -> str:
        """Return the id of a new session."""
        session = self._logins.start()
        await self._keep()
        return session

    async def end_session(self, session: str) -> None:
        """Forget a session."""
        self._logins.end(session)
        await self._keep()

    async def _keep(self) -> None:
        if self._sessions_path is not None:
            await asyncio.to_thread(save, self._sessions_path, self._logins.content(self._known_token()))

    def _known_token(self) -> str:
        if self._token is None:
            raise StoreUnavailableError("The data folder cannot be used yet; the log says why.")
        return self._token

    def _has_session(self, session: str) -> bool:
        return bool(session) and bool(self._known_token()) and self._logins.knows(session)
