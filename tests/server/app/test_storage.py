"""Which stores are used: as set, else as chosen at the first start, and remembered."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from energy_server.errors import StoreUnavailableError
from energy_server.settings import Settings, SettingsError, load
from energy_server.storage import choose, pair_of
from tests.server.serving import Start

QUESTDB: dict[str, Any] = {
    "questdb_url": SecretStr("http://127.0.0.1:9000"),
    "mongodb_url": SecretStr("mongodb://127.0.0.1/energy"),
}


def settings(data_path: Path, storage: str = "auto", **more: object) -> Settings:
    return Settings.model_validate({"data_path": data_path, "storage": storage, **more})


def test_without_urls_it_is_embedded_and_stays_so(tmp_path: Path) -> None:
    first = choose(settings(tmp_path / "deep"))
    assert (first.backend, first.setting) == ("embedded", "auto")
    assert "first start" in first.reason
    later = choose(settings(tmp_path / "deep", **QUESTDB))
    assert later.backend == "embedded"
    assert "kept although URLs are given now" in later.reason


def test_with_urls_it_is_questdb_and_stays_so(tmp_path: Path) -> None:
    first = choose(settings(tmp_path, **QUESTDB))
    assert first.backend == "questdb"
    forgotten = settings(tmp_path)
    assert choose(forgotten) == first
    with pytest.raises(StoreUnavailableError, match="Set questdb_url and mongodb_url again"):
        pair_of(first, forgotten)


def test_data_of_a_release_that_remembered_nothing_counts(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").touch()
    assert choose(settings(tmp_path, **QUESTDB)).backend == "embedded"


def test_what_is_set_wins_and_is_remembered(tmp_path: Path) -> None:
    assert choose(settings(tmp_path)).backend == "embedded"
    chosen = choose(settings(tmp_path, "questdb", **QUESTDB))
    assert (chosen.backend, chosen.setting) == ("questdb", "questdb")
    assert choose(settings(tmp_path, **QUESTDB)).backend == "questdb"
    assert choose(settings(tmp_path, "embedded", **QUESTDB)).backend == "embedded"


@pytest.mark.parametrize("text", ["", "[]", '{"backend": "embedded"}', "\0", '{"backend": "tape", "reason": ""}'])
def test_a_damaged_memory_is_told_and_overruled_by_a_setting(tmp_path: Path, text: str) -> None:
    (tmp_path / "storage.json").write_text(text)
    with pytest.raises(StoreUnavailableError, match=r"storage\.json"):
        choose(settings(tmp_path))
    assert choose(settings(tmp_path, "embedded")).backend == "embedded"
    assert choose(settings(tmp_path)).backend == "embedded"


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        ({"storage": "questdb"}, "storage"),
        ({"storage": "tape"}, "storage"),
        ({"questdb_url": "http://h:9000"}, "storage"),
        ({"mongodb_url": "mongodb://user:hidden-word@h/"}, "storage"),
        ({"questdb_url": "ftp://user:hidden-word@h"}, "questdb_url"),
        ({"questdb_pg_url": "http://user:hidden-word@h"}, "questdb_pg_url"),
        ({"mongodb_url": "user:hidden-word@h"}, "mongodb_url"),
    ],
)
def test_a_setting_that_cannot_work_is_named_and_not_shown(
    flags: dict[str, str], field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ENERGY_{name.upper()}", raising=False)
    with pytest.raises(SettingsError, match=f"^{field}: ") as failure:
        load(flags, None, tmp_path / "none.json")
    assert "hidden-word" not in str(failure.value)


@pytest.mark.parametrize(
    "urls",
    [
        {"questdb_url": "http://u:hidden-word@[::1", "mongodb_url": "mongodb://h/"},
        {"questdb_url": "http://h:9000", "mongodb_url": "mongodb://u:hidden-word@h:port/"},
        {"questdb_url": "http://h:9000", "mongodb_url": "mongodb://u:hidden-word@h/a b$?replicaSet"},
        {"questdb_url": "http://h:9000", "mongodb_url": "mongodb://u:hidden/word@h/"},
    ],
)
async def test_a_url_that_is_none_is_told_and_not_shown(urls: dict[str, str], tmp_path: Path) -> None:
    wanted = settings(tmp_path, "questdb", **{name: SecretStr(url) for name, url in urls.items()})
    assert "hidden" not in repr(wanted)
    with pytest.raises(StoreUnavailableError, match=r"questdb_url|mongodb_url") as failure:
        await pair_of(choose(wanted), wanted).state.open()
    assert "hidden" not in failure.value.message


async def test_the_choice_is_told(start: Start) -> None:
    running = await start()
    storage = (await running.get("/api/status"))["storage"]
    assert storage["choice"] == "embedded"
    assert storage["setting"] == "auto"
    assert "first start" in storage["reason"]
    assert json.loads((running.data_path / "storage.json").read_text())["backend"] == "embedded"
