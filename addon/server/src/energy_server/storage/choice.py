"""Which pair of stores: as set, else as chosen at the first start and remembered in the data folder.

In:   settings, and the file `storage.json` of the data folder.
Out:  a `Choice`, remembered.
Failures: StoreUnavailableError when the file cannot be read or written.

A choice sticks, because the other pair knows nothing: an address that is given later, or forgotten, must not make years
of data seem lost.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from energy_server.errors import StoreUnavailableError
from energy_server.settings import Settings

FILE = "storage.json"
BACKENDS = {"embedded": "energy_server.storage.embedded", "questdb": "energy_server.storage.questdb"}
"""Each pair, and the module that makes it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair of stores, what was set, and for a person: why."""

    backend: str
    setting: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the data folder knows of an earlier start."""

    backend: str
    reason: str


def decide(setting: str, *, has_urls: bool, has_data: bool, remembered: Remembered | None) -> Choice:
    """Return the choice. `has_data`: embedded stores are there, perhaps of a release that remembered nothing."""
    if setting != "auto":
        return Choice(setting, setting, f"The setting storage says so: {setting}.")
    if remembered is not None:
        return Choice(remembered.backend, setting, _still(remembered, has_urls=has_urls))
    if has_data:
        return Choice("embedded", setting, "The data folder held embedded stores already.")
    if has_urls:
        return Choice("questdb", setting, "Chosen at the first start: questdb_url and mongodb_url were given.")
    return Choice("embedded", setting, "Chosen at the first start: no URLs of databases were given.")


def _still(remembered: Remembered, *, has_urls: bool) -> str:
    if remembered.backend == "embedded" and has_urls:
        return (
            f"{remembered.reason} It is kept although URLs are given now; storage: questdb would begin anew with the"
            " databases."
        )
    return remembered.reason


def choose(settings: Settings) -> Choice:
    """Return the choice, and remember it. Raises StoreUnavailableError."""
    path = settings.data_path / FILE
    try:
        remembered = _read(path) if settings.storage == "auto" else None
        choice = decide(
            settings.storage,
            has_urls=settings.questdb_url is not None and settings.mongodb_url is not None,
            has_data=(settings.data_path / "state.sqlite").exists(),
            remembered=remembered,
        )
        if remembered is None or remembered.backend != choice.backend:
            _write(path, Remembered(choice.backend, choice.reason))
    except OSError as err:
        raise StoreUnavailableError.of_folder(err, settings.data_path) from err
    return choice


def _read(path: Path) -> Remembered | None:
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        remembered = Remembered(str(document["backend"]), str(document["reason"]))
    except (ValueError, KeyError, TypeError) as err:
        raise StoreUnavailableError(f"{path} is damaged. Set storage to what was used: embedded or questdb.") from err
    if remembered.backend not in BACKENDS:
        raise StoreUnavailableError(f"{path} names stores of another release. Install that release again.")
    return remembered


def _write(path: Path, remembered: Remembered) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(remembered), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
