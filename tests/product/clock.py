"""A wall clock of its own for one process, which a test sets while it runs.

In:   a folder, and a C compiler (Home Assistant's own packages need one too).
Out:  a `Clock`: the environment for the process, and `set` to step its wall clock.
"""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "set_clock.c"
COMPILE = ("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that is `offset_s` ahead of the machine's."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, offset_s: float = 0.0) -> Clock:
        """Build it in the folder."""
        clock = cls(folder)
        subprocess.run((*COMPILE, "-o", clock.library, SOURCE, "-ldl"), check=True)  # noqa: S603 our own source
        clock.set(offset_s)
        return clock

    @property
    def library(self) -> Path:
        """What the process loads before anything else."""
        return self.folder / "set_clock.so"

    @property
    def environment(self) -> dict[str, str]:
        """What the process must be started with."""
        return {"LD_PRELOAD": str(self.library), "ENERGY_TEST_CLOCK": str(self._file)}

    def set(self, offset_s: float) -> None:
        """Set it so far ahead (or behind) of the machine's; the process sees it at once."""
        mode = "r+b" if self._file.exists() else "wb"
        with self._file.open(mode, buffering=0) as file:
            file.write(struct.pack("=q", round(offset_s * 1e9)))

    @property
    def _file(self) -> Path:
        return self.folder / "clock"
