"""A data folder that cannot be used: the message says what to do."""

import errno
import os
from pathlib import Path

import pytest

from energy_server.api.auth import load_token
from energy_server.errors import StoreUnavailableError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space is left in .*Free some; the server goes on by itself"),
        (errno.EACCES, "chown -R [0-9]+:[0-9]+, .*; the server goes on by itself"),
        (errno.EROFS, "Read-only file system"),
    ],
)
def test_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreUnavailableError, match=said):
        load_token(None, tmp_path / "data")
