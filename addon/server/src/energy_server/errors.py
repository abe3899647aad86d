"""The error taxonomy of the server: every expected failure has a stable code; `api` and `link` render them."""


class EnergyServerError(Exception):
    """Base of all expected failures. `code` is stable and part of the API."""

    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Say what happened and what to do; `field` names the input at fault."""
        super().__init__(message)
        self.message = message
        self.field = field


class StoreUnavailableError(EnergyServerError):
    """A store cannot be used now; trying again later may help."""

    code = "store_unavailable"


class InvalidParameterError(EnergyServerError):
    """An input is not acceptable; `field` names it."""

    code = "invalid_parameter"


class TooManyError(InvalidParameterError):
    """The answer would be larger than the server gives; the message says what to ask instead."""

    code = "too_many"


class NotFoundError(EnergyServerError):
    """The named thing does not exist."""

    code = "not_found"
