"""Serve the built dashboard.

In:   a path that is not of the API.
Out:  a file of the build: hashed assets may be cached for ever, anything else is asked for anew; precompressed copies
      (`.br`, `.gz`) are used where they lie beside a file. A path that names no file is a view of the dashboard and
      gets index.html, with `<base href>` for the prefix under which the browser sees the server. NotFoundError for
      the rest.
"""

import asyncio
import re
from pathlib import Path

from aiohttp import web

from energy_server.api.ingress import PREFIX
from energy_server.errors import NotFoundError

FOLDER = web.AppKey("dashboard_path", Path)
HASHED = "assets"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_ANEW = "no-cache"
BASE = re.compile(r"<base\b[^>]*>", re.IGNORECASE)
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def base_path(request: web.Request) -> str:
    """Return the path under which the browser sees the server."""
    return request[PREFIX] + "/"


def find_file(folder: Path, path: str) -> Path | None:
    """Return the file of a path, or None. Nothing outside the folder is ever a file of it."""
    if "\\" in path or "\0" in path:
        return None
    candidate = (folder / path.lstrip("/")).resolve()
    return candidate if candidate.is_relative_to(folder.resolve()) and candidate.is_file() else None


def with_base(html: str, base: str) -> str:
    """Return the page with its base element."""
    element = f'<base href="{base}">'
    if BASE.search(html):
        return BASE.sub(element, html, count=1)
    return HEAD.sub(lambda head: head.group() + element, html, count=1)


def _read_index(folder: Path) -> str | None:
    index = folder / "index.html"
    return index.read_text(encoding="utf-8") if index.is_file() else None


async def _index(request: web.Request) -> web.Response:
    html = await asyncio.to_thread(_read_index, request.app[FOLDER])
    if html is None:
        raise NotFoundError("The dashboard is not built; set dashboard_path to a build of it.")
    return web.Response(
        text=with_base(html, base_path(request)), content_type="text/html", headers={"Cache-Control": ASK_ANEW}
    )


async def dashboard(request: web.Request) -> web.StreamResponse:
    """Answer with a file of the build, or with the page."""
    path = request.match_info["path"]
    if path in ("", "index.html"):
        return await _index(request)
    hashed = path.split("/", 1)[0] == HASHED
    file = await asyncio.to_thread(find_file, request.app[FOLDER], path)
    if file is not None:
        return web.FileResponse(file, headers={"Cache-Control": FOR_EVER if hashed else ASK_ANEW})
    if hashed or "." in path.rsplit("/", 1)[-1]:
        raise NotFoundError("The dashboard has no such file.")
    return await _index(request)
