"""Real database servers, as the tests and `script/run --storage questdb` start them."""

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from tests.conftest import QuestDBAddress


async def test_questdb_answers(questdb_address: QuestDBAddress) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{questdb_address.url}/exec", params={"query": "select 40 + 2"}) as answer,
    ):
        assert (await answer.json())["dataset"] == [[42]]


@pytest.mark.parametrize(("fixture", "name"), [("mongodb_url", None), ("mongodb_replica_set_url", "rs0")])
async def test_mongodb_answers(request: pytest.FixtureRequest, fixture: str, name: str | None) -> None:
    async with AsyncMongoClient[dict[str, object]](request.getfixturevalue(fixture)) as client:
        assert (await client.admin.command("hello")).get("setName") == name
