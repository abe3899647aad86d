"""A part of a bench that runs in a process of its own and answers with one JSON document on standard output."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class ChildFailedError(RuntimeError):
    """The part ended with another status than 0."""


async def ask(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run `python -m MODULE ARGUMENTS` in the checkout and return what it printed; standard error passes through."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise ChildFailedError(f"{module} ended with {process.returncode}")
    answer: dict[str, Any] = json.loads(output)
    return answer
