"""Write the requirements of the Home Assistant integrations that a real run sets up.

In:   the installed `homeassistant` package.
Out:  `requirements/homeassistant.in` and `requirements/homeassistant-constraints.txt`.

`hass --skip-pip` installs nothing, so what its integrations need must be in the lock file.
"""

import json
from pathlib import Path

import homeassistant
from homeassistant import bootstrap

STARTED = frozenset(
    {
        "api",
        "config",
        "energy",
        "frontend",
        "history",
        "http",
        "isal",
        "onboarding",
        "panel_custom",
        "recorder",
        "websocket_api",
    }
)
REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


def required(domains: frozenset[str], components: Path) -> list[str]:
    """Return the requirements of the domains and of all that they depend on."""
    seen: set[str] = set()
    waiting = sorted(domains)
    found: set[str] = set()
    while waiting:
        domain = waiting.pop()
        manifest = components / domain / "manifest.json"
        if domain in seen or not manifest.exists():
            continue
        seen.add(domain)
        content = json.loads(manifest.read_text())
        found.update(content.get("requirements", []))
        waiting += content.get("dependencies", [])
    return sorted(found, key=str.lower)


def main() -> None:
    """Write both files."""
    package = Path(homeassistant.__file__).parent
    domains = STARTED | bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS
    rows = required(domains, package / "components")
    heading = "# Written by dev/ha_requirements.py\n"
    (REQUIREMENTS / "homeassistant.in").write_text(heading + "\n".join(rows) + "\n")
    constraints = (package / "package_constraints.txt").read_text()
    (REQUIREMENTS / "homeassistant-constraints.txt").write_text(heading + constraints)


if __name__ == "__main__":
    main()
