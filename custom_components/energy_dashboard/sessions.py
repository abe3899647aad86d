"""Sessions of the sidebar panel: which logged in browser may see which server's pages, for a short time.

In:   the id of a config entry, the id of the refresh token by which the user is logged in, the origin of the page that
      they look at, a clock.
Out:  a secret for a cookie, and from the cookie the session. Nothing fails; whether its refresh token still stands and
      what the user may do is asked at each request.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SESSION_S: Final = 600
"""The panel renews its session while it is shown."""
MOST_SESSIONS: Final = 1_000
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class PanelSession:
    """One session; `origin` is where its page is, as the page said; `expires_s` is of the clock."""

    entry_id: str
    refresh_token_id: str
    origin: str
    expires_s: float


class PanelSessions:
    """All sessions, in memory, by the hash of their secret; the oldest goes where there are too many."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """Begin without any."""
        self._clock_s = clock_s
        self._sessions: OrderedDict[bytes, PanelSession] = OrderedDict()

    def begin(self, entry_id: str, refresh_token_id: str, origin: str) -> str:
        """Return the secret of a new session."""
        now_s = self._clock_s()
        while self._sessions and (
            len(self._sessions) >= MOST_SESSIONS or next(iter(self._sessions.values())).expires_s <= now_s
        ):
            self._sessions.popitem(last=False)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self._sessions[_digest(secret)] = PanelSession(entry_id, refresh_token_id, origin, now_s + SESSION_S)
        return secret

    def find(self, entry_id: str, secret: str | None) -> PanelSession | None:
        """Return the session of a secret, if it stands and is of this entry."""
        session = self._sessions.get(_digest(secret)) if secret else None
        if session is None or session.entry_id != entry_id or session.expires_s <= self._clock_s():
            return None
        return session


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
