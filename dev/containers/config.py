"""What the app's config.yaml, its Dockerfile and compose.yaml say.

In:   the files. Out: their content, and the names of images. Fails with OSError, YAMLError, KeyError.
"""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own, for this one call

from dev.processes import ROOT

ADDON = ROOT / "addon"
DOCKERFILE = ADDON / "Dockerfile"
COMPOSE_FILE = ROOT / "compose.yaml"
DATABASES = "databases"
"""The profile of compose.yaml that keeps the data in QuestDB and MongoDB."""


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


def full(name: str) -> str:
    """Return the name of an image with all that Docker leaves out."""
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def bases() -> list[str]:
    """Return the images that the Dockerfile starts from, in order, each once; the last one is what users run."""
    words = [line.split() for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if line.startswith("FROM ")]
    return list(dict.fromkeys(line[1] for line in words))


def databases() -> list[str]:
    """Return the images of others that the profile runs."""
    services = yaml_of(COMPOSE_FILE)["services"].values()
    named = [service["image"] for service in services if DATABASES in service.get("profiles", ())]
    return [name for name in named if name != image()]


def compose_profiles() -> list[str]:
    """Return the profiles of compose.yaml."""
    services = yaml_of(COMPOSE_FILE)["services"].values()
    return sorted({profile for service in services for profile in service.get("profiles", ())})
