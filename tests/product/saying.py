"""Say what a test compared or measured: the run of all checks prints it, pytest alone does with `-s`.

In:   a text. Out: a line of its own on standard output, and in the file that ENERGY_SAID names. Nothing fails.
"""

import os
import sys
from pathlib import Path


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"\n{text}\n")
    if path := os.environ.get("ENERGY_SAID"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
