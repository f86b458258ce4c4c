r"""Dry air: its mass over the globe is brought back to a target, by humidity or by surface pressure.

CREDIT scales the dry air: on pressure levels that of the lower levels, by humidity, as nothing else can change there;
on hybrid layers by surface pressure. ACE shifts surface pressure instead. None of them touches where dry air is.

References
----------
CREDIT, credit/postblock (miles-credit 2026.2.0), and Schreck et al. (2025), arXiv:2411.07814, Sha et al. (2025),
arXiv:2501.05648; ACE, fme/core/corrector/atmosphere.py (57c54a7), and Watt-Meyer et al. (2025),
doi:10.1038/s41612-025-01090-0.
"""

from __future__ import annotations

from climbench.constants import GRAVITY
from climbench.errors import DataError
from climbench.physics.areas import area_mean
from climbench.physics.arrays import LEVEL, Array, in_dtype_of, namespace, part
from climbench.physics.columns import Column
from climbench.physics.water import dry_air_mass, dry_air_pressure


def credit_humidity(humidity: Array, thickness: Array, areas: Array, target: Array, *, levels: int) -> Array:
    r"""Return humidity that leaves room for a mass of dry air, by CREDIT's ratio on pressure levels.

    .. math:: q' = 1 - (1 - q)\, r, \quad r = \frac{M - M_\mathrm{held}}{M_\mathrm{fixed}}

    with the mass of dry air on the lower levels, which are fixed, and on those above, which are held.

    Parameters
    ----------
    humidity : array of shape (..., level, latitude, longitude)
        In kg kg-1.
    thickness : array that broadcasts with `humidity`
        In Pa, with the axis of levels.
    areas : array of shape (latitude, longitude)
        Of cells, in any unit.
    target : array of shape (...)
        M, the area mean of `dry_air_mass` to be had, in kg m-2.
    levels : int
        How many of the lower levels are fixed.

    Returns
    -------
    array of shape (..., level, latitude, longitude)
        In the dtype of `humidity`; the levels that are held are as they were. Air that is very dry can become
        negative: where that matters, fix fewer levels.

    Raises
    ------
    DataError
        If there are not so many levels.
    """
    count = humidity.shape[LEVEL]
    if not 1 <= levels <= count:
        raise DataError(f"Dry air is to be mended on the lower {levels} of {count} levels. Choose 1 to {count}.")
    ranges = (None, count - levels), (count - levels, None)
    held, fixed = (part(humidity, LEVEL, *of) for of in ranges)
    mass_held, mass_fixed = (
        area_mean(dry_air_mass(values, part(thickness, LEVEL, *of)), areas)
        for values, of in zip((held, fixed), ranges, strict=True)
    )
    ratio = (target - mass_held) / mass_fixed
    # As an addition, so that float32 does not round a small humidity off by way of 1 - q.
    changed = fixed + (1.0 - fixed) * in_dtype_of(1.0 - ratio, humidity)[..., None, None, None]
    return namespace(humidity).concat([held, changed], axis=LEVEL)


def credit_surface_pressure(
    surface_pressure: Array, humidity: Array, column: Column, areas: Array, target: Array
) -> Array:
    r"""Return surface pressure that holds a mass of dry air, by CREDIT's ratio on sigma and hybrid layers.

    .. math:: p_s' = p_s\, r, \quad r = \frac{M - M_a}{M_b}, \quad
              M_a = \Big\langle \tfrac1g \sum_k A_k (1 - q_k) \Big\rangle, \quad
              M_b = \Big\langle \tfrac{p_s}{g} \sum_k B_k (1 - q_k) \Big\rangle

    Parameters
    ----------
    surface_pressure : array of shape (..., latitude, longitude)
        In Pa.
    humidity : array of shape (..., level, latitude, longitude)
        In kg kg-1; it stays.
    column : Column
        Whose thickness depends on surface pressure.
    areas : array of shape (latitude, longitude)
        Of cells, in any unit.
    target : array of shape (...)
        M, the area mean of `dry_air_mass` to be had, in kg m-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In Pa, in the dtype of `surface_pressure`.
    """
    wet_offset, wet_slope = column.line(surface_pressure).sums(humidity)
    mass_offset = area_mean(float(column.offset.sum()) - wet_offset, areas) / GRAVITY
    mass_slope = area_mean(surface_pressure * (float(column.slope.sum()) - wet_slope), areas) / GRAVITY
    ratio = (target - mass_offset) / mass_slope
    return surface_pressure + surface_pressure * in_dtype_of(ratio - 1.0, surface_pressure)[..., None, None]


def ace_surface_pressure(
    surface_pressure: Array, humidity: Array, column: Column, areas: Array, target: Array
) -> Array:
    r"""Return surface pressure whose dry part has a mean, by ACE's offset.

    The dry pressure is shifted by the same everywhere, and surface pressure follows with humidity as it is:

    .. math:: p_d' = p_d - (\langle p_d \rangle - p), \quad
              p_s' = \frac{p_d' + \sum_k A_k q_k}{1 - \sum_k B_k q_k}
                   = p_s - \frac{\langle p_d \rangle - p}{1 - \sum_k B_k q_k}

    Parameters
    ----------
    surface_pressure, humidity, column, areas
        As for `credit_surface_pressure`.
    target : array of shape (...)
        p, the area mean of `dry_air_pressure` to be had, in Pa.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In Pa, in the dtype of `surface_pressure`.
    """
    line = column.line(surface_pressure)
    excess = (area_mean(dry_air_pressure(surface_pressure, humidity, line), areas) - target)[..., None, None]
    _, share = line.sums(humidity)
    return in_dtype_of(surface_pressure - excess / (1.0 - share), surface_pressure)
