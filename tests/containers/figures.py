"""What the tests of the containers measured.

In:   figures with their limits.
Out:  one line of JSON each in the file that ENERGY_FIGURES names, which script/test-containers prints as a table. A
      figure over its limit fails after it was written.
"""

import json
import os
from pathlib import Path

FILE = "ENERGY_FIGURES"


def figure(name: str, value: float, unit: str, most: float | None = None) -> None:
    """Write down a figure; fails when it is more than it may be."""
    if FILE in os.environ:
        with Path(os.environ[FILE]).open("a") as file:
            file.write(json.dumps({"name": name, "value": value, "unit": unit, "most": most}) + "\n")
    assert most is None or value < most, f"{name}: {value:.1f} {unit}, may be {most} {unit}"
