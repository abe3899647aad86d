"""The error taxonomy of the server: every expected failure has a stable code; `api` and `link` render them."""

import errno
import os
from pathlib import Path
from typing import Self


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

    @classmethod
    def of_folder(cls, err: OSError, folder: Path) -> Self:
        """Say what to do about a data folder that cannot be used."""
        if err.errno == errno.ENOSPC:
            advice = f"No space is left in {folder}. Free some"
        elif isinstance(err, PermissionError):
            user, group = os.geteuid(), os.getegid()
            advice = (
                f"The server runs as user {user} and may not read and write {folder}. Give it the folder "
                f"(chown -R {user}:{group}, on the folder or volume behind it)"
            )
        else:
            advice = f"{folder}: {err.strerror}. Mend that"
        return cls(f"The data folder cannot be used. {advice}; the server goes on by itself.")


class InvalidParameterError(EnergyServerError):
    """An input is not acceptable; `field` names it."""

    code = "invalid_parameter"


class TooManyError(InvalidParameterError):
    """The answer would be larger than the server gives; the message says what to ask instead."""

    code = "too_many"


class NotFoundError(EnergyServerError):
    """The named thing does not exist."""

    code = "not_found"
