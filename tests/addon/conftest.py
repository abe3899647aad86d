"""What the app's folder says."""

from typing import Any

import pytest

from dev.containers.config import config as read_config


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """Return config.yaml."""
    return read_config()
