"""Repair issues: what the user must do, because waiting will not help.

In:   the Link's problem.
Out:  at most one issue per server, gone as soon as the problem is.
"""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .pipeline.errors import PipelineError, ProtocolUnsupportedError, RefusedError

OWN_ISSUE: Final = frozenset(
    {"clock_behind", "protocol_unsupported", "site_busy", "host_not_allowed", "not_energy_server"}
)
"""Refusals that the user can mend. A wrong token has its own flow; what is left is shown as `refused` with the code."""
PATIENT: Final = {"site_busy": 5, "not_energy_server": 5, "too_many_attempts": 5}
"""Refusals in a row before the user hears: a connection that broke may be open on the other side for a while."""


class Issues:
    """The issue of one config entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str, url: str) -> None:
        """Raise nothing yet."""
        self._hass = hass
        self._issue_id = f"refused_{entry_id}"
        self._url = url
        self._code: str | None = None
        self._repeated = 0
        self._last: PipelineError | None = None

    @callback
    def follow(self, problem: PipelineError | None) -> None:
        """Raise or clear the issue so that it fits the problem."""
        if problem is self._last:
            return
        self._last = problem
        if not isinstance(problem, RefusedError) or problem.code == "invalid_auth":
            self.clear()
            return
        self._repeated = self._repeated + 1 if problem.code == self._code else 1
        self._code = problem.code
        if self._repeated < PATIENT.get(problem.code, 1):
            return
        placeholders = {"url": self._url, "code": problem.code, "message": problem.message}
        if isinstance(problem, ProtocolUnsupportedError):
            placeholders |= {"oldest": str(problem.oldest), "newest": str(problem.newest)}
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=problem.code if problem.code in OWN_ISSUE else "refused",
            translation_placeholders=placeholders,
        )

    @callback
    def clear(self) -> None:
        """Remove the issue."""
        self._code, self._repeated = None, 0
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
