"""What a listener costs is the difference to the same turn without it."""

import pytest

from tests.bench.events import samples

BURST = [
    {"none_loop": 5, "none_cpu": 5, "ours_loop": 11, "ours_cpu": 11, "peer_loop": 8, "peer_cpu": 29},
    {"none_loop": 6, "none_cpu": 6, "ours_loop": 14, "ours_cpu": 15, "peer_loop": 10, "peer_cpu": 26},
]


def test_costs_are_above_no_listener_and_ratios_are_of_one_turn() -> None:
    measured = samples(BURST, BURST[:1], [{"none_loop": 5.0, "ours_loop": 5.2}])
    assert measured["loop_energy"].values == [6, 8]
    assert measured["loop_energy"].ratios == [2, 2]
    assert measured["cpu_energy"].ratios == [6 / 24, 9 / 20]
    assert measured["loop_energy_small"].values == [6]
    assert measured["loop_other"].values == pytest.approx([0.2])
