r"""How far a forecast is out of balance, beside the truth's own residual of the same balance.

No balance holds exactly, and on a coarse grid the truth's own residual is not 0. So a forecast's is told three ways:

.. math:: \sqrt{\overline{\langle r_f^2 \rangle}}, \quad
          \sqrt{\overline{\langle r_f^2 \rangle} / \overline{\langle r_t^2 \rangle}}, \quad
          \sqrt{\overline{\langle (r_f - \overline{r_t})^2 \rangle}}

its root mean square, that over the truth's, and that of its difference from the truth's mean over time. The area mean
of squares is a statistic of each map: take means over times and starts first, and `root` or `relative` last.
"""

from __future__ import annotations

from climbench.physics.areas import area_mean
from climbench.physics.arrays import SPACE, Array, double, namespace


def mean_square(residual: Array, areas: Array, *, axis: tuple[int, ...] = SPACE) -> Array:
    """Return the area mean of the square of a residual.

    Parameters
    ----------
    residual : array of shape (..., latitude, longitude)
        Of any balance; or its difference from the truth's mean residual.
    areas : array that broadcasts with `residual`
        Relative, or in m2; 0 where ground is above a level leaves that cell out.
    axis : tuple of int
        Those of space, from the end.

    Returns
    -------
    array of shape (...)
        In the square of the unit, float64.
    """
    values = double(residual, residual)
    return area_mean(values * values, areas, axis=axis)


def root(mean_squares: Array) -> Array:
    """Return the root mean square: the last step.

    Parameters
    ----------
    mean_squares : array
        From `mean_square`, averaged over whatever it is to be averaged over.

    Returns
    -------
    array
        In the unit of the residual.
    """
    return namespace(mean_squares).sqrt(mean_squares)


def relative(forecast: Array, truth: Array) -> Array:
    """Return a root mean square over that of the truth: the last step.

    Parameters
    ----------
    forecast, truth : array
        Mean squares, averaged alike.

    Returns
    -------
    array
        Without unit: 1 where the forecast is as far out of balance as the truth.
    """
    return root(forecast / truth)
