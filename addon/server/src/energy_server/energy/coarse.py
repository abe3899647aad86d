"""Coarse counters: what seems to go out before it came in is moved within its hour. Pure.

In:   the measured flows of every 5 minutes of some hours, kWh, as columns that begin with an hour; which of the hours
      are known completely.
Out:  the same columns, changed in place.

A counter that shows tenths of a kWh, or reports every quarter of an hour, knows how much it grew, not in which
5 minutes. Beside finer ones it makes more go out in some of them than came in: the home would give energy. Home
Assistant's Energy page clamps such a use to 0, so that its parts do not add up. Here what exceeds, of export and
charge in proportion, is moved to those 5 minutes of the same UTC hour in which the home used something, in proportion
to that use. So no flow of any hour changes, sources equal uses in every 5 minutes, and the home's use is negative only
where that of the whole hour is.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.meters import MeasuredFlow
from energy_server.energy.series import PARTS

type Energy = NDArray[np.float64]

NOTICED_KWH = 1e-9
"""Less is the rounding of sums."""


def settle(five: Mapping[str, Energy], complete: NDArray[np.bool]) -> None:
    """Move what exceeds; `five` has the columns of MeasuredFlow."""
    flows = {flow: column.reshape(-1, PARTS) for flow, column in five.items()}
    export, charge = flows[MeasuredFlow.GRID_EXPORT], flows[MeasuredFlow.BATTERY_CHARGE]
    home = flows[MeasuredFlow.SOLAR] + flows[MeasuredFlow.BATTERY_DISCHARGE] + flows[MeasuredFlow.GRID_IMPORT]
    home -= charge
    home -= export
    hours = np.flatnonzero(complete & (home < -NOTICED_KWH).any(axis=1) & (home > 0).any(axis=1))
    if len(hours) == 0:
        return
    home, given, stored = home[hours], np.maximum(export[hours], 0.0), np.maximum(charge[hours], 0.0)
    room = np.maximum(home, 0.0)
    excess = np.minimum(np.maximum(-home, 0.0), given + stored)
    movable, space = excess.sum(axis=1, keepdims=True), room.sum(axis=1, keepdims=True)
    excess *= np.divide(np.minimum(movable, space), movable, out=np.zeros_like(movable), where=movable > 0)
    taken = np.divide(given, given + stored, out=np.zeros_like(given), where=excess > 0) * excess
    room /= space
    for flow, part in ((export, taken), (charge, excess - taken)):
        flow[hours] += room * part.sum(axis=1, keepdims=True) - part
