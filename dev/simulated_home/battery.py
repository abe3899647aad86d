"""How the home battery is run, 10 s by 10 s.

In:   what the house needs from it (load without the EV charger, minus solar), for many days side by side.
Out:  power in 0.1 W, positive when it discharges, and the energy that it holds. Nothing fails.

Each day is computed by itself, so that any day can be asked for without those before it. What links two days is the
charge at the boundary: a first pass runs each day from an assumed charge, and where it ends is where the next day
begins; in the last hours of the day the second pass is held within what can still reach that.
"""

import numpy as np

from .chance import Floats, Integers

SLOT_S = 10
SLOTS = 86_400 // SLOT_S
CAPACITY_WH = 10_000.0
RESERVE_WH = 1_000.0
ASSUMED_WH = 3_500.0
LIMIT_DW = 48_000.0
EFFICIENCY = 0.955
STEER_DW = 11_000.0
STEER_SLOTS = 6 * 3600 // SLOT_S
_DWS_PER_WH = 36_000.0
_STORED_PER_DW = SLOT_S / _DWS_PER_WH  # Wh of one slot at 0.1 W


def dispatch(
    need_dw: Floats, allowed: Floats, grid_charge_to_wh: Floats, start_wh: Floats, end_wh: Floats | None
) -> tuple[Integers, Floats]:
    """Run the battery through the day.

    `need_dw` [slot, day]; `allowed` [slot, day] is 1 where it may discharge, `grid_charge_to_wh` [slot, day] is the
    charge that it is filled to from the grid (0: not). Returns power [slot, day] and stored energy at each slot's
    beginning [slot + 1, day].
    """
    power = np.zeros(need_dw.shape, dtype=np.int64)
    stored = np.empty((SLOTS + 1, need_dw.shape[1]))
    stored[0] = held = start_wh.astype(np.float64)
    for slot in range(SLOTS):
        seen = need_dw[slot - 1] if slot else np.zeros_like(held)  # it follows the meter, one slot behind
        wish = np.where(seen > 0, seen * allowed[slot], seen)
        wish = np.where(held < grid_charge_to_wh[slot], np.minimum(wish, -25_000.0), wish)
        most = np.minimum(LIMIT_DW, _deliverable(held - RESERVE_WH))
        least = np.maximum(-LIMIT_DW, _deliverable(held - CAPACITY_WH))
        step = np.clip(wish, np.minimum(least, 0.0), np.maximum(most, 0.0))
        if end_wh is not None and slot >= SLOTS - STEER_SLOTS:
            reach = STEER_DW * _STORED_PER_DW * (SLOTS - 1 - slot)
            step = np.clip(step, _deliverable(held - end_wh - reach), _deliverable(held - end_wh + reach))
        step = np.rint(np.clip(step, -LIMIT_DW, LIMIT_DW))
        power[slot] = step
        held = held - _STORED_PER_DW * np.where(step > 0, step / EFFICIENCY, step * EFFICIENCY)
        stored[slot + 1] = held
    return power, stored


def _deliverable(energy_wh: Floats) -> Floats:
    """Return the power that changes the charge by this much in one slot; negative charges."""
    return np.where(energy_wh > 0, energy_wh * EFFICIENCY, energy_wh / EFFICIENCY) / _STORED_PER_DW
