"""Which browsers are logged in: sessions by the hash of their id, kept in a file beside the token.

In:   the access token, a wall clock.
Out:  session ids for cookies. A restart of the server keeps them, another token ends them.
Failures: none. A file that cannot be read means that everybody logs in again; one that cannot be written, that they
will have to after the next restart. Both are logged.
"""

import hashlib
import logging
import os
import secrets
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ValidationError

SESSION_S = 30 * 24 * 3600
MOST_SESSIONS = 1_000
ID_BYTES = 32

_LOGGER = logging.getLogger(__name__)


def digest(secret: str) -> str:
    """Return the hash that is kept of a secret; both secrets here have 256 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class _File(BaseModel):
    token: str
    expires_s: dict[str, float]


class Logins:
    """The sessions; bounded, the oldest is forgotten first."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._expires_s: OrderedDict[str, float] = OrderedDict()

    def load(self, path: Path, token: str) -> None:
        """Read the sessions that were started with this token."""
        try:
            kept = _File.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as err:
            _LOGGER.warning("The sessions cannot be read, so browsers log in again: %s", type(err).__name__)
            return
        if kept.token == digest(token):
            self._expires_s.update(kept.expires_s)

    def content(self, token: str) -> str:
        """Return what `save` writes."""
        return _File(token=digest(token), expires_s=dict(self._expires_s)).model_dump_json()

    def start(self) -> str:
        """Return the id of a new session."""
        session = secrets.token_urlsafe(ID_BYTES)
        self._expires_s[digest(session)] = self._clock_s() + SESSION_S
        while len(self._expires_s) > MOST_SESSIONS:
            self._expires_s.popitem(last=False)
        return session

    def end(self, session: str) -> None:
        """Forget a session."""
        self._expires_s.pop(digest(session), None)

    def knows(self, session: str) -> bool:
        """Return whether a session is there and has not expired."""
        found = digest(session)
        expires_s = self._expires_s.get(found)
        if expires_s is not None and expires_s <= self._clock_s():
            del self._expires_s[found]
            return False
        return expires_s is not None


def save(path: Path, content: str) -> None:
    """Write the sessions, readable by their owner only."""
    draft = path.with_suffix(".new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as err:
        _LOGGER.warning("The sessions cannot be kept, so browsers log in again after a restart: %s", err.strerror)
