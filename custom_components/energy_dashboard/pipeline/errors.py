"""The failures of the pipeline. `code` is stable: a key of translations, issues and the protocol's error table."""

from typing import override


class PipelineError(Exception):
    """Base of all expected failures."""

    code = "unknown"

    def __init__(self, message: str, code: str | None = None) -> None:
        """Say what happened; `code` where one class carries several."""
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    @override
    def __str__(self) -> str:
        return self.message


class UnreachableError(PipelineError):
    """No connection could be made, or it broke: nobody refused anything, trying again later may help."""

    code = "cannot_connect"


class RefusedError(PipelineError):
    """Somebody answered and said no; `code` says why, and until that changes the same attempt fails the same way."""


class ProtocolUnsupportedError(RefusedError):
    """The server speaks other versions of the protocol, `oldest` to `newest`."""

    code = "protocol_unsupported"

    def __init__(self, message: str, oldest: int, newest: int) -> None:
        """Keep the versions, so that the user can be told which side to update."""
        super().__init__(message)
        self.oldest = oldest
        self.newest = newest


class SkippedStateError(PipelineError):
    """A state gives no reading; `code` is the reason under which it is counted."""


class RecorderUnavailableError(PipelineError):
    """The recorder does not run or did not answer in time; what was asked is still unknown."""

    code = "recorder_unavailable"
