"""addon/config.yaml: what the Supervisor takes, and what the server makes of it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol

from dev.containers.config import ADDON, yaml_of
from dev.processes import ROOT
from energy_server.api.ingress import PREFIX_HEADER
from energy_server.discovery import SERVICE
from energy_server.settings import Settings, SettingsError, load
from tests.addon.supervisor_schema import CONFIG, DEFAULTS, TRANSLATIONS, judge

INGRESS_PORT = 8099
"""The Supervisor's own choice where config.yaml makes none."""
ACCEPTED: tuple[dict[str, Any], ...] = (
    {"log_level": "debug"},
    {"memory_limit_mb": 32},
    {"memory_limit_mb": 65536},
    {"commit_interval_s": 0.05},
    {"commit_interval_s": 60},
    {"allowed_hosts": ["energy.example.org", "meter"]},
    {"storage": "embedded"},
)
REFUSED: tuple[dict[str, Any], ...] = (
    {"log_level": "loud"},
    {"log_level": "DEBUG"},
    {"memory_limit_mb": 31},
    {"memory_limit_mb": 65537},
    {"memory_limit_mb": "much"},
    {"commit_interval_s": 0.04},
    {"commit_interval_s": 60.5},
    {"commit_interval_s": math.inf},
    {"commit_interval_s": "often"},
    {"allowed_hosts": 5},
    {"storage": "tape"},
)
ADDRESSES = {
    "questdb_url": "http://user:word@questdb:9000",
    "mongodb_url": "mongodb+srv://user:word@mongodb/energy?replicaSet=rs0",
}
"""They belong together, and hide the words in them."""


def test_the_supervisor_takes_it_and_drops_nothing(config: dict[str, Any]) -> None:
    assert CONFIG(config) == config


def test_it_says_nothing_that_goes_without_saying(config: dict[str, Any]) -> None:
    stated = {name: value for name, value in config.items() if name in DEFAULTS and DEFAULTS[name] == value}
    assert stated == {}


def test_the_image_is_its_own_init_and_runs_where_home_assistant_does(config: dict[str, Any]) -> None:
    assert config["init"] is False
    assert config["arch"] == ["aarch64", "amd64"]


def test_the_server_listens_where_the_supervisor_looks(config: dict[str, Any]) -> None:
    assert config["ingress"] is True
    assert config.get("ingress_port", INGRESS_PORT) == int(config["environment"]["ENERGY_INGRESS_PORT"])
    assert set(config["ports"]) == {f"{Settings.model_fields['port'].default}/tcp"}
    assert PREFIX_HEADER == "X-Ingress-Path"


def test_everybody_who_is_logged_in_finds_it_in_the_sidebar(config: dict[str, Any]) -> None:
    assert config["panel_title"] == "Energy Dashboard"
    assert config["panel_admin"] is False
    switched_on = "**Show in sidebar**"  # the Supervisor's option ingress_panel, which begins as false
    for path in (ADDON / "DOCS.md", ROOT / "README.md"):
        text = " ".join(path.read_text().split())
        assert switched_on in text, path.name
        assert text.index(switched_on) < text.index("Open **Energy Dashboard** in the sidebar")


def test_its_environment_is_settings_of_the_server(config: dict[str, Any]) -> None:
    names = {name.removeprefix("ENERGY_").lower() for name in config["environment"]}
    assert names <= set(Settings.model_fields)


def test_discovery_names_the_integration(config: dict[str, Any]) -> None:
    manifest = json.loads((ROOT / "custom_components" / "energy_dashboard" / "manifest.json").read_text())
    assert config["discovery"] == [SERVICE] == [manifest["domain"]]


def test_every_option_is_a_setting_with_the_same_default(config: dict[str, Any], tmp_path: Path) -> None:
    assert set(config["options"]) == set(config["schema"])
    assert judge(config["schema"], config["options"]) == config["options"]
    settings = _loaded(tmp_path, config["options"])
    for name in config["options"]:
        assert getattr(settings, name) == Settings.model_fields[name].get_default(), name


@pytest.mark.parametrize("option", ACCEPTED, ids=str)
def test_what_the_supervisor_lets_a_user_save_the_server_takes(
    config: dict[str, Any], tmp_path: Path, option: dict[str, Any]
) -> None:
    saved = judge(config["schema"], config["options"] | option)
    settings = _loaded(tmp_path, saved)
    ((name, value),) = option.items()
    assert getattr(settings, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("option", REFUSED, ids=str)
def test_what_the_server_would_refuse_a_user_cannot_save(
    config: dict[str, Any], tmp_path: Path, option: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        judge(config["schema"], config["options"] | option)
    with pytest.raises(SettingsError, match=f"^{next(iter(option))}: .*the app's options"):
        _loaded(tmp_path, config["options"] | option)


def test_there_is_a_case_for_each_option(config: dict[str, Any]) -> None:
    for cases in (ACCEPTED, REFUSED):
        assert {name for case in cases for name in case} | set(ADDRESSES) == set(config["schema"])


@pytest.mark.parametrize("storage", ["auto", "questdb"])
def test_addresses_of_databases_are_hidden_where_they_are_shown(
    config: dict[str, Any], tmp_path: Path, storage: str
) -> None:
    assert {name: config["schema"][name] for name in ADDRESSES} == dict.fromkeys(ADDRESSES, "password?")
    saved = judge(config["schema"], config["options"] | ADDRESSES | {"storage": storage})
    settings = _loaded(tmp_path, saved)
    assert "word" not in repr(settings)
    for name, address in ADDRESSES.items():
        assert getattr(settings, name).get_secret_value() == address


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_is_missing_or_none_is_named(config: dict[str, Any], tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"^storage: .*the app's options"):
        _loaded(tmp_path, config["options"] | {name: ADDRESSES[name]})
    with pytest.raises(SettingsError, match=f"^{name}: .*the app's options"):
        _loaded(tmp_path, config["options"] | ADDRESSES | {name: "ftp://here"})


@pytest.mark.parametrize("path", sorted((ADDON / "translations").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_language_names_and_explains_each_option_and_port(config: dict[str, Any], path: Path) -> None:
    said = yaml_of(path)
    assert TRANSLATIONS(said) == said
    assert set(said["configuration"]) == set(config["schema"])
    for words in said["configuration"].values():
        assert words["name"].strip()
        assert words["description"].strip()
    assert set(said["network"]) == set(config["ports"])


def test_there_is_english() -> None:
    assert (ADDON / "translations" / "en.yaml").exists()


def _loaded(folder: Path, options: dict[str, Any]) -> Settings:
    path = folder / "options.json"
    path.write_text(json.dumps(options))
    return load({}, None, path)
