"""The golden vectors, from the client's side: it builds what a client sends, and reads what a server answers."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import ClientSession
from homeassistant.helpers.json import json_bytes

from custom_components.energy_dashboard.pipeline.channel import Channel, Subject
from custom_components.energy_dashboard.pipeline.claims import (
    counts_body,
    digests_body,
    nothing_body,
    readings_body,
    statistics_body,
)
from custom_components.energy_dashboard.pipeline.connection import Connection
from custom_components.energy_dashboard.pipeline.errors import PipelineError
from custom_components.energy_dashboard.pipeline.handshake import Server, refusal
from custom_components.energy_dashboard.pipeline.link import STAYS_OPEN, Link
from custom_components.energy_dashboard.pipeline.model import (
    Catalog,
    Entity,
    Kind,
    Role,
    RoleAssignment,
    Site,
    Source,
)
from custom_components.energy_dashboard.pipeline.outbox import Outbox
from custom_components.energy_dashboard.pipeline.recorder import Condition, RecorderStatus
from custom_components.energy_dashboard.pipeline.spans import Span
from custom_components.energy_dashboard.pipeline.watch import condition_of
from tests.integration.fake_server import CLIENT_MESSAGE, PROTOCOL, SERVER_MESSAGE

FOLDER = PROTOCOL / "vectors" / "v1"
VECTORS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
type Vector = dict[str, Any]


def messages(sender: str, *, valid: bool) -> list[str]:
    return [
        name
        for name, vector in VECTORS.items()
        if vector["kind"] == "message" and vector["from"] == sender and vector["valid"] is valid
    ]


def test_there_are_vectors() -> None:
    assert len(VECTORS) > 50
    assert Path(FOLDER).is_dir()


@pytest.mark.parametrize("name", VECTORS)
def test_the_schema_tells_valid_from_invalid(name: str) -> None:
    vector = VECTORS[name]
    if vector["kind"] != "message" or "message" not in vector:
        return
    schema = CLIENT_MESSAGE if vector["from"] == "client" else SERVER_MESSAGE
    expected = (vector["valid"] and "refused" not in vector) or vector.get("beyond_schema", False)
    assert schema.is_valid(vector["message"]) is expected


# ---- what a client sends


def entity_of(message: Vector) -> Entity:
    return Entity(
        key=message["key"],
        entity_id=message["entity_id"],
        name=message["name"],
        kind=Kind(message["kind"]),
        unit=message["unit"],
        area=message["area"],
        device=message["device"],
        state_class=message["state_class"],
        source=Source(message["source"]),
        roles=tuple(
            RoleAssignment(Role(role["role"]), role["group"], role.get("name"), role.get("parent"))
            for role in message["roles"]
        ),
    )


def without_nulls(message: Vector) -> Vector:
    """Leave optional fields out that say null, as this client does."""
    entities = [
        {key: value for key, value in entity.items() if key != "was" or value is not None}
        | {
            "roles": [
                {key: value for key, value in role.items() if key in ("role", "group") or value is not None}
                for role in entity["roles"]
            ]
        }
        for entity in message["entities"]
    ]
    return message | {"entities": entities}


def catalog(rev: int = 1, entities: tuple[Entity, ...] = (), body: bytes = b"[]") -> Catalog:
    return Catalog(rev, entities, body)


def sent(connection: Connection, outbox: Outbox, seq: int) -> Vector:
    """Return the message that goes out under this number."""
    connection._seq = seq - 1
    message = connection.next_message(outbox)
    assert message is not None
    parsed: Vector = json.loads(message)
    return parsed


@pytest.mark.parametrize("name", [name for name in messages("client", valid=True) if name.startswith("catalog")])
def test_catalogs_are_built(name: str) -> None:
    message = VECTORS[name]["message"]
    if name == "catalog_unknown_kind":
        return  # of a client to come
    body = json_bytes([entity_of(item).message(item["since_us"], item.get("was")) for item in message["entities"]])
    outbox = Outbox(json_bytes, 1 << 20, 0)
    outbox.begin(catalog(message["rev"], (), body), 0, 0)
    assert sent(Connection(64), outbox, message["seq"]) == without_nulls(message)


@pytest.mark.parametrize("name", ["readings_live", "readings_idle", "readings_unavailable", "readings_outbox"])
def test_readings_are_built(name: str) -> None:
    message = VECTORS[name]["message"]
    since_us, until_us = message["span"]
    outbox = Outbox(json_bytes, 1 << 20, 0)
    outbox.begin(catalog(message["catalog"]), since_us, since_us)
    outbox.rows.extend(tuple(row) for row in message["rows"])
    outbox.dropped_rows = message.get("dropped", 0)
    outbox.seal(until_us, until_us, message.get("skipped"))
    if waiting := message.get("waiting", 0):
        outbox.rows.extend((0, until_us, float(number)) for number in range(waiting))
        outbox.seal(until_us + 1, until_us + 1)
    connection = Connection(64)
    connection.next_message(outbox)
    expected = {"waiting": 0} | message
    if not message.get("dropped"):
        expected.pop("dropped", None)  # it is told when there is something to tell
    assert sent(connection, outbox, message["seq"]) == expected


def test_the_first_readings_after_the_clock_was_set_are_built() -> None:
    message = VECTORS["readings_clock_set"]["message"]
    (since_us, until_us), step_us = message["span"], message["stepped_us"]
    outbox = Outbox(json_bytes, 1 << 20, 0)
    outbox.begin(catalog(message["catalog"]), since_us - step_us, 0)
    outbox.seal(since_us, 0)
    outbox.take()
    outbox.rows.extend(tuple(row) for row in message["rows"])
    outbox.seal(until_us, until_us - since_us)
    connection = Connection(64)
    connection.catalog = outbox.catalog
    assert sent(connection, outbox, message["seq"]) == {"waiting": 0} | message


def unnumbered(message: Vector) -> Vector:
    return {key: value for key, value in message.items() if key not in ("type", "seq")}


def built(body: bytes) -> Vector:
    parsed: Vector = json.loads(b"{" + body)
    return parsed


@pytest.mark.parametrize("name", ["statistics", "statistics_gauge"])
def test_statistics_are_built(name: str) -> None:
    message = VECTORS[name]["message"]
    rows = [tuple(row) for row in message["rows"]]
    body = statistics_body(message["catalog"], Span(*message["span"]), message["of"][0], rows)
    assert built(body) == unnumbered(message)


def test_what_the_recorder_has_is_built() -> None:
    message = VECTORS["readings_recorder"]["message"]
    rows = [tuple(row) for row in message["rows"]]
    assert built(readings_body(message["catalog"], Span(*message["span"]), message["of"], rows)) == unnumbered(message)


@pytest.mark.parametrize("name", ["nothing", "nothing_ha_off", "nothing_not_recorded", "nothing_purged"])
def test_nothing_is_built(name: str) -> None:
    message = VECTORS[name]["message"]
    body = nothing_body(message["catalog"], Span(*message["span"]), message["of"], message["reason"])
    assert built(body) == unnumbered(message)


def test_counts_are_built() -> None:
    message = VECTORS["counts"]["message"]
    rows = [tuple(row) for row in message["rows"]]
    body = counts_body(message["catalog"], message["id"], Span(*message["span"]), message["of"], rows)
    assert built(body) == unnumbered(message)


def test_digests_are_built() -> None:
    message = VECTORS["digests"]["message"]
    rows = [tuple(row) for row in message["rows"]]
    assert built(digests_body(message["catalog"], message["id"], message["of"], rows)) == unnumbered(message)


@pytest.mark.parametrize("name", ["recorder", "recorder_disabled"])
def test_how_the_recorder_is_is_built(name: str) -> None:
    message = VECTORS[name]["message"]
    status = RecorderStatus(Condition(message["state"]), message["oldest_us"], message.get("detail"))
    assert json.loads(json_bytes(condition_of(status))) == message


@pytest.mark.parametrize("name", ["hello", "hello_minimal"])
def test_hello_is_built(name: str) -> None:
    site = VECTORS[name]["message"]["site"]
    assert Site(**site).message() == site


# ---- what a server answers


class History:
    """Remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, list[str], Span | None]] = []
        self.wanted: list[tuple[str, Span]] | None = None

    def want(self, gaps: Sequence[tuple[str, Span]]) -> None:
        self.wanted = list(gaps)

    def request(self, kind: str, id_: int, keys: Sequence[str], span: Span | None) -> None:
        self.asked.append((kind, id_, list(keys), span))

    def abandon(self, subject: Subject) -> None:
        raise AssertionError(subject)

    async def run(self, channel: Channel) -> None:
        raise AssertionError(channel)


