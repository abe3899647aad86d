"""Who may ask: the access token, login sessions, and the limit on wrong tokens.

In:   a request's Authorization header or session cookie, its address, a clock.
Out:  nothing, or UnauthorizedError, or TooManyAttemptsError. Neither says more than that, and no secret is logged.

A session is a random id in a cookie; the server keeps only its hash, in memory, so sessions end with the process.
Only a wrong token counts as an attempt: a session id cannot be guessed, and an expired one must not lock its owner
out. The ingress listener trusts the Supervisor's address in place of `admit`.
"""

import hashlib
import hmac
import os
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from energy_server.errors import EnergyServerError, StoreUnavailableError

COOKIE = "energy_session"
SESSION_S = 30 * 24 * 3600
MOST_SESSIONS = 1_000
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
        raise StoreUnavailableError(f"The token file in {data_path} cannot be used: {err.strerror}") from err
    return token


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


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

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._token: bytes | None = None
        self._sessions: OrderedDict[bytes, float] = OrderedDict()
        self._attempts = Attempts(clock_s)

    def use_token(self, token: str) -> None:
        """Accept this token from now on."""
        self._token = _digest(token)

    def admit(self, request: web.Request) -> None:
        """Return if the request may ask for data. Raises UnauthorizedError or TooManyAttemptsError."""
        given = request.headers.get("Authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != SCHEME:
                raise UnauthorizedError("The Authorization header must be: Bearer <token>.")
            self.check_token(token.strip(), request)
        elif not self._has_session(request.cookies.get(COOKIE)):
            raise UnauthorizedError("Log in, or send the access token as a bearer token.")

    def check_token(self, token: str, request: web.Request) -> None:
        """Return if the token is right. Raises UnauthorizedError or TooManyAttemptsError."""
        if self._token is None:
            raise StoreUnavailableError("The data folder cannot be used yet; the log says why.")
        address = address_of(request)
        self._attempts.check(address)
        if not hmac.compare_digest(_digest(token), self._token):
            self._attempts.failed(address)
            raise UnauthorizedError("The token is wrong.")

    def start_session(self) -> str:
        """Return the id of a new session."""
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[_digest(session)] = self._clock_s() + SESSION_S
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def end_session(self, session: str | None) -> None:
        """Forget a session."""
        if session:
            self._sessions.pop(_digest(session), None)

    def _has_session(self, session: str | None) -> bool:
        if not session:
            return False
        digest = _digest(session)
        expires_s = self._sessions.get(digest)
        if expires_s is not None and expires_s <= self._clock_s():
            del self._sessions[digest]
            expires_s = None
        return expires_s is not None
