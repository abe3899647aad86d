"""Run every check and test of the repository, one after the other, and end with one summary.

In:   the checkout, set up by script/bootstrap.
Out:  a line for each suite while it runs, its log in `.state/checks/`, a table of counts, and the closing line
      "N passed, N failed, N skipped". Exit status 1 if anything failed, was skipped, or did not run.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")) / "checks"
BIN = Path(sys.executable).parent
DASHBOARD = ROOT / "addon" / "dashboard"
# The plugin of Home Assistant's test package closes sockets and checks its loop; only the integration's suite wants it.
WITHOUT_HOME_ASSISTANT = ("-p", "no:homeassistant", "-p", "no:socket")

# Two processes with servers of their own: where tests wait more than they work, or each file works by itself.
SIDE_BY_SIDE = ("-n", "2", "--dist", "worksteal")
FILES_SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile")
STANDINS = ROOT / "dev" / "containers" / "standins"
SHELL_SCRIPTS = (
    *sorted((ROOT / "script").iterdir()),
    ROOT / ".ci" / "run",
    *sorted(STANDINS.glob("*.sh")),
    *sorted(path for path in (ROOT / "addon" / "services").rglob("*") if path.is_file()),
)


@dataclass(frozen=True, slots=True)
class Suite:
    """One command; `counts` says that it writes a JUnit file, otherwise it counts as one check."""

    name: str
    command: Sequence[str | Path]
    cwd: Path = ROOT
    counts: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a suite came to."""

    suite: str
    passed: int
    failed: int
    skipped: int
    duration_s: float
    said: Sequence[str]
    """What its tests compared or measured, a line each."""


def pytest(name: str, folder: str, *options: str) -> Suite:
    """Return a suite of pytest."""
    command = (sys.executable, "-m", "pytest", folder, "-q", *options, f"--junit-xml={LOGS / name}.xml")
    return Suite(name, command, counts=True)


SUITES = (
    Suite("ruff check", (BIN / "ruff", "check", ".")),
    Suite("ruff format", (BIN / "ruff", "format", "--check", ".")),
    Suite("mypy", (BIN / "mypy", "addon/server/src", "custom_components", "dev", "tests")),
    Suite("import-linter", (BIN / "lint-imports",)),
    Suite("shellcheck", (BIN / "shellcheck", *SHELL_SCRIPTS)),
    Suite("hadolint", (BIN / "hadolint", ROOT / "addon" / "Dockerfile", *sorted(STANDINS.glob("*.Dockerfile")))),
    Suite("eslint", ("npm", "run", "--silent", "lint"), cwd=DASHBOARD),
    Suite("tsc", ("npm", "run", "--silent", "types"), cwd=DASHBOARD),
    Suite(
        "dashboard",
        ("npm", "run", "--silent", "test", "--", "--reporter=junit", f"--outputFile={LOGS / 'dashboard'}.xml"),
        cwd=DASHBOARD,
        counts=True,
    ),
    pytest("server", "tests/server", *WITHOUT_HOME_ASSISTANT, *FILES_SIDE_BY_SIDE),
    pytest("addon", "tests/addon", *WITHOUT_HOME_ASSISTANT),
    pytest("home", "tests/dev", *WITHOUT_HOME_ASSISTANT),
    pytest("integration", "tests/integration"),
    pytest("model", "tests/model", *WITHOUT_HOME_ASSISTANT),
    pytest("end-to-end", "tests/e2e", *WITHOUT_HOME_ASSISTANT),
    pytest("faults", "tests/faults", *WITHOUT_HOME_ASSISTANT, *SIDE_BY_SIDE),
    pytest("bench", "tests/bench", *WITHOUT_HOME_ASSISTANT),
)
CONTAINERS = Suite(
    "containers",
    (sys.executable, "-m", "dev.containers", f"--junit-xml={LOGS / 'containers'}.xml"),
    counts=True,
)
"""The image, built and run both ways; minutes, so only where it is asked for."""
STORES = "server"
ADAPTERS = ("duckdb", "questdb", "sqlite", "mongodb", "mongodb-replica-set")
"""All that the suite above must have run the stores' contracts on."""
CONTRACT = re.compile(rf".*test_(?:series|state)_contract::\w+\[({'|'.join(sorted(ADAPTERS, reverse=True))})(?:-.*)?\]")
ACCEPTANCE = pytest("acceptance", "tests/acceptance", *WITHOUT_HOME_ASSISTANT)
"""On recorded data, which ENERGY_TEST_DATA names."""


