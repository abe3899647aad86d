"""Say what a test compared; pytest shows it with `-s`, and with the report of a failure.

In:   a text. Out: a line of its own on standard output. Nothing fails.
"""

import sys


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"\n{text}\n")
