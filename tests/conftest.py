"""Real database servers for whatever suite asks for them: those that the environment names, else throwaway ones.

A server that cannot be had is a failure and never a skipped test. Laws are looked for by Hypothesis without a limit of
time: on a busy machine any example may take long, which says nothing of the law.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

from dev.processes import free_port
from dev.servers import DatabaseServer, MongoDB, QuestDB, start
from tests.product.ports import first_port

FIRST_PORT = first_port(22_000)

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


@dataclass(frozen=True, slots=True)
class QuestDBAddress:
    """Where a QuestDB takes readings (HTTP), and where it answers as PostgreSQL does."""

    url: str
    pg_url: str


@contextmanager
def kept_running(server: DatabaseServer) -> Iterator[None]:
    """Run a server on a loop of its own, so that a test of any loop can ask for it."""
    with ThreadPoolExecutor(1, "database server") as thread, asyncio.Runner() as runner:
        running = thread.submit(runner.run, start(server)).result()
        try:
            yield
        finally:
            thread.submit(runner.run, running.stop()).result()


@pytest.fixture(scope="session")
def questdb_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuestDBAddress]:
    url = os.environ.get("ENERGY_TEST_QUESTDB_URL")
    if url:
        standard = f"postgresql://admin:quest@{urlsplit(url).hostname}:8812/qdb"
        yield QuestDBAddress(url, os.environ.get("ENERGY_TEST_QUESTDB_PG_URL", standard))
        return
    http_port = free_port(FIRST_PORT)
    server = QuestDB(tmp_path_factory.mktemp("questdb"), http_port, free_port(http_port + 1))
    with kept_running(server):
        yield QuestDBAddress(server.url, server.pg_url)


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = os.environ.get("ENERGY_TEST_MONGODB_URL")
    if url:
        yield url
        return
    server = MongoDB(tmp_path_factory.mktemp("mongodb"), free_port(FIRST_PORT + 5))
    with kept_running(server):
        yield server.url


@pytest.fixture(scope="session")
def mongodb_replica_set_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = os.environ.get("ENERGY_TEST_MONGODB_REPLICA_SET_URL")
    if url:
        yield url
        return
    server = MongoDB(tmp_path_factory.mktemp("mongodb-rs"), free_port(FIRST_PORT + 7), replica_set=True)
    with kept_running(server):
        yield server.url
