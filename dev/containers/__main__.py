"""Build the app's image, run it both ways, drive the product through it, and print what that took.

In:   the checkout, set up by script/bootstrap; options for pytest.
Out:  the tests' own report, then a table of sizes, memory and times. Exit status 0 only if all held.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from dev.containers.config import ADDON, bases, full, image
from dev.containers.engine import Engine, EngineError
from dev.containers.find import find, supply
from dev.processes import ROOT

FOLDER = (ROOT / ".cache" / "containers").resolve()
FIGURES = Path(os.environ.get("ENERGY_STATE", ROOT / ".state")) / "containers.jsonl"
BUILT_WITHIN_S = 1_200.0
MOST_IMAGE_MB = 350.0
MB = 1e6
TESTS = ("-m", "pytest", "tests/containers", "-q", "-p", "no:homeassistant", "-p", "no:socket")


def _say(name: str, value: float, unit: str, most: float | None = None) -> None:
    with FIGURES.open("a") as file:
        file.write(json.dumps({"name": name, "value": value, "unit": unit, "most": most}) + "\n")


async def _build(engine: Engine) -> None:
    started_s = time.monotonic()
    log = await engine.build(ADDON, image(), BUILT_WITHIN_S)
    (FOLDER / "build.log").write_text(log)
    _say("build", time.monotonic() - started_s, "s")


async def prepare() -> Engine:
    """Return an engine that has the image of this checkout."""
    started_s = time.monotonic()
    engine = await find(FOLDER)
    _say("engine and base images", time.monotonic() - started_s, "s")
    print(f"  engine: {engine.name}", file=sys.stderr, flush=True)
    # The one waits for registries while the other computes.
    await asyncio.gather(_build(engine), supply(engine, FOLDER))
    base = bases()[-1]
    _say("image, uncompressed", await engine.size_bytes(image()) / MB, "MB", MOST_IMAGE_MB)
    _say(f"of it {base}", await engine.size_bytes(full(base)) / MB, "MB")
    return engine


def table() -> bool:
    """Print the figures, also where ENERGY_SAID wants them; returns whether all are within their limits."""
    figures = [json.loads(line) for line in FIGURES.read_text().splitlines()]
    width = max(len(figure["name"]) for figure in figures)
    lines = []
    held = True
    for figure in figures:
        limit = "" if figure["most"] is None else f"  must be < {figure['most']:g}"
        if figure["most"] is not None and figure["value"] >= figure["most"]:
            limit += "  NOT HELD"
            held = False
        lines.append(f"{figure['name']:<{width}}  {figure['value']:>8.1f} {figure['unit']:<2}{limit}".rstrip())
    print("", *lines, sep="\n")
    if path := os.environ.get("ENERGY_SAID"):
        Path(path).write_text("\n".join(lines) + "\n")
    return held


def main() -> int:
    """Do it all; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="script/test-containers",
        description="Build the app's image, run it as an app and by compose.yaml, and drive the product through it.",
        epilog="Further arguments go to pytest, for example: -k compose",
    )
    _, further = parser.parse_known_args()
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text("")
    started_s = time.monotonic()
    try:
        engine = asyncio.run(prepare())
    except EngineError as err:
        print(f"\n{err}", file=sys.stderr)
        return 1
    environment = {**os.environ, "ENERGY_SAID": "", "ENERGY_ENGINE": engine.dump(), "ENERGY_FIGURES": str(FIGURES)}
    tested = subprocess.run((sys.executable, *TESTS, *further), cwd=ROOT, env=environment, check=False)
    _say("all of it", time.monotonic() - started_s, "s")
    held = table()
    return 0 if held and tested.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
