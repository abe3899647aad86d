"""One real Home Assistant and one real server for all acceptance tests; the folder with the recorded data."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.product.running import Product, running


@pytest.fixture(scope="session")
def recorded() -> Path:
    """Return the folder with the recorded data."""
    return Path(os.environ["ENERGY_TEST_DATA"])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """Run the product."""
    folder = tmp_path_factory.mktemp("acceptance")
    async with running(folder, folder) as product:
        yield product
