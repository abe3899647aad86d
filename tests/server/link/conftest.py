"""A link endpoint for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.link.linking import Linked, linked


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked(tmp_path) as endpoint:
        yield endpoint
