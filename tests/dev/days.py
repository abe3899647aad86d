"""The days that the tests look at: eight, over the end of summer time in Amsterdam (25 October 2026, 01:00 UTC)."""

from datetime import UTC, datetime

SEED = 7
FIRST_S = int(datetime(2026, 10, 20, 3, tzinfo=UTC).timestamp())
LAST_S = FIRST_S + 8 * 86_400 - 1
