"""The app's config.yaml.

In:   the file. Out: what it says, and the name of the image of this version. Fails with OSError, YAMLError, KeyError.
"""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own, for this one call

from dev.processes import ROOT

ADDON = ROOT / "addon"


def yaml_of(path: Path) -> Any:
    """Return what a YAML file says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def config() -> dict[str, Any]:
    """Return what config.yaml says."""
    read: dict[str, Any] = yaml_of(ADDON / "config.yaml")
    return read


def image() -> str:
    """Return the name that compose.yaml and the tests give to the image of this version."""
    return f"energy-dashboard:{config()['version']}"
