"""What podman needs to serve Docker's Compose.

In:   the folder of this machine's container things.
Out:  where podman listens, and the Compose that calls it there. Nothing fails.
"""

import hashlib
import tempfile
from importlib.resources import files
from pathlib import Path

COMPOSE = Path(str(files("compose"))) / "docker-compose"
"""The program itself: the wrapper of its Python package forgets the exit status."""


def socket_of(folder: Path) -> str:
    """Return where podman listens; not inside the folder, whose path may be longer than a socket's may be."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return str(Path(tempfile.gettempdir()) / f"energy-podman-{name}.sock")


def podman_environment(folder: Path) -> dict[str, str]:
    """Return what makes Compose call podman."""
    return {"DOCKER_HOST": f"unix://{socket_of(folder)}"}


def has_systemd() -> bool:
    """Say whether podman's health checks run by themselves."""
    return Path("/run/systemd/system").is_dir()
