"""The weather over the house, and what the sun gives to its roof.

In:   a seed and instants (epoch seconds, as an array).
Out:  cloud 0 to 1, outdoor temperature in degC, solar power in W. Nothing fails.
"""

import numpy as np

from .chance import Floats, Integers, Stream, smooth

LATITUDE_DEG = 52.09
LONGITUDE_DEG = 5.12
TILT_DEG = 35.0
PEAK_W = 6200.0
INVERTER_W = 5000.0
STARTS_AT_W = 12.0
DAY_S = 86_400


def day_of_year(at_s: Integers) -> Floats:
    """Return the days since the (mean) turn of the year."""
    return (at_s / DAY_S) % 365.25


def cover(seed: int, at_s: Integers) -> Floats:
    """Return how clouded the sky is over hours, 0 to 1; winter has more of it."""
    winter = np.cos(2 * np.pi * (day_of_year(at_s) - 5) / 365.25)
    weather = 0.6 * smooth(seed, Stream.COVER, at_s, 41 * 3600) + 0.4 * smooth(seed, Stream.WIND, at_s, 7 * 3600)
    return np.clip(1.5 * (weather - 0.2) + 0.2 * winter, 0.0, 1.0)


def clouds(seed: int, at_s: Integers) -> Floats:
    """Return how much the clouds before the sun take, 0 to 1: none, all, or one after the other."""
    sky = cover(seed, at_s)
    passing = 0.65 * smooth(seed, Stream.CLOUD_SLOW, at_s, 610) + 0.35 * smooth(seed, Stream.CLOUD_FAST, at_s, 70)
    broken = 1.0 - np.abs(2.0 * sky - 1.0)
    return np.clip(sky + 2.6 * broken * (passing - 0.5), 0.0, 1.0)


def temperature_c(seed: int, at_s: Integers) -> Floats:
    """Return the outdoor temperature."""
    season = 10.8 - 8.0 * np.cos(2 * np.pi * (day_of_year(at_s) - 24) / 365.25)
    solar_hour = (at_s / 3600 + LONGITUDE_DEG / 15) % 24
    swing = 4.2 * (1.0 - 0.6 * cover(seed, at_s)) * np.cos(2 * np.pi * (solar_hour - 15) / 24)
    temperature: Floats = season + swing + 9.0 * (smooth(seed, Stream.WARMTH, at_s, 61 * 3600) - 0.5)
    return temperature


def clear_sky_w(at_s: Integers) -> tuple[Floats, Floats]:
    """Return direct and diffuse power of the panels under a clear sky.

    Declination after Cooper (1969); direct light after Meinel (1976), 0.7 to the power of the air mass to the 0.678.
    """
    declination = np.radians(23.45) * np.sin(2 * np.pi * (day_of_year(at_s) - 81) / 365.25)
    hour_angle = 2 * np.pi * ((at_s / DAY_S + LONGITUDE_DEG / 360) % 1.0 - 0.5)
    latitude = np.radians(LATITUDE_DEG)
    plane = np.radians(LATITUDE_DEG - TILT_DEG)
    sine, cosine = np.sin(declination), np.cos(declination) * np.cos(hour_angle)
    height = np.sin(latitude) * sine + np.cos(latitude) * cosine
    incidence = np.clip(np.sin(plane) * sine + np.cos(plane) * cosine, 0.0, 1.0)
    up = np.clip(height, 0.0, 1.0)
    light = np.where(up > 0, 0.98 * 0.7 ** (1.0 / np.maximum(up, 0.02)) ** 0.678, 0.0)
    return PEAK_W * light * incidence, PEAK_W * 0.13 * np.sqrt(up)


def solar_w(seed: int, at_s: Integers) -> Floats:
    """Return what the inverter delivers."""
    direct, diffuse = clear_sky_w(at_s)
    cloud = clouds(seed, at_s)
    power = direct * (1.0 - 0.94 * cloud) + diffuse * (1.0 - 0.35 * cloud)
    return np.where(power < STARTS_AT_W, 0.0, np.minimum(power, INVERTER_W))
