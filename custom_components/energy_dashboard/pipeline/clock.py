"""The clocks: the wall clock, which people set, and the monotonic one, which nobody sets."""

import os
import sys
import time
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Final

CLOCKLESS_YEAR: Final = 2000
"""What is older was written by a clock that had not been set."""
CLOCKLESS_US: Final = 946_684_800_000_000
"""The beginning of that year."""

SOON_US: Final = 60_000_000
"""A recorder begins so soon after its process; farther apart, they are told by clocks that differ."""


def _since_boot_us() -> int:
    """Return a clock that nobody sets; on Linux it goes on while the machine sleeps."""
    return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) if sys.platform == "linux" else monotonic_ns()) // 1000


def _began_us() -> int:
    """Return when this process began by that clock, in the hundredths of a second that Linux counts.

    Where Home Assistant is not run but developed, it is taken to have begun now.
    """
    if sys.platform != "linux":
        return _since_boot_us()
    stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
    return int(stat.rpartition(")")[2].split()[19]) * 1_000_000 // os.sysconf("SC_CLK_TCK")


_BEGAN_US: Final = _began_us()


def now_us() -> int:
    """Return the wall clock in microseconds since 1970."""
    return time_ns() // 1000


def clocks_us() -> tuple[int, int]:
    """Return the wall clock and the monotonic clock."""
    return now_us(), monotonic_ns() // 1000


def process_began_us() -> int:
    """Return when this process began, by the wall clock as it is now."""
    return now_us() - (_since_boot_us() - _BEGAN_US)
