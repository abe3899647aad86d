"""Sessions end after a while or by another token, not by a restart."""

import stat
from pathlib import Path

import pytest

from energy_server.api.logins import MOST_SESSIONS, SESSION_S, Logins, save


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def restarted(path: Path, clock: Clock) -> Logins:
    logins = Logins(clock)
    logins.load(path, "the token")
    return logins


def test_a_session_ends_after_30_days() -> None:
    clock = Clock()
    logins = Logins(clock)
    session = logins.start()
    assert logins.knows(session)
    clock.now_s += SESSION_S - 1
    assert logins.knows(session)
    clock.now_s += 1
    assert not logins.knows(session)


def test_sessions_are_bounded() -> None:
    logins = Logins(Clock())
    first = logins.start()
    for _ in range(MOST_SESSIONS):
        last = logins.start()
    assert logins.knows(last)
    assert not logins.knows(first)


def test_a_restart_keeps_what_has_not_ended(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "sessions"
    logins = Logins(clock)
    kept, ended = logins.start(), logins.start()
    logins.end(ended)
    save(path, logins.content("the token"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept not in path.read_text()
    after = restarted(path, clock)
    assert after.knows(kept)
    assert not after.knows(ended)
    clock.now_s += SESSION_S
    assert not restarted(path, clock).knows(kept)


def test_another_token_ends_all(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "sessions"
    logins = Logins(clock)
    session = logins.start()
    save(path, logins.content("the token"))
    after = Logins(clock)
    after.load(path, "another token")
    assert not after.knows(session)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 1}'])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sessions").write_text(content)
    assert not restarted(tmp_path / "sessions", Clock()).knows("x")
    assert "log in again" in caplog.text


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "missing" / "sessions", Logins(Clock()).content("the token"))
    assert "log in again after a restart" in caplog.text