async def connected() -> tuple[Link, Connection, Outbox, History]:
    """Return a link in the middle of a connection that has sent a catalog of three Entities and eleven Batches."""
    outbox = Outbox(json_bytes, 1 << 20, 0)
    entities = tuple(Entity(f"key {place}", f"sensor.s{place}", "x", Kind.POWER, "W") for place in range(3))
    outbox.begin(catalog(1, entities), 0, 0)
    for number in range(11):
        outbox.rows.append((0, number, 1.0))
        outbox.seal(number + 1, number + 1)
    connection = Connection(64)
    while connection.next_message(outbox) is not None:
        pass
    history = History()
    async with ClientSession() as session:
        link = Link(
            session=session,
            server=Server("http://127.0.0.1", "x"),
            site=lambda: Site("x", "x", "UTC", None, None, "x"),
            version="0.1.0",
            outbox=outbox,
            reconciler=history,
            spawn=asyncio.create_task,
            on_status=lambda: None,
            random=Random(1),  # noqa: S311 a test
        )
    return link, connection, outbox, history


@pytest.mark.parametrize("name", messages("server", valid=True))
async def test_answers_are_understood(name: str) -> None:
    message = VECTORS[name]["message"]
    link, connection, outbox, history = await connected()
    catalog_before, waiting = connection.catalog, len(outbox)
    if message["type"] == "error" and message["code"] not in STAYS_OPEN:
        with pytest.raises(PipelineError) as caught:
            link._handle(connection, message)
        assert caught.value.code in {message["code"], "cannot_connect"}
        return
    link._handle(connection, message)
    match message["type"]:
        case "ack":
            assert waiting - len(outbox) == min(message["seq"], 12) - 1
            assert sum(link.status.refused.values()) == len(message["refused"])
        case "request" if message["kind"] == "catalog":
            assert connection.catalog is None
        case "request":
            keys = [f"key {place}" for place in message["of"]]
            span = Span(*message["span"]) if "span" in message else None
            assert history.asked == [(message["kind"], message["id"], keys, span)]
        case "gaps":
            assert history.wanted == [
                (f"key {gap['place']}", Span(gap["since_us"], gap["until_us"])) for gap in message["gaps"]
            ]
        case "error":
            assert link.status.problem is not None
        case _:
            assert (connection.catalog, len(outbox)) == (catalog_before, waiting)


@pytest.mark.parametrize("code", ["site_busy", "clock_behind", "bad_seq", "unknown_catalog"])
def test_refusals_keep_their_code(code: str) -> None:
    assert refusal({"type": "error", "code": code, "message": "no"}).code == code
