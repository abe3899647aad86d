"""Every setting of the server in one typed model.

In:   the command line, the environment (`ENERGY_*`), secrets (files that are named as those, in lower case), a file
      named by `--config` (TOML or JSON), and the options that the Supervisor writes for an app; an earlier one of these
      wins.
Out:  a valid `Settings`, or `SettingsError` that names the setting at fault. No value is part of the message.
"""

import argparse
import json
import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, IPvAnyAddress, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

PREFIX = "ENERGY_"
SUPERVISOR_OPTIONS = Path("/data/options.json")
SECRETS = Path("/run/secrets")
"""Where containers find the secrets that they are given."""
PACKAGE = Path(__file__).resolve().parent
MEMORY_LIMIT_MB = 32
"""The embedded store's caches: more answers nothing faster."""
SUPERVISOR_ADDRESS = "172.30.32.2"
"""The same in every installation of Home Assistant's Supervisor."""
SCHEMES = {
    "questdb_url": ("http://", "https://"),
    "questdb_pg_url": ("postgresql://", "postgres://"),
    "mongodb_url": ("mongodb://", "mongodb+srv://"),
}
DATABASES = ("questdb_url", "mongodb_url")
COMMANDS = {
    "serve": "run the server (the default)",
    "token": "print the access token, making one where there is none",
    "openapi": "print the description of the API",
}
OTHER_COMMANDS = {
    "export": "write everything that is stored to files; has arguments of its own, see `export --help`",
    "verify": "compare what is stored with Home Assistant's recorder; has arguments of its own, see `verify --help`",
}


class SettingsError(Exception):
    """A setting is not acceptable; the message names it."""


def _data_path() -> Path:
    """Return the Supervisor's folder inside an app, else a folder of the user."""
    return Path("/data") if SUPERVISOR_OPTIONS.exists() else Path.home() / ".local" / "share" / "energy-server"


def _dashboard_path() -> Path:
    """Return the build beside the package in a checkout, else the one inside an installed package."""
    built = PACKAGE.parents[2] / "dashboard" / "dist"
    return built if built.is_dir() else PACKAGE / "dashboard"


