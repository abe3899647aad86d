"""The server asks how many states the recorder has, and the counts are those of the readings it would be sent."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.pipeline import audit, gaps, recorder
from custom_components.energy_dashboard.pipeline.clock import now_us
from custom_components.energy_dashboard.pipeline.connection import BULK_IN_FLIGHT
from custom_components.energy_dashboard.pipeline.recorder_statistics import HOUR_US
from tests.integration.asking import Asking
from tests.integration.fake_server import FakeServer, Message
from tests.integration.home import COUNTER, POWER, SetUp, state
from tests.integration.past import Past, settled


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LATEST_S", 0.0)
    monkeypatch.setattr(gaps, "RETRY_S", 0.05)


@pytest.fixture
async def past(recorder_mock: object, hass: HomeAssistant) -> Past:
    """A counter and a gauge whose states come at odd times over nine hours, and an entity that has none."""
    del recorder_mock
    state(hass, "sensor.meter", "5", COUNTER)
    state(hass, "sensor.power", "5", POWER)
    state(hass, "sensor.new", "5", POWER)
    await settled(hass)
    past = Past(hass)
    past.present_run(-700)
    random = Random(7)  # noqa: S311 a test
    minute = -690.0
    while minute < -120:
        reported = minute + random.choice([0.0, 1.0, 40.0])
        past.state("sensor.meter", minute, random.choice(["5", "6", "unavailable", None]), reported=reported)
        past.state("sensor.power", minute + 0.5, "7", POWER, reported=reported + 0.5)
        minute = reported + random.uniform(0.1, 60)
    await past.write()
    return past


async def ask(server: FakeServer, kind: str, *entity_ids: str, **details: object) -> list[int]:
    catalog = server.of("catalog")[-1]
    places = [place for place, item in enumerate(catalog["entities"]) if item["entity_id"] in entity_ids]
    request = {"type": "request", "id": 9, "kind": kind, "catalog": catalog["rev"], "of": places}
    await server.send(request | details)
    return places


async def counted(server: FakeServer, span: tuple[int, int], *entity_ids: str) -> Message:
    places = await ask(server, "counts", *entity_ids, span=list(span))
    return await server.message("counts", lambda message: message["of"] == places)


@pytest.mark.parametrize("hours", [24, 1])
async def test_counts_are_those_of_the_readings(
    past: Past, set_up: SetUp, server: FakeServer, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setattr(audit, "HELD_S", 0.04 if hours == 24 else 0.0)  # as slow a recorder as can be
    await set_up()
    span = past.us(-600) // HOUR_US * HOUR_US, past.us(-120) // HOUR_US * HOUR_US
    entity_ids = ("sensor.meter", "sensor.power", "sensor.new")
    message = await counted(server, span, *entity_ids)
    assert (message["id"], tuple(message["span"])) == (9, span)
    asking = Asking(server)
    await asking.want(*((entity_id, *span) for entity_id in entity_ids))
    read: Callable[[str], list[tuple[int, float | None]]] = asking.rows
    for entity_id, how in (("sensor.meter", "states"), ("sensor.power", "states"), ("sensor.new", "purged")):
        await asking.settles(entity_id, (*span, how))
    for place, entity_id in zip(message["of"], sorted(entity_ids), strict=True):
        expected = Counter(ts_us // HOUR_US * HOUR_US for ts_us, _ in read(entity_id) if span[0] <= ts_us < span[1])
        assert {hour_us: n for of, hour_us, n in message["rows"] if of == place} == expected


async def test_hours_that_are_not_over_are_not_counted(past: Past, set_up: SetUp, server: FakeServer) -> None:
    await set_up()
    since_us, began_us = past.us(-300) // HOUR_US * HOUR_US, now_us()
    message = await counted(server, (since_us, since_us + 24 * HOUR_US), "sensor.power")
    assert message["span"][0] == since_us
    assert message["span"][1] in {at_us // HOUR_US * HOUR_US for at_us in (began_us, now_us())}, "one may end now"


async def test_where_nothing_is_over_yet_the_answer_is_an_empty_span(
    past: Past, set_up: SetUp, server: FakeServer
) -> None:
    await set_up()
    since_us = past.us(60) // HOUR_US * HOUR_US
    message = await counted(server, (since_us, since_us + HOUR_US), "sensor.power")
    assert (message["id"], message["span"], message["rows"]) == (9, [since_us, since_us], [])


@pytest.mark.parametrize("kind", ["counts", "digests"])
@pytest.mark.parametrize("of", [[], [999]])
async def test_of_entities_that_are_not_known_nothing_is_told_at_once(
    past: Past, set_up: SetUp, server: FakeServer, kind: str, of: list[int]
) -> None:
    await set_up()
    span = [past.us(-600) // HOUR_US * HOUR_US, past.us(-120) // HOUR_US * HOUR_US]
    await ask(server, kind, of=of, **({"span": span} if kind == "counts" else {}))
    message = await server.message(kind)
    assert (message["id"], message["of"], message["rows"]) == (9, [], [])
    assert message.get("span", [span[0]] * 2) == [span[0]] * 2


@pytest.mark.parametrize("kind", ["counts", "digests"])
async def test_a_question_about_another_catalog_is_answered(
    past: Past, set_up: SetUp, server: FakeServer, kind: str
) -> None:
    await set_up()
    span = [past.us(-600) // HOUR_US * HOUR_US, past.us(-120) // HOUR_US * HOUR_US]
    before = server.of("catalog")[-1]["rev"]
    await ask(server, kind, "sensor.power", catalog=before + 7, **({"span": span} if kind == "counts" else {}))
    message = await server.message(kind)
    assert (message["id"], message["catalog"], message["of"]) == (9, before, [])


@pytest.mark.parametrize("kind", ["counts", "digests"])
async def test_answers_that_a_new_catalog_overtakes_are_given_again(
    past: Past, hass: HomeAssistant, set_up: SetUp, server: FakeServer, kind: str
) -> None:
    """No more than some are on their way: the others wait, with places of a catalog that is gone by then."""
    await set_up()
    await server.until(lambda: server.unacknowledged == 0)
    server.acknowledging = False
    span = [past.us(-600) // HOUR_US * HOUR_US, past.us(-120) // HOUR_US * HOUR_US]
    for id_ in range(1, 6):
        await ask(server, kind, "sensor.power", id=id_, **({"span": span} if kind == "counts" else {}))
    await server.until(lambda: len(server.of(kind)) == BULK_IN_FLIGHT)
    state(hass, "sensor.another", "5", POWER)
    await server.message("catalog", lambda message: len(message["entities"]) == 4)
    server.acknowledging = True
    await server.acknowledge()
    await server.until(lambda: {message["id"] for message in server.of(kind)} == {1, 2, 3, 4, 5})
    catalogs = {item["rev"]: item["entities"] for item in server.of("catalog")}
    for message in server.of(kind):
        assert [catalogs[message["catalog"]][place]["entity_id"] for place in message["of"]] == ["sensor.power"]
    assert server.of(kind)[-1]["catalog"] == max(catalogs)