def count(path: Path) -> tuple[int, int, int]:
    """Return passed, failed and skipped of a JUnit file."""
    cases = list(ET.parse(path).getroot().iter("testcase"))  # noqa: S314 written a moment ago by our own tests
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return len(cases) - failed - skipped, failed, skipped


def contracts(path: Path) -> dict[str, int]:
    """Return how many tests of the stores' contracts passed on each adapter, which the tests name in brackets."""
    passed = dict.fromkeys(ADAPTERS, 0)
    for case in ET.parse(path).getroot().iter("testcase"):  # noqa: S314 written a moment ago by our own tests
        bad = any(case.find(end) is not None for end in ("failure", "error", "skipped"))
        adapter = CONTRACT.fullmatch(f"{case.get('classname')}::{case.get('name')}")
        if adapter is not None and not bad:
            passed[adapter[1]] += 1
    return passed


def run(suite: Suite) -> Outcome:
    """Run one suite, its output going to its log."""
    log = LOGS / f"{re.sub(r'[^a-z0-9]+', '-', suite.name)}.log"
    report = LOGS / f"{suite.name}.xml"
    said = LOGS / f"{suite.name}.said"
    for old in (report, said):
        old.unlink(missing_ok=True)
    started_s = time.monotonic()
    with log.open("wb") as output:
        code = subprocess.run(
            suite.command,
            cwd=suite.cwd,
            env={**os.environ, **suite.environment, "ENERGY_SAID": str(said)},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
    duration_s = time.monotonic() - started_s
    passed, failed, skipped = (0, 0, 0)
    if suite.counts and report.exists():
        passed, failed, skipped = count(report)
    elif not suite.counts and code == 0:
        passed = 1
    if code != 0 and failed == 0:  # it broke before, after or beside its tests
        failed = 1
    if failed or skipped:
        print(log.read_text(errors="replace")[-12_000:])
    lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    if suite.name == STORES and report.exists():
        kept = contracts(report)
        lines += [f"contract of the stores on {adapter}: {number} passed" for adapter, number in kept.items()]
        failed += sum(1 for number in kept.values() if number == 0)  # an adapter that was not asked is a failure
    return Outcome(suite.name, passed, failed, skipped, duration_s, lines)


def main() -> int:
    """Run the suites whose names contain one of the arguments, or all."""
    parser = argparse.ArgumentParser(prog="script/test", description="Run every check and test.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="only suites whose names contain this")
    parser.add_argument("--soak", action="store_true", help="the long form of the faults: hours instead of minutes")
    parser.add_argument("--containers", action="store_true", help="the image too, built and run: some minutes more")
    arguments = parser.parse_args()
    wanted = arguments.suites
    if arguments.soak:
        os.environ["ENERGY_SOAK"] = "1"
    LOGS.mkdir(parents=True, exist_ok=True)
    recorded = bool(os.environ.get("ENERGY_TEST_DATA"))
    suites = (*SUITES, *((ACCEPTANCE,) if recorded else ()), *((CONTAINERS,) if arguments.containers else ()))
    chosen = [suite for suite in suites if not wanted or any(word in suite.name for word in wanted)]
    outcomes = []
    for suite in chosen:
        outcome = run(suite)
        outcomes.append(outcome)
        verdict = "failed" if outcome.failed else "skipped tests" if outcome.skipped else "ok"
        print(f"{suite.name:<16}{outcome.passed:>6} passed {outcome.duration_s:>7.1f} s  {verdict}", flush=True)
        for line in outcome.said:
            print(f"    {line}", flush=True)
    if not recorded:
        print("\nNot run: the acceptance tests on recorded data, because ENERGY_TEST_DATA names no folder.")
    passed, failed, skipped = (
        sum(getattr(outcome, part) for outcome in outcomes) for part in ("passed", "failed", "skipped")
    )
    print(f"\nLogs: {LOGS}\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or skipped or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
