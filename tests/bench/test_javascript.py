"""Which chunks count as loaded before the first view."""

from pathlib import Path

from tests.bench.javascript import first_chunks, static_imports


def test_only_static_imports_count() -> None:
    source = 'import"./a.js";import{x as y}from"./b.js";export*from\'./c.js\';const z=()=>import("./charts.js");'
    assert static_imports(source) == {"./a.js", "./b.js", "./c.js"}


def test_chunks_are_followed_from_the_page(tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="./assets/index.js"></script>')
    (assets / "index.js").write_text('import"./one.js";import("./charts.js")')
    (assets / "one.js").write_text('import{a}from"./index.js";import{b}from"./two.js"')
    (assets / "two.js").write_text("export const b=1")
    (assets / "charts.js").write_text("export const c=1")
    assert {path.name for path in first_chunks(tmp_path)} == {"index.js", "one.js", "two.js"}
