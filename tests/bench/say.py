"""Progress of a bench, on standard error, so that standard output is the table alone."""

import sys


def say(text: str) -> None:
    """Show one line of progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()
