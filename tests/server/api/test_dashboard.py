"""The dashboard's files: caching, compression, the page for every view, nothing outside the folder."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.server.serving import Running, Start


async def fetch(server: Running, path: str, **headers: str) -> aiohttp.ClientResponse:
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        response = await client.get(f"{server.url}{path}", headers=headers, allow_redirects=False)
        await response.read()
        return response


@pytest.mark.parametrize("path", ["/", "/index.html", "/energy", "/energy/day", "/status?x=1"])
async def test_every_view_is_the_page_with_its_base(server: Running, path: str) -> None:
    response = await fetch(server, path)
    assert response.status == 200
    assert response.content_type == "text/html"
    assert response.headers["Cache-Control"] == "no-cache"
    assert (await response.text()).count('<base href="/">') == 1
    assert "./" not in await response.text()


async def test_a_page_without_a_base_gets_one(server: Running, dashboard: Path) -> None:
    (dashboard / "index.html").write_text("<html><HEAD lang=en><title>x</title></HEAD></html>")
    assert '<HEAD lang=en><base href="/"><title>' in await (await fetch(server, "/")).text()


async def test_hashed_files_may_be_kept_for_ever_others_not(server: Running) -> None:
    response = await fetch(server, "/assets/main-1a2b3c4d.js")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.content_type in ("text/javascript", "application/javascript")
    assert (await fetch(server, "/icon.svg")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepts", "encoding"), [("br", "br"), ("gzip", "gzip"), ("gzip, br", "br"), ("identity", None)]
)
async def test_precompressed_copies_are_used(server: Running, accepts: str, encoding: str | None) -> None:
    response = await fetch(server, "/assets/main-1a2b3c4d.js", **{"Accept-Encoding": accepts})
    assert response.headers.get("Content-Encoding") == encoding


@pytest.mark.parametrize("path", ["/nothing.js", "/assets/other.js", "/assets/"])
async def test_a_file_that_is_not_there_is_not_the_page(server: Running, path: str) -> None:
    response = await fetch(server, path)
    assert response.status == 404
    assert (await response.json())["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/..%5c..%5csecret.txt",
        "//etc/resolv.conf",
        "/%2fetc/resolv.conf",
        "/link.txt",
        "/secret.txt%00.js",
    ],
)
async def test_nothing_outside_the_folder_is_served(server: Running, dashboard: Path, path: str) -> None:
    (dashboard / "link.txt").symlink_to(dashboard.parent / "secret.txt")
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"outside" not in answer


async def test_a_dashboard_that_is_not_built_is_explained(start: Start, tmp_path: Path) -> None:
    server = await start(dashboard_path=tmp_path / "nowhere")
    response = await fetch(server, "/")
    assert response.status == 404
    assert "not built" in await response.text()


async def test_only_reading_is_possible(server: Running) -> None:
    async with server.client.post(f"{server.url}/energy") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"
        assert (await response.json())["error"]["code"] == "method_not_allowed"