class Settings(BaseSettings):
    """What can be set, with its default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 the dashboard is for the whole home, and asks for the token
        min_length=1,
        description="Address to listen on; 127.0.0.1 for this machine only.",
    )
    port: int = Field(default=8765, ge=0, le=65535, description="TCP port to listen on; 0 lets the system choose one.")
    data_path: Path = Field(
        default_factory=_data_path,
        description="Folder of the stores and of the token file. /data inside an app.",
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Access token of the integration and of the dashboard's login, at least 16 characters. Without "
        "one, a random one is made and kept in the file `token` of the data folder. Prefer the environment to the "
        "flag: other users of a machine see flags.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names, separated by commas, by which the server may be called, besides localhost and IP "
        "addresses, e.g. energy.example.org. Guards against DNS rebinding.",
    )
    dashboard_path: Path = Field(
        default_factory=_dashboard_path,
        description="Folder of the built dashboard.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important kind of message that is logged."
    )
    access_log: bool = Field(default=False, description="Whether each request is logged (never its parameters).")
    commit_interval_s: float = Field(
        default=1.0,
        ge=0.05,
        le=60,
        description="Longest time that arrived readings wait to be stored together; longer is kinder to SD cards.",
    )
    rollup_interval_s: float = Field(
        default=5.0, ge=0.05, le=300, description="Seconds between two runs of the computation of statistics."
    )
    memory_limit_mb: int = Field(
        default=MEMORY_LIMIT_MB,
        ge=32,
        le=65536,
        description="Memory that the embedded store may use for its caches, in MB.",
    )

    questdb_url: SecretStr | None = Field(
        default=None,
        description="Address of a QuestDB for the readings, http://user:password@host:9000 (user and password only "
        "where it asks for them). Needs mongodb_url too.",
    )
    questdb_pg_url: SecretStr | None = Field(
        default=None,
        description="Where the same QuestDB answers as PostgreSQL does, postgresql://user:password@host:8812/qdb. "
        "Without one: port 8812 of the same host.",
    )
    mongodb_url: SecretStr | None = Field(
        default=None,
        description="Connection string of a MongoDB for everything else, mongodb://user:password@host:27017/database, "
        "with any of its options (replicaSet, tls, authSource, …); mongodb+srv:// too. Needs questdb_url too.",
    )
    storage: Literal["auto", "embedded", "questdb"] = Field(
        default="auto",
        validate_default=True,
        description="Where the data is kept: embedded (files in the data folder) or questdb (QuestDB and MongoDB, by "
        "their URLs). auto chooses once, at the first start: questdb where both URLs are given, else embedded.",
    )

    ingress_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="TCP port for Home Assistant's Supervisor, which shows the dashboard in the sidebar (8099 inside "
        "the app); without one there is no such port.",
    )
    ingress_peer: IPvAnyAddress = Field(
        default_factory=lambda: ip_address(SUPERVISOR_ADDRESS),
        description="The only address that may call the ingress port, the Supervisor's.",
    )
    supervisor_url: str = Field(
        default="http://supervisor",
        pattern=r"^https?://",
        description="Address of the Supervisor, which tells Home Assistant of this app.",
    )
    supervisor_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("supervisor_token", "energy_supervisor_token"),
        description="Token for the Supervisor, which gives it to its apps as SUPERVISOR_TOKEN; without one Home "
        "Assistant is not told.",
    )
    discovery_host: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        description="Host name by which Home Assistant reaches this app; by default the one of this machine.",
    )

    @field_validator("questdb_url", "questdb_pg_url", "mongodb_url")
    @classmethod
    def _is_address(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        schemes = SCHEMES[str(info.field_name)]
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError(f"it begins with {' or '.join(schemes)}")
        return value

    @field_validator("storage")
    @classmethod
    def _has_its_databases(cls, value: str, info: ValidationInfo) -> str:
        given = {name for name in DATABASES if info.data.get(name) is not None}
        if value == "questdb" and len(given) != len(DATABASES):
            raise ValueError("questdb needs both questdb_url and mongodb_url")
        if value == "auto" and len(given) == 1:
            raise ValueError(f"only {given.pop()} is given; questdb_url and mongodb_url belong together")
        return value

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list):
            return names
        return tuple(str(name).strip().lower() for name in names if str(name).strip())


def read_file(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML or JSON file."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as err:
        raise SettingsError(f"config: {path} cannot be read: {err.strerror}") from err
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError) as err:
        kind = "TOML" if path.suffix == ".toml" else "JSON (a TOML file is named .toml)"
        raise SettingsError(f"config: {path} is not {kind}: {err}") from err
    if not isinstance(document, dict):
        raise SettingsError(f"config: {path} must hold an object of settings")
    return document


def load(
    flags: Mapping[str, str], config: Path | None, options: Path = SUPERVISOR_OPTIONS, secrets: Path = SECRETS
) -> Settings:
    """Return the settings: flags, environment, secrets, the file, the Supervisor's options; an earlier one wins."""
    file = read_file(config) if config else {}
    # Options of an earlier or later release of the app are no reason not to start.
    supervisor = {
        name: value
        for name, value in (read_file(options) if options.exists() else {}).items()
        if name in Settings.model_fields and value not in (None, "")
    }

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            files = (InitSettingsSource(settings_cls, file), InitSettingsSource(settings_cls, supervisor))
            # Asked of a folder that is not there, it would warn.
            kept = (SecretsSettingsSource(settings_cls, secrets),) if secrets.is_dir() else ()
            return (init_settings, env_settings, *kept, *files)

    try:
        return Layered(**dict[str, Any](flags))
    except ValidationError as err:
        first = err.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        name = place.partition(".")[0]
        given = {
            f"the flag --{name.replace('_', '-')}": name in flags,
            f"the environment variable {PREFIX}{name.upper()}": bool(os.environ.get(f"{PREFIX}{name.upper()}")),
            str(config): name in file,
            "the app's options": name in supervisor,
        }
        advice = next((f" Change it in {where}." for where, is_there in given.items() if is_there), "")
        raise SettingsError(f"{place}: {first['msg']}.{advice}") from None


def _help(name: str, field: FieldInfo) -> str:
    """Return the help of a setting: what, its variable, its default."""
    default = field.get_default(call_default_factory=True)
    shown = "" if default in (None, ()) else f", default {str(default).lower() if default is False else default}"
    return f"{field.description} [{PREFIX}{name.upper()}{shown}]".replace("%", "%%")


def parser() -> argparse.ArgumentParser:
    """Return the command line, made from the fields of `Settings`."""
    commands = "; ".join(f"{name}: {what}" for name, what in (COMMANDS | OTHER_COMMANDS).items())
    cli = argparse.ArgumentParser(
        prog="energy-server",
        description="The server of Energy Dashboard for Home Assistant.",
        epilog="Each setting is taken from its flag, else from its environment variable, else from the secret of that "
        f"name in lower case ({SECRETS}), else from the file of --config, else from the Supervisor's options, else it "
        "has its default.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    cli.add_argument("command", nargs="?", choices=COMMANDS, default="serve", help=commands)
    cli.add_argument("--config", type=Path, default=None, metavar="FILE", help="TOML or JSON file of settings.")
    for name, field in Settings.model_fields.items():
        cli.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="VALUE", help=_help(name, field))
    return cli


def parse(arguments: Sequence[str]) -> tuple[str, Settings]:
    """Return the command and the settings. Raises SettingsError; argparse exits with 2 for unknown flags."""
    flags = vars(parser().parse_args(arguments))
    command, config = flags.pop("command"), flags.pop("config")
    return command, load(flags, config)
