r"""Water: precipitation is scaled until the globe's budget closes, and convergence set until each column's does.

CREDIT and ACE scale precipitation by the same ratio, though written differently. CREDIT has E downward as ERA5 does,
:math:`-(\langle \partial_t W \rangle + \langle E \rangle) / \langle P \rangle`; with E upward that is ACE's.

References
----------
CREDIT, credit/postblock (miles-credit 2026.2.0), and Sha et al. (2025), arXiv:2501.05648; ACE,
fme/core/corrector/atmosphere.py (57c54a7), and Watt-Meyer et al. (2025), doi:10.1038/s41612-025-01090-0.
"""

from __future__ import annotations

from climbench.physics.areas import area_mean
from climbench.physics.arrays import Array, in_dtype_of, namespace
from climbench.physics.water import water_residual


def closing_precipitation(precipitation: Array, evaporation: Array, tendency: Array, areas: Array) -> Array:
    r"""Return precipitation that closes the globe's budget of water.

    .. math:: P' = P\, \frac{\langle E \rangle - \langle \partial_t W \rangle}{\langle P \rangle}

    Parameters
    ----------
    precipitation, evaporation : array of shape (..., latitude, longitude)
        In kg m-2 s-1, both positive: downward and upward.
    tendency : array of shape (..., latitude, longitude)
        Of the water path, in kg m-2 s-1.
    areas : array of shape (latitude, longitude)
        Of cells, in any unit.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In the dtype of `precipitation`. Where it precipitates nowhere no ratio closes the budget, and precipitation is
        as it was. Where the air gains more water than evaporates, it is negative, as the formula has it: no
        precipitation closes that budget.
    """
    xp = namespace(precipitation)
    whole = area_mean(precipitation, areas)
    wanted = area_mean(evaporation, areas) - area_mean(tendency, areas)
    none = whole == 0.0
    ratio = xp.where(none, xp.ones_like(whole), wanted / xp.where(none, xp.ones_like(whole), whole))
    return in_dtype_of(precipitation * ratio[..., None, None], precipitation)


def closing_convergence(tendency: Array, evaporation: Array, precipitation: Array, convergence: Array) -> Array:
    r"""Return convergence that closes the budget of water of each column (ACE), :math:`\partial_t W - (E - P)`.

    Its global mean is 0 as soon as the globe's budget is closed.

    Parameters
    ----------
    tendency, evaporation, precipitation : array of shape (..., latitude, longitude)
        In kg m-2 s-1; precipitation as `closing_precipitation` gives it.
    convergence : array of shape (..., latitude, longitude)
        What it stands in for, which gives its dtype.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2 s-1.
    """
    return in_dtype_of(water_residual(tendency, evaporation, precipitation), convergence)
