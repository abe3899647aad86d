"""The Supervisor's judgement of an app's config.yaml, its translations and its options, as of August 2026.

In:   what the files say.
Out:  the same, or `vol.Invalid`. Only the keys that the Supervisor keeps are here, and one it does not know is refused,
      though the Supervisor drops it silently: a key that is dropped is a mistake.

Written after the behaviour of `supervisor/apps/validate.py` and `options.py`; defaults are left out.
"""

import re
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

ELEMENT = re.compile(
    r"(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|match\(.*\)|list\((?P<list>.+)\)"
    r"|(?:str|password)(?:\((?P<s_min>\d+)?,(?P<s_max>\d+)?\))?"
    r"|(?P<int>int)(?:\((?P<i_min>-?\d+)?,(?P<i_max>-?\d+)?\))?"
    r"|(?P<float>float)(?:\((?P<f_min>-?\d*\.?\d+)?,(?P<f_max>-?\d*\.?\d+)?\))?"
    r")(?P<optional>\??)"
)
ARCHITECTURES = ("aarch64", "amd64")
VERSION = re.compile(r"\d+\.\d+\.\d+(?:[ab-]\S+)?$")
MAPPED = re.compile(
    r"^(?:data|config|ssl|addons|backup|share|media|homeassistant_config|all_addon_configs|addon_config)(?::(?:rw|ro))?$"
)

port = vol.All(int, vol.Range(min=1, max=65535))
element = vol.Match(re.compile(rf"^{ELEMENT.pattern}$"))
switch = vol.Boolean()

CONFIG = vol.Schema(
    {
        vol.Required("name"): vol.All(str, vol.Length(min=1)),
        vol.Required("version"): vol.All(str, vol.Match(VERSION)),
        vol.Required("slug"): vol.Match(r"^[-_.A-Za-z0-9]+$"),
        vol.Required("description"): str,
        vol.Required("arch"): vol.All([vol.In(ARCHITECTURES)], vol.Unique(), vol.Length(min=1)),
        "url": vol.Url(),
        "startup": vol.In(("initialize", "system", "services", "application", "once")),
        "boot": vol.In(("auto", "manual", "manual_only")),
        "init": switch,
        "stage": vol.In(("stable", "experimental", "deprecated")),
        "ports": {vol.Match(r"^\d+(?:/tcp|/udp)?$"): vol.Maybe(port)},
        "ports_description": {vol.Match(r"^\d+(?:/tcp|/udp)?$"): str},
        "watchdog": vol.Match(r"^(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*$"),
        "webui": vol.Match(r"^(?:https?|\[PROTO:\w+\]):\/\/\[HOST\]:\[PORT:\d+\].*$"),
        "ingress": switch,
        "ingress_port": vol.Any(port, 0),
        "ingress_entry": str,
        "ingress_stream": switch,
        "panel_icon": vol.Match(r"^mdi:[a-z0-9-]+$"),
        "panel_title": str,
        "panel_admin": switch,
        "homeassistant": vol.All(str, vol.Match(VERSION)),
        "map": [vol.Match(MAPPED)],
        "environment": {vol.Match(r"^\w*$"): str},
        "apparmor": switch,
        "hassio_api": switch,
        "homeassistant_api": switch,
        "services": [vol.Match(r"^(?:mqtt|mysql):(?:provide|want|need)$")],
        "discovery": [str],
        "backup": vol.In(("hot", "cold")),
        "backup_pre": str,
        "backup_post": str,
        "backup_exclude": [str],
        "options": dict,
        "schema": {str: vol.Any(element, [element])},
        "image": vol.Match(r"^([a-zA-Z\-\.:\d{}]+/)*?([\-\w{}]+)/([\-\w{}]+)$"),
        "timeout": vol.All(int, vol.Range(min=10, max=300)),
        "tmpfs": switch,
    }
)
TRANSLATIONS = vol.Schema(
    {
        "configuration": {str: {vol.Required("name"): str, "description": vol.Maybe(str)}},
        "network": {str: str},
    }
)
DEFAULTS: Mapping[str, Any] = {
    "boot": "auto",
    "ingress_port": 8099,
    "panel_icon": "mdi:puzzle",
    "panel_admin": True,
    "startup": "application",
    "stage": "stable",
    "init": True,
    "apparmor": True,
    "backup": "hot",
    "timeout": 10,
    "tmpfs": False,
}


def judge(schema: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the Supervisor lets a user save; it drops those that the schema does not name."""
    kept = {name: _kept(schema[name], value) for name, value in options.items() if name in schema}
    for name, kind in schema.items():
        first = kind[0] if isinstance(kind, list) else kind
        if name not in kept and not first.endswith("?"):
            raise vol.Invalid(f"Missing option '{name}'")
    return kept


def _kept(kind: str | list[str], value: Any) -> Any:
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise vol.Invalid("Invalid list")
        return [_kept(kind[0], one) for one in value]
    if value is None:
        raise vol.Invalid("Missing required option")
    match = ELEMENT.fullmatch(kind)
    assert match is not None, kind
    for name, convert in (("int", int), ("float", float)):
        if match[name]:
            limits = {limit: match[f"{name[0]}_{limit}"] for limit in ("min", "max")}
            known = {limit: float(text) for limit, text in limits.items() if text}
            return vol.All(vol.Coerce(convert), vol.Range(min=known.get("min"), max=known.get("max")))(value)
    if match["list"]:
        return vol.In(match["list"].split("|"))(str(value))
    return vol.Boolean()(value) if kind.startswith("bool") else str(value)
