"""Refusals of the Link: the codes of the protocol's table, and which of them close the connection."""

from energy_server.errors import EnergyServerError

CLOSING = frozenset({"protocol_unsupported", "site_busy", "bad_message", "too_large", "bad_seq", "shutting_down"})


class LinkError(EnergyServerError):
    """A message, or the connection, is refused by a code of the protocol."""

    def __init__(
        self, code: str, message: str, *, field: str | None = None, extra: dict[str, int] | None = None
    ) -> None:
        """Say the code and what is wrong; `extra` fields go into the answer."""
        super().__init__(message, field=field)
        self.code = code
        self.extra = extra or {}

    @property
    def closes(self) -> bool:
        """Tell whether the connection ends with it."""
        return self.code in CLOSING

    def answer(self) -> dict[str, object]:
        """Return the message that tells the client."""
        message = f"{self.field}: {self.message}" if self.field else self.message
        return {"type": "error", "code": self.code, "message": message, **self.extra}
