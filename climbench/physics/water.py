r"""Dry air and water: how much there is, and whether its changes are accounted for.

Two definitions of dry air, by the names of the codes that use them. CREDIT takes the mass :math:`\int (1 - q)\, dp / g`
in kg m-2; ACE takes the pressure :math:`p_s - \int q\, dp` in Pa. Where the column reaches from zero pressure to the
ground, one is g times the other; on pressure levels, which count neither what is above nor the true ground, it is not.

References
----------
Schreck et al. and Sha et al. (2025), CREDIT and its conservation schemes, arXiv:2411.07814 and arXiv:2501.05648;
Watt-Meyer et al. (2025), ACE2, npj Clim. Atmos. Sci. 8, doi:10.1038/s41612-025-01090-0.
"""

from __future__ import annotations

from climbench.constants import GRAVITY
from climbench.physics.arrays import LEVEL, Array
from climbench.physics.integrals import column_integral, column_mass


def water_path(humidity: Array, thickness: Array, *, axis: int = LEVEL, gravity: float = GRAVITY) -> Array:
    """Return the mass of water above a unit of area.

    Parameters
    ----------
    humidity : array of shape (..., level, latitude, longitude)
        Specific humidity, or specific total water where cloud counts, in kg kg-1.
    thickness : array that broadcasts with `humidity`
        In Pa, from `Column.thickness`.
    axis : int
        That of levels, from the end.
    gravity : float
        In m s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2, float64.
    """
    return column_integral(humidity, thickness, axis=axis, gravity=gravity)


def dry_air_mass(humidity: Array, thickness: Array, *, axis: int = LEVEL, gravity: float = GRAVITY) -> Array:
    """Return the mass of dry air above a unit of area, as CREDIT defines it.

    Parameters
    ----------
    humidity : array of shape (..., level, latitude, longitude)
        In kg kg-1.
    thickness : array that broadcasts with `humidity`
        In Pa.
    axis : int
        That of levels, from the end.
    gravity : float
        In m s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2, float64.
    """
    # As the mass of air less that of water, which is the water path: what is known of one serves the other.
    water = water_path(humidity, thickness, axis=axis, gravity=gravity)
    return column_mass(thickness, humidity, axis=axis, gravity=gravity) - water


def dry_air_pressure(surface_pressure: Array, humidity: Array, thickness: Array, *, axis: int = LEVEL) -> Array:
    """Return the surface pressure less that of the water, as ACE defines dry air.

    Parameters
    ----------
    surface_pressure : array of shape (..., latitude, longitude)
        In Pa.
    humidity : array of shape (..., level, latitude, longitude)
        Specific total water, in kg kg-1.
    thickness : array that broadcasts with `humidity`
        In Pa.
    axis : int
        That of levels, from the end.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In Pa, float64.
    """
    return surface_pressure - column_integral(humidity, thickness, axis=axis, gravity=1.0)


def water_residual(
    tendency: Array, evaporation: Array, precipitation: Array, convergence: Array | float = 0.0
) -> Array:
    r"""Return what the fluxes leave unexplained of a change of water, :math:`\partial_t W - (E - P + C)`.

    Parameters
    ----------
    tendency : array
        Of the water path, in kg m-2 s-1.
    evaporation, precipitation : array
        In kg m-2 s-1, both positive: upward and downward.
    convergence : array or float
        Of water by winds, in kg m-2 s-1. Its global mean is 0, so that a closure over the globe can do without.

    Returns
    -------
    array
        In kg m-2 s-1.
    """
    return tendency - (evaporation - precipitation + convergence)


def evaporation_of(latent_heat_flux: Array, *, vaporisation: float) -> Array:
    """Return the evaporation that carries a flux of latent heat, as ACE has it.

    Parameters
    ----------
    latent_heat_flux : array
        Upward, in W m-2.
    vaporisation : float
        Latent heat, in J kg-1.

    Returns
    -------
    array
        In kg m-2 s-1, upward.
    """
    return latent_heat_flux / vaporisation
