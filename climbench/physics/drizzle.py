"""How often it rains, and how much of it is drizzle: rain too light to be, spread over too many days.

Means over area of each map are statistics that add up: average them over times, and take `drizzle_share` last. Days are
the usual time: the shorter the mean, the less it drizzles.

References
----------
Dai (2006), Precipitation characteristics in eighteen coupled climate models, J. Climate 19, doi:10.1175/JCLI3884.1
(models rain too often and too lightly).
"""

from __future__ import annotations

from dataclasses import dataclass

from climbench.constants import SECONDS_PER_DAY
from climbench.physics.areas import area_mean
from climbench.physics.arrays import SPACE, Array, double, namespace
from climbench.physics.moisture import indicator

WET_DAY = 1.0 / SECONDS_PER_DAY  # kg m-2 s-1: 1 mm a day


@dataclass(frozen=True)
class RainMeans:
    """Area means of one map each.

    Attributes
    ----------
    drizzle, wet : array of shape (...)
        Fractions of the area with some rain below the threshold, and with the threshold or more.
    drizzle_amount, amount : array of shape (...)
        Drizzle, and all rain, in the unit of precipitation; what is not more than the trace counts as none.
    """

    drizzle: Array
    wet: Array
    drizzle_amount: Array
    amount: Array


def rain_means(
    precipitation: Array,
    areas: Array,
    *,
    threshold: float = WET_DAY,
    trace: float = 0.0,
    axis: tuple[int, ...] = SPACE,
) -> RainMeans:
    """Return how much of the area has drizzle and rain, and how much falls.

    Parameters
    ----------
    precipitation : array of shape (..., latitude, longitude)
        In kg m-2 s-1, or any unit that the thresholds are in.
    areas : array that broadcasts with it
        In m2, or relative.
    threshold : float
        What is less is drizzle; 1 mm a day by default.
    trace : float
        What is not more than this counts as no rain.
    axis : tuple of int
        Those of space, from the end.

    Returns
    -------
    RainMeans
        Float64; NaN where a value is missing.
    """
    rain = double(precipitation, precipitation)
    falls = rain > trace
    drizzle, wet = indicator(falls & (rain < threshold), rain), indicator(falls & (rain >= threshold), rain)
    parts = (drizzle, wet, drizzle * rain, indicator(falls, rain) * rain)
    return RainMeans(*(area_mean(part, areas, axis=axis) for part in parts))


def drizzle_share(drizzle_amount: Array, amount: Array) -> Array:
    """Return the share of all rain that falls as drizzle: the last step.

    Parameters
    ----------
    drizzle_amount, amount : array
        From `rain_means`, averaged alike.

    Returns
    -------
    array
        From 0 to 1; NaN where there is no rain.
    """
    xp = namespace(amount)
    return xp.where(amount > 0.0, drizzle_amount / xp.where(amount > 0.0, amount, 1.0), xp.nan)
