"""How much JavaScript a browser loads before the first view shows: what index.html reaches by static imports.

In:   the built dashboard, `addon/dashboard/dist`.
Out:  kB (1,000 bytes), gzipped chunk by chunk as the server sends them. A dashboard that was not built raises
      FileNotFoundError.
"""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

from tests.bench.figures import Samples
from tests.bench.say import say

DIST = Path(__file__).resolve().parents[2] / "addon" / "dashboard" / "dist"
GZIP_LEVEL = 9  # as the build does beforehand
IN_PAGE = re.compile(r"""(?:src|href)=["']([^"']+\.js)["']""")
# `import"./a.js"`, `import{b}from"./a.js"`, `export*from"./a.js"`; not `import("./a.js")`, which is loaded when needed
STATIC_IMPORT = re.compile(r"""(?:\bimport|\bfrom)\s*["']([^"']+\.js)["']""")


def static_imports(source: str) -> set[str]:
    """Return the paths that a module imports statically."""
    return set(STATIC_IMPORT.findall(source))


def first_chunks(dist: Path) -> dict[Path, bytes]:
    """Return the modules that index.html loads before anything is asked for, with their contents."""
    found: dict[Path, bytes] = {}
    waiting = {(dist / path).resolve() for path in IN_PAGE.findall((dist / "index.html").read_text())}
    while waiting:
        path = waiting.pop()
        found[path] = path.read_bytes()
        imported = {(path.parent / name).resolve() for name in static_imports(found[path].decode())}
        waiting |= imported - found.keys()
    return found


async def run() -> Mapping[str, Samples]:
    """Measure the build that lies there."""
    sizes = {path.name: len(gzip.compress(content, GZIP_LEVEL)) for path, content in first_chunks(DIST).items()}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        say(f"{size:>9,} bytes  {name}")
    return {"javascript": Samples([sum(sizes.values()) / 1e3])}
