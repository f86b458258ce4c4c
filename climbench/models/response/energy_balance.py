r"""Global temperature in a two-box energy balance in which what the deep ocean takes up cools more than its share.

.. math:: C \dot T = F - \lambda T - \varepsilon \gamma (T - T_d), \qquad C_d \dot T_d = \gamma (T - T_d)

With the efficacy :math:`\varepsilon > 1` temperature goes on rising after forcing stops to, as climate models do.

References
----------
Geoffroy et al. (2013), Transient climate response in a two-layer energy-balance model, part II: representation of the
efficacy of deep-ocean heat uptake, J. Climate 26, eqs. 1 and 2 and Table 1 (means of CMIP5 models),
doi:10.1175/JCLI-D-12-00196.1.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm
from scipy.signal import lfilter

UPPER, DEEP = 8.2, 109.0  # heat capacities C and C_d, W yr m-2 K-1
EXCHANGE, EFFICACY = 0.67, 1.28  # gamma in W m-2 K-1, epsilon
MEAN_FEEDBACK = 1.18  # lambda, W m-2 K-1


class TwoBoxes:
    """The energy balance from rest, stepped a year at a time, exact for a forcing that is constant within the year.

    Parameters
    ----------
    feedback : float
        lambda in W m-2 K-1.

    Attributes
    ----------
    rest : ndarray of shape (2, 2)
        What a year without forcing makes of the temperatures.
    push : ndarray of shape (2,)
        What a year of 1 W m-2 adds to them, in K.
    state : ndarray of shape (2,)
        Temperature anomalies of the upper and the deep box in K.
    """

    def __init__(self, feedback: float) -> None:
        drawn, gained = EFFICACY * EXCHANGE / UPPER, EXCHANGE / DEEP
        rates = np.array([[-feedback / UPPER - drawn, drawn], [gained, -gained]])
        self.rest = expm(rates)
        self.push = np.linalg.solve(rates, self.rest - np.eye(2)) @ np.array([1.0 / UPPER, 0.0])
        self.state = np.zeros(2)

    def step(self, forcing: float) -> float:
        """Force with W m-2 for one year and return the upper box's temperature anomaly at its end, in K."""
        self.state = self.rest @ self.state + self.push * forcing
        return float(self.state[0])


def warming(forcing: np.ndarray, feedback: float) -> np.ndarray:
    """Return the temperature that a forcing brings about, from rest.

    The same as stepping `TwoBoxes`, but in the two modes that do not mix, so that a whole series is filtered at once.

    Parameters
    ----------
    forcing : ndarray of shape (year,)
        In W m-2.
    feedback : float
        lambda in W m-2 K-1.

    Returns
    -------
    ndarray of shape (year,)
        Anomaly at the end of each year, in K.
    """
    boxes = TwoBoxes(feedback)
    keep, modes = np.linalg.eig(boxes.rest)
    pushed = np.linalg.solve(modes, boxes.push)
    parts = [modes[0, k] * lfilter([pushed[k]], [1.0, -keep[k]], forcing) for k in range(2)]
    temperature: np.ndarray = parts[0] + parts[1]
    return temperature
