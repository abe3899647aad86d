"""A disk that can be full, or read only.

In:   an empty folder.
Out:  a disk of 48 MB mounted there, where this user may mount one; elsewhere the system's limit on the size of the
      server's files, which its stores meet in the same way.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.product.server import Server

SIZE_BYTES = 48 * 2**20
PIECES_BYTES = (2**20, 2**16, 2**12, 1)


class Disk(Protocol):
    """A disk that a test fills and frees."""

    @property
    def name(self) -> str:
        """What it is."""

    def fill(self, server: Server) -> None:
        """Leave no room."""

    def free(self, server: Server) -> None:
        """Give the room back."""

    def protect(self) -> None:
        """Let nobody write."""

    def release(self) -> None:
        """Let the server write again."""


class SmallDisk:
    """A real one."""

    name = "a disk of its own"

    def __init__(self, folder: Path) -> None:
        """It is mounted there."""
        self._folder = folder
        self._filler = folder / "filler"

    def fill(self, _server: Server) -> None:
        """Write until nothing fits any more."""
        with self._filler.open("wb", buffering=0) as file:
            for piece in PIECES_BYTES:
                try:
                    while True:
                        file.write(b"\0" * piece)
                except OSError:
                    continue

    def free(self, _server: Server) -> None:
        """Delete it."""
        self._filler.unlink()

    def protect(self) -> None:
        """Mount it read only, as a system does with a disk that fails."""
        self._mount_again("ro")

    def release(self) -> None:
        """Mount it for writing."""
        self._mount_again("rw")

    def _mount_again(self, how: str) -> None:
        subprocess.run(("mount", "-o", f"remount,{how}", str(self._folder)), check=True)  # noqa: S603, S607 no input


class FileLimit:
    """No file of the server may grow."""

    name = "a limit on the size of files, and their rights"

    def __init__(self, folder: Path) -> None:
        """Take the folder of the files."""
        self._folder = folder

    def fill(self, server: Server) -> None:
        """Forbid it."""
        _, hard = resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE, (1, hard))

    def free(self, server: Server) -> None:
        """Allow it."""
        _, hard = resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def protect(self) -> None:
        """Take everybody's right to write."""
        for path in (self._folder, *self._folder.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)

    def release(self) -> None:
        """Give it back to the owner."""
        for path in (self._folder, *self._folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)


def _mounted(folder: Path) -> bool:
    if sys.platform != "linux":
        return False
    command = ("mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 no input from outside


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """Have a disk at the folder for the length of the context."""
    folder.mkdir()
    if not _mounted(folder):
        yield FileLimit(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)  # noqa: S603, S607 no input from outside
