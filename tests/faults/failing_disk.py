"""A disk of a database's own that gets full, and that fails under it as disks do: from then on it may only be read.

In:   the folder of the database's data, and its process while it runs.
Out:  an ext4 in a file, mounted there, where this user may; elsewhere the system's limit on the size of the process's
      files, which is no disk, but what a database meets is the same: it writes nothing any more. A database inside a
      container needs the former.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

PIECES_BYTES = (2**26, 2**20, 2**16, 2**12)
CORRECTED = 1
"""What e2fsck ends with when it mended something."""


class FailingDisk(Protocol):
    """A disk that a test fills and frees, lets fail and mends."""

    @property
    def name(self) -> str:
        """What it is."""

    def fill(self, pid: int) -> None:
        """Leave no room; again, where the database gave some back."""

    def free(self, pid: int) -> None:
        """Give the room back."""

    def fail(self, pid: int) -> None:
        """Let nobody write, neither to open files."""

    def mend(self) -> None:
        """Let everybody write again; nobody uses it now."""


class ImageDisk:
    """An ext4 that remounts itself read only on the first error, as systems set it up."""

    name = "an ext4 of its own"

    def __init__(self, folder: Path) -> None:
        """It is mounted there, from a file beside it."""
        self._folder = folder
        self._image = folder.with_suffix(".ext4")
        self._filler = folder / "filler"

    def make(self, size_bytes: int) -> bool:
        """Say whether it could be made and mounted."""
        with self._image.open("wb") as file:
            file.truncate(size_bytes)
        made = _runs("mkfs.ext4", "-q", "-m", "0", str(self._image)) and self._mounted()
        if made and not os.access(self._trigger(), os.W_OK):
            self.leave()
            return False
        return made

    def leave(self) -> None:
        """Unmount it, whoever uses it."""
        subprocess.run(("umount", "--lazy", str(self._folder)), check=True)  # noqa: S603, S607 no input

    def fill(self, _pid: int) -> None:
        """Reserve until nothing is left."""
        with self._filler.open("ab") as file:
            for piece in PIECES_BYTES:
                try:
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)
                except OSError:
                    continue

    def free(self, _pid: int) -> None:
        """Delete what fills it."""
        self._filler.unlink()

    def fail(self, _pid: int) -> None:
        """Let ext4 find an error; what was written long ago is on the disk, which `sync` stands for."""
        subprocess.run(("sync", "--file-system", str(self._folder)), check=True)  # noqa: S603, S607 no input
        self._trigger().write_text("a test\n")

    def mend(self) -> None:
        """Check it and mount it, as a system does when it starts."""
        subprocess.run(("umount", str(self._folder)), check=True)  # noqa: S603, S607 no input
        checked = subprocess.run(("e2fsck", "-p", str(self._image)), capture_output=True, check=False)  # noqa: S603, S607 no input
        assert checked.returncode <= CORRECTED, checked
        assert self._mounted()

    def _mounted(self) -> bool:
        return _runs("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self._folder))

    def _trigger(self) -> Path:
        where = ("findmnt", "--noheadings", "--output", "SOURCE", str(self._folder))
        device = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 no input
        return Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")


class ProcessLimit:
    """No file of the process may grow."""

    name = "a limit on the size of the process's files"

    def fill(self, pid: int) -> None:
        """Forbid it."""
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))

    def free(self, pid: int) -> None:
        """Allow it, where the process did not end."""
        if Path(f"/proc/{pid}").exists():
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    def fail(self, pid: int) -> None:
        """Forbid it."""
        self.fill(pid)

    def mend(self) -> None:
        """The next process has no limit."""


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 no input
    except FileNotFoundError:
        return False


@contextmanager
def failing_disk(folder: Path, size_bytes: int) -> Iterator[FailingDisk]:
    """Have a disk at the folder for the length of the context."""
    folder.mkdir(parents=True)
    image = ImageDisk(folder)
    if not image.make(size_bytes):
        yield ProcessLimit()
        return
    try:
        yield image
    finally:
        image.leave()
