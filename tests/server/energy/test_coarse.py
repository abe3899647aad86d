"""Coarse counters: within an hour nothing goes out before it came in, if the hour as a whole allows it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from energy_server.energy.coarse import settle
from energy_server.energy.meters import MeasuredFlow
from energy_server.energy.periods import Resolution
from energy_server.energy.series import PARTS
from energy_server.model.entity import Role
from tests.server.energy.homes import Home

IN = (MeasuredFlow.SOLAR, MeasuredFlow.BATTERY_DISCHARGE, MeasuredFlow.GRID_IMPORT)
OUT = (MeasuredFlow.BATTERY_CHARGE, MeasuredFlow.GRID_EXPORT)
HOURS = 3
NOON = "2026-06-10T12:00"
ONE = "2026-06-10T13:00"

type Energy = NDArray[np.float64]

amounts = arrays(np.float64, HOURS * PARTS, elements=st.floats(0, 2, allow_subnormal=False))


def use(flows: dict[str, Energy]) -> Energy:
    """Return what the home used in each 5 minutes, by hour."""
    home = sum(flows[flow] for flow in IN) - sum(flows[flow] for flow in OUT)
    return np.asarray(home).reshape(HOURS, PARTS)


@given(st.fixed_dictionaries(dict.fromkeys(MeasuredFlow, amounts)), st.lists(st.booleans(), min_size=3, max_size=3))
@settings(max_examples=200, deadline=None)
def test_the_laws_of_what_is_moved(drawn: dict[str, Energy], complete: list[bool]) -> None:
    settled = {flow: column.copy() for flow, column in drawn.items()}
    settle(settled, np.array(complete))
    before, after = use(drawn), use(settled)
    for flow in IN:
        np.testing.assert_array_equal(settled[flow], drawn[flow])
    for flow in OUT:
        assert (settled[flow] >= -1e-9).all()
        np.testing.assert_allclose(
            settled[flow].reshape(HOURS, PARTS).sum(axis=1), drawn[flow].reshape(HOURS, PARTS).sum(axis=1), atol=1e-12
        )
    for hour in range(HOURS):
        if not complete[hour]:
            np.testing.assert_array_equal(after[hour], before[hour])
        elif before[hour].sum() >= 0:
            assert (after[hour] >= -1e-8).all()
        else:  # what cannot be avoided is not made worse
            assert np.minimum(after[hour], 0).sum() >= np.minimum(before[hour], 0).sum() - 1e-9


@given(st.fixed_dictionaries(dict.fromkeys(MeasuredFlow, amounts)))
@settings(max_examples=50, deadline=None)
def test_an_hour_without_excess_stays_as_it_is(drawn: dict[str, Energy]) -> None:
    drawn[MeasuredFlow.SOLAR] += drawn[MeasuredFlow.GRID_EXPORT] + drawn[MeasuredFlow.BATTERY_CHARGE]
    settled = {flow: column.copy() for flow, column in drawn.items()}
    settle(settled, np.ones(HOURS, np.bool))
    for flow in MeasuredFlow:
        np.testing.assert_array_equal(settled[flow], drawn[flow])


class TestAnswers:
    def home(self, *export: float) -> Home:
        home = Home().meter(Role.SOLAR, "solar:0").meter(Role.GRID_EXPORT, "grid:0").meter(Role.GRID_IMPORT, "grid:0")
        home.rolled("solar", NOON, *[0.1] * 12).rolled("grid_import", NOON, *[0.0] * 12)
        return home.rolled("grid_export", NOON, *export)

    def test_an_export_that_is_counted_by_the_half_kwh_makes_no_negative_home(self) -> None:
        found = self.home(*[0.0] * 5, 0.5, *[0.0] * 6).ask(NOON, ONE, Resolution.FIVE_MINUTES)
        assert (found.flows.home >= 0).all()
        assert found.totals.home == pytest.approx(1.2 - 0.5)
        assert found.totals.grid_export == pytest.approx(0.5)

    def test_what_an_hour_exports_more_than_it_has_stays_negative_as_a_whole(self) -> None:
        """A meter is missing in the settings: that must be seen, not hidden."""
        found = self.home(*[0.0] * 5, 2.0, *[0.0] * 6).ask(NOON, ONE, Resolution.HOUR)
        np.testing.assert_allclose(found.flows.home, [1.2 - 2.0])

    def test_where_a_meter_does_not_know_a_part_of_the_hour_nothing_is_moved(self) -> None:
        found = self.home(0.0, 0.5).ask(NOON, ONE, Resolution.FIVE_MINUTES)
        np.testing.assert_allclose(found.flows.grid_export[:2], [0.0, 0.5])
