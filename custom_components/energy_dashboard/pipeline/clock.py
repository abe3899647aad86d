"""The clocks: the wall clock, which people set, and the monotonic one, which nobody sets."""

from time import monotonic_ns, time_ns


def now_us() -> int:
    """Return the wall clock in microseconds since 1970."""
    return time_ns() // 1000


def clocks_us() -> tuple[int, int]:
    """Return the wall clock and the monotonic clock."""
    return now_us(), monotonic_ns() // 1000
