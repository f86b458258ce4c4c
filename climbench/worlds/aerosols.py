"""How sulfur dims the sun: where it drifts to, its direct effect, and its effect on clouds, which saturates.

The form is Stevens's: a term linear in the sulfur emitted and one logarithmic in it, over what nature emits. Here both
act place by place, on the sulfur that drifts there from each region: the first tonne over a clean sea counts more than
the same tonne over a land that is hazy already, and moving emissions from one region to another changes the forcing of
the globe though the total stays. No emulator of this suite has that form.

References
----------
Stevens (2015), doi:10.1175/JCLI-D-14-00656.1: both terms, for global emissions.
"""

from __future__ import annotations

import numpy as np

from climbench.worlds import patterns
from climbench.worlds.parameters import Parameters

NATURAL_SEA, NATURAL_LAND = 2.0e3, 5.0e3  # Gg S/yr that nature's sulfur is worth: assumed
CLOUD_LAND = 0.5  # clouds over land answer half as much as clouds over sea: assumed


def haze(sulfur: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return how much sulfur drifts over each place.

    Parameters
    ----------
    sulfur : ndarray of shape (year,)
        Emissions in Gg S/yr.
    shares : ndarray of shape (year, region)
        What part of them each region emits.

    Returns
    -------
    ndarray of shape (year, 32, 64)
        In Gg S/yr of the regions upwind.
    """
    maps: np.ndarray = np.tensordot(sulfur[:, None] * shares, patterns.haze_maps(), axes=1)
    return maps


def forcing(now: np.ndarray, before: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Return the radiative forcing by sulfate at each place.

    Parameters
    ----------
    now : ndarray of shape (year, 32, 64)
        From `haze`.
    before : ndarray of shape (32, 64)
        The same in the control climate.
    parameters : Parameters
        How strong both effects are.

    Returns
    -------
    ndarray of shape (year, 32, 64)
        In W m-2: ``direct`` times the change in haze, and ``indirect`` times the change in the logarithm of haze and
        nature's own sulfur together.
    """
    land = patterns.land_fraction()
    natural = NATURAL_SEA + (NATURAL_LAND - NATURAL_SEA) * land
    clouds = 1.0 - (1.0 - CLOUD_LAND) * land
    brighter = clouds * np.log((natural + now) / (natural + before))
    return parameters.direct * (now - before) + parameters.indirect * brighter
