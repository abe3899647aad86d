"""Every setting: where it comes from, which source wins, what a bad one says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from energy_server.settings import Settings, SettingsError, load, parse, parser

SECRET = "a-secret-of-more-than-16-characters"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ENERGY_{name.upper()}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_every_setting_is_described_and_in_the_help() -> None:
    shown = " ".join(parser().format_help().split())
    for name, field in Settings.model_fields.items():
        assert field.description
        assert " ".join(field.description.split()) in shown
        assert f"--{name.replace('_', '-')}" in shown
        assert f"ENERGY_{name.upper()}" in shown


def test_flags_win_over_the_environment_that_over_the_file_that_over_the_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = write(tmp_path / "options.json", json.dumps({"port": 4, "host": "4.4.4.4", "log_level": "error"}))
    config = write(tmp_path / "c.toml", 'port = 3\nhost = "3.3.3.3"\n')
    assert load({}, None, options).port == 4
    assert load({}, config, options).port == 3
    monkeypatch.setenv("ENERGY_PORT", "2")
    assert load({}, config, options).port == 2
    settings = load({"port": "1"}, config, options)
    assert settings.port == 1
    assert settings.host == "3.3.3.3"
    assert settings.log_level == "error"
    assert settings.memory_limit_mb == Settings.model_fields["memory_limit_mb"].default


def test_secrets_lie_between_the_environment_and_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = write(tmp_path / "c.toml", f'token = "{SECRET}-of-the-file"')
    nothing, secrets = tmp_path / "nothing", tmp_path / "secrets"
    secrets.mkdir()
    write(secrets / "energy_token", f"{SECRET}\n")
    write(secrets / "password_of_another_program", "x")
    token = load({}, config, nothing, secrets).token
    assert token is not None
    assert token.get_secret_value() == SECRET
    monkeypatch.setenv("ENERGY_TOKEN", f"{SECRET}-of-the-environment")
    token = load({}, config, nothing, secrets).token
    assert token is not None
    assert token.get_secret_value() == f"{SECRET}-of-the-environment"


def test_options_of_another_release_and_empty_ones_are_ignored(tmp_path: Path) -> None:
    options = write(tmp_path / "options.json", json.dumps({"certfile": "x", "token": "", "port": None}))
    settings = load({}, None, options)
    assert settings.token is None
    assert settings.port == 8765


def test_a_json_file_is_read_too(tmp_path: Path) -> None:
    config = write(tmp_path / "c.json", json.dumps({"port": 3, "allowed_hosts": ["a.example"]}))
    assert load({}, config).allowed_hosts == ("a.example",)


def test_host_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENERGY_ALLOWED_HOSTS", "Energy.example.org, nas ,")
    assert load({}, None).allowed_hosts == ("energy.example.org", "nas")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENERGY_TOKEN", "")
    assert load({}, None).token is None


@pytest.mark.parametrize("name", ["SUPERVISOR_TOKEN", "ENERGY_SUPERVISOR_TOKEN"])
def test_the_supervisors_token_has_the_supervisors_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert load({}, None).supervisor_token is None
    monkeypatch.setenv(name, SECRET)
    settings = load({}, None)
    assert settings.supervisor_token is not None
    assert settings.supervisor_token.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_only_the_supervisor_may_call_the_ingress_port() -> None:
    settings = load({"ingress_port": "8099"}, None)
    assert settings.ingress_port == 8099
    assert str(settings.ingress_peer) == "172.30.32.2"
    assert load({}, None).ingress_port is None


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"ingress_port": "-1"}, "ingress_port"),
        ({"ingress_peer": "supervisor"}, "ingress_peer"),
        ({"supervisor_url": "supervisor"}, "supervisor_url"),
        ({"port": "99999"}, "port"),
        ({"port": "many"}, "port"),
        ({"token": "short"}, "token"),
        ({"log_level": "loud"}, "log_level"),
        ({"access_log": "perhaps"}, "access_log"),
        ({"commit_interval_s": "0"}, "commit_interval_s"),
        ({"memory_limit_mb": "nan"}, "memory_limit_mb"),
        ({"host": ""}, "host"),
    ],
)
def test_a_bad_value_is_named(flags: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=f"^{named}: "):
        load(flags, None)


def test_a_bad_value_says_where_to_change_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = write(tmp_path / "options.json", json.dumps({"memory_limit_mb": 8}))
    with pytest.raises(SettingsError, match=r"32\. Change it in the app's options\.$"):
        load({}, None, options)
    config = write(tmp_path / "c.toml", "memory_limit_mb = 9")
    with pytest.raises(SettingsError, match=r"32\. Change it in .*c\.toml\.$"):
        load({}, config, options)
    monkeypatch.setenv("ENERGY_MEMORY_LIMIT_MB", "10")
    with pytest.raises(SettingsError, match="Change it in the environment variable ENERGY_MEMORY_LIMIT_MB"):
        load({}, config, options)
    with pytest.raises(SettingsError, match="Change it in the flag --memory-limit-mb"):
        load({"memory_limit_mb": "11"}, config, options)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.toml", "port = ", "not TOML"),
        ("c.json", "{", "not JSON"),
        ("c.json", "[]", "must hold an object"),
        ("c.toml", "prot = 3", "^prot: "),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load({}, write(tmp_path / name, text))


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load({}, tmp_path / "nothing.toml")


def test_the_command_is_serve_unless_another_is_given() -> None:
    assert parse([])[0] == "serve"
    assert parse(["--port", "1", "token"])[0] == "token"


def test_the_token_is_not_in_the_text_of_settings_or_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in repr(load({"token": SECRET}, None))
    monkeypatch.setenv("ENERGY_TOKEN", "secret")
    with pytest.raises(SettingsError) as err:
        load({}, None)
    assert "secret" not in str(err.value)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own command
        [sys.executable, "-m", "energy_server", *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def test_the_command_names_a_bad_setting_without_a_traceback() -> None:
    done = run("--port", "99999")
    assert done.returncode == 2
    assert done.stderr.startswith("energy-server: port: ")
    assert "Traceback" not in done.stderr


def test_the_token_command_makes_a_token_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = run("token", "--data-path", str(tmp_path / "data"))
    assert first.returncode == 0
    assert len(first.stdout.strip()) >= 32
    assert run("token", "--data-path", str(tmp_path / "data")).stdout == first.stdout
    assert (tmp_path / "data" / "token").stat().st_mode & 0o777 == 0o600


def test_the_token_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("token", "--data-path", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_openapi_command_prints_the_document() -> None:
    assert json.loads(run("openapi").stdout)["openapi"].startswith("3.")
