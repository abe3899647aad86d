"""The config flow: every cause has its own message, nothing is half configured, and then it works."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData

from custom_components.energy_dashboard.config_flow import AddressError, normal_url
from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline import handshake
from custom_components.energy_dashboard.pipeline.errors import PipelineError
from tests.integration.fake_server import TOKEN, FakeServer, Message
from tests.integration.home import MockConfigEntry, SetUp, when


@pytest.fixture(autouse=True)
async def _unload(hass: HomeAssistant, server: FakeServer) -> AsyncIterator[None]:  # noqa: ARG001 it stops after this
    """Unload what the flow set up."""
    yield
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        assert await hass.config_entries.async_unload(entry.entry_id)


async def submit(hass: HomeAssistant, url: str, token: str = TOKEN) -> ConfigFlowResult:
    """Open the user step and fill it in."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert form["errors"] == {}
    return await again(hass, form, url, token)


async def again(hass: HomeAssistant, form: ConfigFlowResult, url: str, token: str = TOKEN) -> ConfigFlowResult:
    """Fill the form in."""
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {CONF_URL: url, CONF_TOKEN: token})
    await hass.async_block_till_done()
    return result


async def then_it_works(hass: HomeAssistant, server: FakeServer, form: ConfigFlowResult) -> None:
    """After any error the same form, filled in rightly, sets the server up."""
    assert hass.config_entries.async_entries(DOMAIN) == []
    created = await again(hass, form, server.url)
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert hass.config_entries.async_entries(DOMAIN)[0].state is ConfigEntryState.LOADED


def problem_of(entry: MockConfigEntry) -> str | None:
    problem: PipelineError | None = entry.runtime_data.link.status.problem
    return None if problem is None else problem.code


def error_of(result: ConfigFlowResult) -> str:
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] is not None
    return result["errors"]["base"]


async def test_the_connection_is_tried_and_kept_as_an_entry(hass: HomeAssistant, server: FakeServer) -> None:
    result = await submit(hass, f" {server.url}/ ", f" {TOKEN}\n")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Energy Dashboard"
    assert result["data"] == {CONF_URL: server.url, CONF_TOKEN: TOKEN}
    assert result["result"].unique_id == "5e1f"
    assert [message["type"] for message in server.connections[0]] == ["hello", "goodbye"]


async def test_nobody_listens_there(hass: HomeAssistant, server: FakeServer) -> None:
    await server.stop()
    result = await submit(hass, server.url)
    assert error_of(result) == "cannot_connect"
    await server.start()
    await then_it_works(hass, server, result)


async def test_a_server_that_never_answers(
    hass: HomeAssistant, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "CONNECT_TIMEOUT_S", 0.05)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        result = await submit(hass, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert error_of(result) == "cannot_connect"
    monkeypatch.undo()
    await then_it_works(hass, server, result)


async def test_a_server_that_never_welcomes(
    hass: HomeAssistant, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "CONNECT_TIMEOUT_S", 0.2)
    server.silent = True
    result = await submit(hass, server.url)
    assert error_of(result) == "cannot_connect"
    monkeypatch.undo()
    server.silent = False
    await then_it_works(hass, server, result)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, "host_not_allowed"),
        (429, "too_many_attempts"),
        (404, "not_energy_server"),
        (200, "not_energy_server"),
        (302, "not_energy_server"),
        (500, "not_ready"),
        (502, "not_ready"),
        (503, "not_ready"),
    ],
)
async def test_an_answer_instead_of_a_websocket(
    hass: HomeAssistant, server: FakeServer, status: int, error: str
) -> None:
    server.status = status
    result = await submit(hass, server.url)
    assert error_of(result) == error
    server.status = None
    await then_it_works(hass, server, result)


async def test_a_wrong_token(hass: HomeAssistant, server: FakeServer) -> None:
    result = await submit(hass, server.url, "wrong")
    assert error_of(result) == "invalid_auth"
    assert server.messages == []
    await then_it_works(hass, server, result)


@pytest.mark.parametrize(
    "welcome",
    [
        "hello, who are you?",
        "[]",
        '{"type":"welcome"}',
        '{"type":"something","protocol":1}',
        '{"type":"ack","protocol":1,"oldest":1,"newest":1,"server_id":"1","server_version":"1","window":1,"max_rows":1,"max_bytes":1}',
    ],
)
async def test_a_websocket_of_something_else(hass: HomeAssistant, server: FakeServer, welcome: str) -> None:
    server.welcome = welcome
    result = await submit(hass, server.url)
    assert error_of(result) == "not_energy_server"
    server.welcome = {}
    await then_it_works(hass, server, result)


async def test_a_websocket_that_closes_at_once(hass: HomeAssistant, server: FakeServer) -> None:
    server.welcome = None
    result = await submit(hass, server.url)
    assert error_of(result) == "cannot_connect"
    server.welcome = {}
    await then_it_works(hass, server, result)


async def test_something_that_does_not_speak_http(hass: HomeAssistant, server: FakeServer) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with other:
        result = await submit(hass, f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}")
    assert error_of(result) in {"not_energy_server", "cannot_connect"}
    await then_it_works(hass, server, result)


