"""The protocol's golden vectors, run against the decoder, the schema and a real endpoint."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from energy_server.link.errors import LinkError
from energy_server.link.messages import Hello, Readings, Statistics, claimed_keys, decode, readings, statistics
from tests.server.link.linking import Client, Json, Linked

PROTOCOL = Path(__file__).parents[3] / "protocol"
VECTORS = {path.stem: json.loads(path.read_text()) for path in sorted((PROTOCOL / "vectors" / "v1").glob("*.json"))}
MESSAGES = [name for name, vector in VECTORS.items() if vector["kind"] == "message"]
CONVERSATIONS = [name for name, vector in VECTORS.items() if vector["kind"] == "conversation"]
FROM_CLIENT = [name for name in MESSAGES if VECTORS[name]["from"] == "client"]
SCHEMA = json.loads((PROTOCOL / "schema" / "v1.json").read_text())


def test_every_vector_is_of_a_kind_and_described() -> None:
    assert len(MESSAGES) + len(CONVERSATIONS) == len(VECTORS)
    assert all(vector["description"] for vector in VECTORS.values())


def test_every_error_and_row_code_has_a_vector() -> None:
    """Codes that need a failing server (store_unavailable, shutting_down) or sizes (too_large) are tested elsewhere."""
    text = json.dumps(list(VECTORS.values()))
    codes = set(SCHEMA["$defs"]["error"]["properties"]["code"]["enum"])
    rows = SCHEMA["$defs"]["ack"]["properties"]["refused"]["items"]["properties"]["code"]["enum"]
    untold = {"store_unavailable", "shutting_down", "too_large"}
    assert [code for code in [*(codes - untold), *rows] if f'"{code}"' not in text] == []


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", [name for name in MESSAGES if "message" in VECTORS[name]])
def test_schema_accepts_exactly_the_valid_messages(name: str) -> None:
    vector = VECTORS[name]
    faultless = vector["valid"] and not vector.get("refused")
    assert Draft202012Validator(SCHEMA).is_valid(vector["message"]) is (faultless or vector.get("beyond_schema", False))


def _read(vector: Json) -> list[Json]:
    """Read a client's message as the endpoint does; return the rows that are refused."""
    message = decode(vector.get("text") or json.dumps(vector["message"]))
    if isinstance(message, Hello) and message.protocol != 1:
        raise LinkError("protocol_unsupported", "")
    if "context" not in vector or not isinstance(message, Readings | Statistics):
        return []
    keys = [f"key{place}" for place in range(vector["context"]["places"])]
    claimed_keys(message, keys)
    refused: Any
    if isinstance(message, Readings):
        batch, refused = readings(message, "site", keys, vector["context"]["now_us"])
        stored = len(batch)
    else:
        columns, refused = statistics(message, keys, vector["context"]["now_us"])
        stored = len(columns)
    assert stored + len(refused) == len(message.rows)
    return [{"row": row, "code": code} for row, code in refused]


@pytest.mark.parametrize("name", [name for name in FROM_CLIENT if VECTORS[name]["valid"]])
def test_valid_message_is_read(name: str) -> None:
    assert _read(VECTORS[name]) == VECTORS[name].get("refused", [])


@pytest.mark.parametrize("name", [name for name in FROM_CLIENT if not VECTORS[name]["valid"]])
def test_invalid_message_is_refused_by_code_and_field(name: str) -> None:
    with pytest.raises(LinkError) as refusal:
        _read(VECTORS[name])
    assert (refusal.value.code, refusal.value.field or VECTORS[name].get("field")) == (
        VECTORS[name]["error"],
        VECTORS[name].get("field", refusal.value.field),
    )


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_conversation(name: str, home: Linked) -> None:
    clients: dict[int, Client] = {}
    validator = Draft202012Validator(SCHEMA)
    for step in VECTORS[name]["steps"]:
        if step["connection"] not in clients:
            clients[step["connection"]] = await home.connect()
        client = clients[step["connection"]]
        if "client" in step:
            await client.send(step["client"])
        elif "server" in step:
            await client.expect(step["server"]["type"], **{k: v for k, v in step["server"].items() if k != "type"})
        elif step["closes"] == "client":
            await client.socket.close()
        else:
            await client.expect_close()
    for client in clients.values():
        await client.socket.close()
        for message in client.received:
            validator.validate(message)
