"""What of building and running containers needs no engine."""

import json
from pathlib import Path

import pytest

from dev.containers import standin
from dev.containers.config import bases, databases, full, image
from dev.containers.engine import Engine, EngineError, call
from dev.containers.podman import socket_of
from tests.containers.figures import figure

DEB822 = "Types: deb\n# http://snapshot.example.org/archive\nURIs: http://mirror.example.org/debian\nSuites: bookworm\n"
ONE_LINE = "deb [signed-by=/x.gpg] https://mirror.example.org/debian bookworm main\n"
SECURITY = "deb http://security.example.org/debian-security bookworm main\n"


def name_sources(apt: Path, said: str) -> None:
    (apt / "sources.list.d").mkdir()
    (apt / "sources.list.d" / "debian.sources").write_text(said)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (DEB822, "http://mirror.example.org/debian"),
        (ONE_LINE, "https://mirror.example.org/debian"),
        (SECURITY + ONE_LINE, "https://mirror.example.org/debian"),
    ],
)
def test_the_mirror_is_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: str) -> None:
    name_sources(tmp_path, said)
    monkeypatch.setattr(standin, "APT", tmp_path)
    assert standin.mirror() == found


def test_no_mirror_is_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name_sources(tmp_path, SECURITY)
    monkeypatch.setattr(standin, "APT", tmp_path)
    with pytest.raises(EngineError, match="No Debian mirror is named"):
        standin.mirror()


def test_there_is_a_stand_in_for_every_image_of_others() -> None:
    others = {full(name) for name in (*bases(), *databases())}
    made = {name.rpartition(":")[0].rpartition("/")[2] for name in others - {standin.PYTHON}}
    assert standin.PYTHON in others
    assert made == set(standin.MADE)
    for dockerfile in standin.MADE.values():
        assert (standin.STANDINS / dockerfile).exists()


def test_every_image_of_others_has_a_tag() -> None:
    for name in (*bases(), *databases(), image()):
        assert ":" in name
        assert not name.endswith(":latest")


def test_an_engine_is_handed_on_whole() -> None:
    engine = Engine("e", "podman", ("compose", "x"), {"A": "b"}, ("--x",), "/tmp/s", checks_health=False)  # noqa: S108 a name
    assert Engine.load(engine.dump()) == engine


async def test_a_failed_command_says_what_it_said() -> None:
    with pytest.raises(EngineError, match=r"exit status 3\n(.|\n)*because"):
        await call("sh", "-c", "echo because; exit 3")
    assert await call("sh", "-c", "echo out; echo err >&2") == "out\n"
    assert sorted((await call("sh", "-c", "echo out; echo err >&2", errors=True)).split()) == ["err", "out"]


def test_a_socket_has_a_short_name(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    assert len(socket_of(deep)) < 100
    assert socket_of(deep) != socket_of(tmp_path)


def test_a_figure_over_its_limit_fails_after_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "figures"
    monkeypatch.setenv("ENERGY_FIGURES", str(path))
    figure("size", 1, "MB", 2)
    with pytest.raises(AssertionError, match=r"size: 3\.0 MB, may be 2 MB"):
        figure("size", 3, "MB", 2)
    assert [json.loads(line)["value"] for line in path.read_text().splitlines()] == [1, 3]
