"""When the recorder was seen not to record, by whatever clock. Instants are seconds from the first look."""

from typing import cast

import pytest
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.pipeline import watch
from custom_components.energy_dashboard.pipeline.recorder import Condition, Recorder, RecorderStatus
from custom_components.energy_dashboard.pipeline.spans import Span
from custom_components.energy_dashboard.pipeline.watch import FOREVER_US, RecorderWatch

NOON_US = 1_795_262_400_000_000
SECOND_US = 1_000_000


def second(instant_us: int) -> float:
    return (instant_us - NOON_US) / SECOND_US


class Looks:
    """A recorder that is looked at, by a clock that can be set."""

    def __init__(self) -> None:
        self.began_us = NOON_US
        self.is_set_up = True
        self._condition = Condition.READY
        self._monotonic_us = 0
        self._offset_us = NOON_US
        self._process_us = 0
        self.changes: list[list[Span]] = []
        self.watch = self._watched([], restarted=True)

    def status(self) -> RecorderStatus:
        return RecorderStatus(self._condition)

    def clocks_us(self) -> tuple[int, int]:
        return self._monotonic_us + self._offset_us, self._monotonic_us

    def process_began_us(self) -> int:
        return self._process_us + self._offset_us

    def look(self, after: float, condition: Condition = Condition.READY, set_by: float = 0) -> None:
        """Let time pass, set the clock at its end, and look."""
        self._monotonic_us += round(after * SECOND_US)
        self._offset_us += round(set_by * SECOND_US)
        self._condition = condition
        self.watch.look()

    def restart(self, after: float, set_by: float = 0) -> None:
        """Stop Home Assistant, and start it after a while by another clock."""
        before = self.watch.blind()
        self._monotonic_us += round(after * SECOND_US)
        self._offset_us += round(set_by * SECOND_US)
        self._process_us, self._condition = self._monotonic_us, Condition.READY
        self.began_us = self._monotonic_us + self._offset_us
        self.watch = self._watched(before, restarted=True)

    def reload(self) -> None:
        """Go on in the same process with a new watch."""
        self.watch = self._watched(self.watch.blind(), restarted=False)

    def back(self) -> float | None:
        back_us = self.watch.back_us
        return None if back_us is None else second(back_us)

    def blind(self) -> list[tuple[float, float | None]]:
        spans = self.watch.blind()
        return [
            (second(since_us), None if until_us == FOREVER_US else second(until_us)) for since_us, until_us in spans
        ]

    def _watched(self, before: list[Span], *, restarted: bool) -> RecorderWatch:
        hass, recorder = cast(HomeAssistant, None), cast(Recorder, self)
        return RecorderWatch(hass, recorder, before, {}, restarted=restarted, on_change=self._on_change)

    def _on_change(self) -> None:
        self.changes.append(self.watch.blind())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks()
    monkeypatch.setattr(watch, "clocks_us", looks.clocks_us)
    monkeypatch.setattr(watch, "process_began_us", looks.process_began_us)
    looks.watch.look()
    return looks


def test_it_was_blind_from_the_last_good_look_to_the_next(looks: Looks) -> None:
    looks.look(5)
    looks.look(5, Condition.DISABLED)
    assert looks.blind() == [(5, None)]
    looks.look(60, Condition.LOSSY)
    looks.look(5)
    looks.look(5)
    assert looks.blind() == [(5, 75)]


def test_a_restart_makes_it_see_again(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED)
    looks.restart(after=60)
    looks.look(20)
    assert looks.blind() == [(0, 65)]


def test_so_does_one_by_a_clock_that_had_not_been_set(looks: Looks) -> None:
    """What its process lived through was seen, once the clock tells when that was."""
    looks.look(5, Condition.DISABLED)
    looks.restart(after=60, set_by=-NOON_US / SECOND_US)
    looks.look(1)
    assert looks.blind() == [(0, None)]
    looks.look(5, set_by=NOON_US / SECOND_US)
    assert looks.blind() == [(0, 65)]


def test_what_comes_again_by_a_clock_that_is_set_back_is_not_recorded_either(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED)
    assert looks.back() is None
    looks.look(5, Condition.DISABLED, set_by=-30)
    assert looks.blind() == [(-25, None)]
    assert looks.back() == -25
    looks.look(5)
    assert looks.blind() == [(-25, -15)]


def test_neither_is_it_where_the_next_look_sees_it_record(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED)
    looks.look(5, set_by=-30)
    assert looks.blind() == [(-25, -20)]


def test_a_clock_that_is_set_forward_hides_nothing(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED, set_by=100)
    looks.look(5, Condition.DISABLED)
    looks.look(5, set_by=100)
    assert looks.blind() == [(0, 215)]


def test_a_clock_that_is_set_back_behind_a_restart_shows_all_of_the_new_run(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED)
    looks.look(100, Condition.DISABLED)
    looks.restart(after=5, set_by=-1_000)
    for _ in range(200):
        looks.look(5)
    assert looks.blind() == [(0, 0)]
    assert looks.changes[-1] == looks.watch.blind(), "written down"


def test_a_reload_of_the_integration_is_no_restart(looks: Looks) -> None:
    looks.look(5, Condition.DISABLED)
    looks.reload()
    looks.look(5)
    assert looks.blind() == [(0, 10)]


def test_nor_is_one_by_a_clock_that_was_set_forward(looks: Looks) -> None:
    """By its age the process seems to have begun while the recorder was disabled."""
    looks.look(100, Condition.DISABLED)
    looks.look(5, Condition.DISABLED, set_by=1_000)
    looks.reload()
    looks.look(5)
    assert looks.blind() == [(0, 1_110)]
