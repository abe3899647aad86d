"""What is stored under an entity_id, asked of a server."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from energy_server.model.coverage import Span
from energy_server.verify.stored import asking

ENTITIES = [
    {"key": "now", "entity_id": "sensor.meter", "unit": "kWh", "state_class": "total_increasing", "until_us": None},
    {"key": "first", "entity_id": "sensor.meter", "unit": "Wh", "state_class": None, "until_us": 10},
    {"key": "second", "entity_id": "sensor.meter", "unit": "Wh", "state_class": None, "until_us": 20},
]
READINGS = {"first": {1: 1.0, 5: 2.0}, "second": {12: 3.0, 21: 4.0}, "now": {21: 5.0, 30: 6.0}}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def entities(_: web.Request) -> web.Response:
        return web.json_response({"entities": ENTITIES})

    async def readings(request: web.Request) -> web.Response:
        known = READINGS[request.query["key"]]
        return web.json_response({"ts_us": list(known), "value": list(known.values())})

    app = web.Application()
    app.add_routes([web.get("/api/entities", entities), web.get("/api/readings", readings)])
    async with TestServer(app) as server:
        yield str(server.make_url(""))


async def test_entities_that_went_by_one_entity_id_are_one_history(url: str) -> None:
    """A meter that was removed and added again is another Entity, and Home Assistant's recorder goes by its name."""
    async with asking(url, "token", None) as server:
        (entity,) = await server.entities()
        assert (entity.unit, entity.counter) == ("kWh", True)
        assert await server.readings(entity, Span(0, 100)) == {1: 1.0, 5: 2.0, 12: 3.0, 21: 5.0, 30: 6.0}
