"""The electricity market: the price by the hour, the carbon intensity by the quarter of an hour.

In:   a seed and instants (epoch seconds, as an array).
Out:  EUR/kWh with taxes, g/kWh. Nothing fails.
"""

import numpy as np

from . import weather
from .chance import Floats, Integers, Stream, smooth, uniform

HOUR_S = 3600
QUARTER_S = 900
EXPORT_FEE = 0.135  # taxes and fees, which the supplier does not pay back


def _bump(hour: Floats, at: float, width: float) -> Floats:
    return np.exp(-((((hour - at + 12) % 24) - 12) ** 2) / (2 * width**2))


def price_per_kwh(seed: int, at_s: Integers) -> Floats:
    """Return the price of the hour: peaks in the morning and the evening, a dip where the sun shines."""
    start_s = at_s // HOUR_S * HOUR_S
    hour = (start_s / HOUR_S) % 24.0
    direct, _ = weather.clear_sky_w(start_s + HOUR_S // 2)
    sun = direct / weather.PEAK_W * (1.0 - 0.8 * weather.cover(seed, start_s + HOUR_S // 2))
    shape = 0.055 * _bump(hour, 6.5, 1.6) + 0.105 * _bump(hour, 17.5, 1.9) - 0.035 * _bump(hour, 2.0, 2.2)
    mood = 0.11 * (smooth(seed, Stream.PRICE, start_s, 47 * HOUR_S) - 0.5)
    noise = 0.02 * (uniform(seed, Stream.PRICE, start_s // HOUR_S) - 0.5)
    return np.round(0.262 + shape - 0.19 * sun + mood + noise, 4)


def carbon_g_per_kwh(seed: int, at_s: Integers) -> Floats:
    """Return the carbon intensity of the grid: less where the sun shines and the wind blows."""
    start_s = at_s // QUARTER_S * QUARTER_S
    direct, _ = weather.clear_sky_w(start_s)
    sun = direct / weather.PEAK_W * (1.0 - 0.8 * weather.cover(seed, start_s))
    wind = smooth(seed, Stream.CARBON, start_s, 31 * HOUR_S)
    evening = _bump((start_s / HOUR_S) % 24.0, 18.0, 2.5)
    return np.round(
        335.0 - 150.0 * sun - 140.0 * wind + 45.0 * evening + 6.0 * smooth(seed, Stream.PRICE, start_s, 1700)
    )
