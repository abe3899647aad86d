"""The clocks: the wall clock, which people set, and the monotonic one, which nobody sets."""

import os
import sys
import time
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Final

CLOCKLESS_US: Final = 946_684_800_000_000
"""The year 2000: what is older was written by a clock that had not been set."""


def _age_us() -> int:
    """Return how long this process has run, in the hundredths of a second that Linux counts from the boot.

    Where Home Assistant is not run but developed, it is taken to have begun now.
    """
    if sys.platform != "linux":
        return 0
    began = int(Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19])
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 - began * 1_000_000 // os.sysconf("SC_CLK_TCK")


_BEGAN_US: Final = monotonic_ns() // 1000 - _age_us()


def now_us() -> int:
    """Return the wall clock in microseconds since 1970."""
    return time_ns() // 1000


def clocks_us() -> tuple[int, int]:
    """Return the wall clock and the monotonic clock."""
    return now_us(), monotonic_ns() // 1000


def process_began_us() -> int:
    """Return when this process began, by the wall clock as it is now."""
    return now_us() - (monotonic_ns() // 1000 - _BEGAN_US)
