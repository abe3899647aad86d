"""The files around the app: one version, nothing that the Supervisor would take for another app, a lean context."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from dev.containers.config import ADDON, COMPOSE_FILE, DATABASES, compose_profiles, yaml_of
from dev.containers.podman import COMPOSE
from dev.processes import ROOT
from energy_server import __version__

INTEGRATION = ROOT / "custom_components" / "energy_dashboard"
SCANNED = ("config.yaml", "config.yml", "config.json", "build.yaml", "build.yml", "build.json", "repository.*")


def _tracked() -> list[str]:
    listed = subprocess.run(("git", "ls-files"), cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 no input from outside
    return listed.stdout.splitlines()


def test_there_is_one_version(config: dict[str, Any]) -> None:
    versions = {
        "addon/config.yaml": config["version"],
        "energy_server": __version__,
        "addon/server/pyproject.toml": _toml(ADDON / "server" / "pyproject.toml"),
        "pyproject.toml": _toml(ROOT / "pyproject.toml"),
        "manifest.json": json.loads((INTEGRATION / "manifest.json").read_text())["version"],
        "const.py": _found(INTEGRATION / "const.py", r'INTEGRATION_VERSION: Final = "([^"]+)"'),
        "package.json": json.loads((ADDON / "dashboard" / "package.json").read_text())["version"],
        "compose.yaml": _found(ROOT / "compose.yaml", r"image: energy-dashboard:(\S+)"),
        "addon/CHANGELOG.md": _found(ADDON / "CHANGELOG.md", r"## (\S+)"),
    }
    assert set(versions.values()) == {config["version"]}, versions


def test_one_version_of_home_assistant_is_asked_for(config: dict[str, Any]) -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert config["homeassistant"] == hacs["homeassistant"]


def test_the_supervisor_finds_one_app_and_one_repository() -> None:
    found = [path for path in _tracked() if any(fnmatch(Path(path).name, name) for name in SCANNED)]
    assert sorted(found) == ["addon/config.yaml", "repository.yaml"]
    repository = yaml_of(ROOT / "repository.yaml")
    assert set(repository) == {"name", "url", "maintainer"}


@pytest.mark.parametrize(
    "name", ["DOCS.md", "CHANGELOG.md", "Dockerfile", "apparmor.txt", "icon.png", "logo.png", ".dockerignore"]
)
def test_the_app_has_what_home_assistant_shows(name: str) -> None:
    assert (ADDON / name).stat().st_size > 0


def test_the_icon_is_a_square_of_128() -> None:
    head = (ADDON / "icon.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (128, 128)


def test_the_context_holds_what_the_dockerfile_copies_and_nothing_else() -> None:
    sent = {path for path in _below(ADDON) if not _ignored(path)}
    for path in ("dashboard/package-lock.json", "dashboard/src/main.ts", "server/requirements.txt", "services/init"):
        assert path in sent, path
    outside = (
        "dashboard/node_modules/",
        "dashboard/dist/",
        "dashboard/test/",
        "translations/",
        "server/pyproject.toml",
    )
    assert [path for path in sent if path.startswith(outside) or "__pycache__" in path] == []
    size = sum((ADDON / path).stat().st_size for path in sent)
    assert size < 4_000_000, f"{size} bytes are sent to the engine"


def test_the_profile_is_one_that_the_supervisor_can_name() -> None:
    text = (ADDON / "apparmor.txt").read_text()
    profiles = re.findall(r"^profile ([^ ]+)", text, re.MULTILINE)
    assert profiles == ["energy_dashboard"]
    # The Supervisor renames it in that line only.
    assert text.count("energy_dashboard") == 1


def _parsed(profile: Path) -> subprocess.CompletedProcess[str]:
    """Return what AppArmor's own parser makes of a profile, which it compiles but does not load."""
    parser = shutil.which("apparmor_parser", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert parser is not None, "apparmor_parser is missing: script/bootstrap --tests fetches it where there is apt-get"
    command = (parser, "--skip-kernel-load", "--skip-read-cache", "--skip-cache", str(profile))
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 no input from outside


def test_the_profile_compiles() -> None:
    parsed = _parsed(ADDON / "apparmor.txt")
    assert parsed.returncode == 0, parsed.stderr


@pytest.mark.parametrize(("rule", "broken"), [("  signal,", "  signal"), ("/data/** rwkl,", "/data/** rwkz,")])
def test_a_profile_with_a_mistake_does_not(tmp_path: Path, rule: str, broken: str) -> None:
    text = (ADDON / "apparmor.txt").read_text()
    assert text.count(rule) == 1
    profile = tmp_path / "apparmor.txt"
    profile.write_text(text.replace(rule, broken))
    assert _parsed(profile).returncode != 0


def _composed(*profiles: str) -> dict[str, Any]:
    """Return what Compose reads in its file, of these profiles or of all."""
    chosen = (word for profile in profiles or ("*",) for word in ("--profile", profile))
    command = (str(COMPOSE), "--file", str(COMPOSE_FILE), *chosen, "config", "--format", "json")
    read = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 no input from outside
    assert read.returncode == 0, read.stderr
    document: dict[str, Any] = json.loads(read.stdout)
    return document


def test_compose_takes_its_file() -> None:
    server = _composed()["services"]["energy-server"]
    assert server["read_only"] is True
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["cap_drop"] == ["ALL"]
    assert [port["host_ip"] for port in server["ports"]] == ["127.0.0.1"]
    assert "CMD-SHELL" in server["healthcheck"]["test"]


@pytest.mark.parametrize(
    ("profiles", "services"),
    [
        ((), {"energy-server"}),
        ((DATABASES,), {"energy-server", "secrets", "questdb", "mongodb"}),
        (("home-assistant",), {"energy-server", "home-assistant"}),
        ((DATABASES, "home-assistant"), {"energy-server", "secrets", "questdb", "mongodb", "home-assistant"}),
    ],
    ids=str,
)
def test_compose_takes_its_file_with_each_profile(profiles: tuple[str, ...], services: set[str]) -> None:
    assert set(profiles) <= set(compose_profiles())
    assert set(_composed(*(profiles or ("none",)))["services"]) == services


def test_home_assistant_reaches_the_server_where_the_file_says() -> None:
    services = _composed("home-assistant")["services"]
    assert services["home-assistant"]["network_mode"] == "host"
    published = services["energy-server"]["ports"][0]
    assert f"http://{published['host_ip']}:{published['published']}" in COMPOSE_FILE.read_text()


def test_the_databases_are_for_the_server_alone_and_fit_beside_home_assistant() -> None:
    document = _composed()
    services = {name: one for name, one in document["services"].items() if one.get("profiles") == [DATABASES]}
    assert document["networks"]["databases"]["internal"] is True
    assert {name for name, one in document["services"].items() if "databases" in one.get("networks", {})} == {
        *services.keys() - {"secrets"},
        "energy-server",
    }
    for name, one in services.items():
        assert "ports" not in one, name
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["cap_drop"] == ["ALL"]
        assert ":" in one["image"]
    limits = [int(one["mem_limit"]) for one in document["services"].values() if "mem_limit" in one]
    assert len(limits) == 3
    assert sum(limits) < 2 * 2**30


def _below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _ignored(path: str) -> bool:
    """Say whether .dockerignore leaves a file out: the last line that matches it or a folder above it decides."""
    ignored = False
    parts = Path(path).parts
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    for line in (ADDON / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!")
        if any(fnmatch(name, pattern) or fnmatch(name, pattern.removeprefix("**/")) for name in names) or (
            pattern.startswith("**/") and pattern.removeprefix("**/") in parts
        ):
            ignored = not line.startswith("!")
    return ignored


def _toml(path: Path) -> str:
    return str(tomllib.loads(path.read_text())["project"]["version"])


def _found(path: Path, pattern: str) -> str:
    match = re.search(pattern, path.read_text())
    assert match is not None, f"{path} names no version"
    return match[1]
