"""The tables of a QuestDB, from outside: dropped, altered, asked, as an operator would."""

import json
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore
from energy_server.store.questdb.schema import TABLES


def run(address: QuestDBAddress, statement: str) -> list[list[Any]]:
    """Run a statement as QuestDB's console does, and return its rows."""
    question = urllib.parse.urlencode({"query": statement})
    with urllib.request.urlopen(f"http://{address.host}:{address.http_port}/exec?{question}") as answer:
        rows: list[list[Any]] = json.load(answer).get("dataset", [])
    return rows


def drop_tables(address: QuestDBAddress) -> None:
    """Leave nothing of the product's own."""
    for table in TABLES:
        run(address, f"DROP TABLE IF EXISTS {table}")


@asynccontextmanager
async def opened(address: QuestDBAddress) -> AsyncIterator[QuestDBSeriesStore]:
    """Open a store with new tables; altered ones would stop every later test's server, so none are left."""
    drop_tables(address)
    store = QuestDBSeriesStore(address)
    await store.open()
    yield store
    await store.close()
    drop_tables(address)