@pytest.mark.parametrize(
    "welcome",
    [
        {"type": "error", "code": "protocol_unsupported", "message": "2 to 3 only", "oldest": 2, "newest": 3},
        {"protocol": 2, "oldest": 2, "newest": 3},
    ],
)
async def test_another_version_of_the_protocol_is_named(
    hass: HomeAssistant, server: FakeServer, welcome: Message
) -> None:
    server.welcome = welcome
    result = await submit(hass, server.url)
    assert error_of(result) == "protocol_unsupported"
    assert result["description_placeholders"] is not None
    assert result["description_placeholders"]["protocol"] == "1"
    assert (result["description_placeholders"]["oldest"], result["description_placeholders"]["newest"]) == ("2", "3")
    server.welcome = {}
    await then_it_works(hass, server, result)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("site_busy", "site_busy"),
        ("bad_message", "refused"),
        ("of_the_future", "refused"),
        ("shutting_down", "cannot_connect"),
    ],
)
async def test_a_refusal_by_code(hass: HomeAssistant, server: FakeServer, code: str, error: str) -> None:
    server.welcome = {"type": "error", "code": code, "message": "no"}
    result = await submit(hass, server.url)
    assert error_of(result) == error
    server.welcome = {}
    await then_it_works(hass, server, result)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "localhost:8765",
        "ftp://127.0.0.1",
        "http://",
        "http://user:secret@127.0.0.1:8765",
        "http://127.0.0.1:8765/?a=b",
        "http://127.0.0.1:8765/#token=x",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
async def test_an_address_that_is_none(hass: HomeAssistant, server: FakeServer, url: str) -> None:
    result = await submit(hass, url)
    assert error_of(result) == "invalid_url"
    await then_it_works(hass, server, result)


async def test_a_form_without_a_token_is_not_accepted(hass: HomeAssistant, server: FakeServer) -> None:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    with pytest.raises(InvalidData):
        await hass.config_entries.flow.async_configure(form["flow_id"], {CONF_URL: server.url})
    await then_it_works(hass, server, form)


async def test_plain_http_stays_in_the_own_network(hass: HomeAssistant, server: FakeServer) -> None:
    result = await submit(hass, "http://93.184.215.14:8765")
    assert error_of(result) == "insecure_address"
    assert server.messages == []
    await then_it_works(hass, server, result)


async def test_a_name_that_nobody_knows(
    hass: HomeAssistant, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_args: object, **_options: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(hass.loop, "getaddrinfo", unknown)
        result = await submit(hass, "http://no-such-server.local:8765")
    assert error_of(result) == "cannot_connect"
    await then_it_works(hass, server, result)


def test_https_and_a_path_are_kept() -> None:
    assert normal_url("https://energy.example.com/sub/") == "https://energy.example.com/sub"
    with pytest.raises(AddressError):
        normal_url("https:///")


async def test_https_to_a_public_address_is_tried(hass: HomeAssistant, server: FakeServer) -> None:
    result = await submit(hass, server.url.replace("http", "https"))
    assert error_of(result) == "cannot_connect"  # our server does not speak TLS
    await then_it_works(hass, server, result)


async def test_the_same_server_is_set_up_once(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    await set_up()
    result = await submit(hass, server.other_url)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_the_own_link_stands_back_while_another_is_tried_and_then_returns(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    await set_up()
    await submit(hass, server.url)
    await server.until(lambda: len(server.connections) >= 3 and server.sockets)
    assert [message["type"] for message in server.connections[0]][-1] == "goodbye"
    assert [message["type"] for message in server.connections[1]] == ["hello", "goodbye"]
    await server.until(lambda: any(message["type"] == "catalog" for message in server.connections[2]))


async def test_reconfigure_moves_to_another_address(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    entry = await set_up()
    form = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    failed = await again(hass, form, server.url, "wrong")
    assert error_of(failed) == "invalid_auth"
    url = server.other_url
    result = await again(hass, form, url)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {CONF_URL: url, CONF_TOKEN: TOKEN}
    assert entry.state is ConfigEntryState.LOADED


async def test_reconfigure_refuses_another_server(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    before = dict(entry.data)
    other = FakeServer()
    other.welcome = {"server_id": "another"}
    await other.start()
    form = await entry.start_reconfigure_flow(hass)
    result = await again(hass, form, other.url)
    assert result["reason"] == "wrong_server"
    assert entry.data == before
    await other.stop()


async def test_a_refused_token_is_asked_for_again(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    entry = await set_up()
    server.token = "another token"
    await server.cut()
    await when(entry, lambda _: problem_of(entry) == "invalid_auth")
    await hass.async_block_till_done()
    flows = [flow["flow_id"] for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)]
    assert len(flows) == 1
    failed = await hass.config_entries.flow.async_configure(flows[0], {CONF_TOKEN: "wrong"})
    assert error_of(failed) == "invalid_auth"
    result = await hass.config_entries.flow.async_configure(flows[0], {CONF_TOKEN: "another token"})
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_TOKEN] == "another token"
    await server.until(lambda: server.sockets)
