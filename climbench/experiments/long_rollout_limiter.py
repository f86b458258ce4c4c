"""A limiter for roll-outs: no degree of spherical harmonics may hold more power than a cap."""

from __future__ import annotations

import numpy as np

from climbench.harmonics import SphericalHarmonics
from climbench.metrics.spectral_kernels import power


class SpectralLimiter:
    r"""Scales down the degrees whose power is above a cap: :math:`a_l^m \sqrt{C_l / P_l}` where :math:`P_l > C_l`.

    Power is that of anomalies from a usual state: of whole fields such as geopotential it would be that of the mean
    state, beside which no growing wave is seen. Each field is a scalar, a component of the wind as well.

    Parameters
    ----------
    transform : SphericalHarmonics
        Of the fields' grid. What is beyond its degree, as noise from cell to cell, counts as one more degree: with only
        the others capped a roll-out blows up by it.
    usual : ndarray of shape (field, latitude, longitude)
        What anomalies are taken from.
    caps : ndarray of shape (field, degree + 2)
        The most power of each degree and of the rest, in the square of the unit (`powers_and_rest`).
    """

    def __init__(self, transform: SphericalHarmonics, usual: np.ndarray, caps: np.ndarray) -> None:
        self.transform, self.usual, self.caps = transform, usual, caps

    def __call__(self, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return fields within the caps, and where it acted.

        Parameters
        ----------
        fields : ndarray of shape (..., field, latitude, longitude)
            Finite.

        Returns
        -------
        limited : ndarray of the same shape
            float32; a field that is below all caps is returned as it was given.
        hits : ndarray of bool, of shape (..., field, degree + 2)
            Which degrees, the rest last, were scaled down.
        """
        anomalies = fields.astype("float64") - self.usual
        found, rest = powers_and_rest(anomalies, self.transform)
        hits = found > self.caps
        scale = np.sqrt(np.divide(self.caps, found, out=np.ones_like(found), where=hits))
        limited, touched = fields.astype("float32"), hits.any(axis=-1)
        if touched.any():
            less = scale[touched] - 1.0
            coefficients = self.transform.analysis(anomalies[touched]) * less[:, :-1, None]
            change = self.transform.synthesis(coefficients) + rest[touched] * less[:, -1, None, None]
            limited[touched] = (fields[touched] + change).astype("float32")
        return limited, hits


def powers_and_rest(fields: np.ndarray, transform: SphericalHarmonics) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of each degree and, last, the mean square over cells of the rest; and the rest itself.

    Parameters
    ----------
    fields : ndarray of shape (..., latitude, longitude)
        Any unit.
    transform : SphericalHarmonics
        Of their grid.

    Returns
    -------
    powers : ndarray of shape (..., degree + 2)
        In the square of the unit.
    rest : ndarray of shape (..., latitude, longitude)
        What no degree of the transform holds.
    """
    rest = fields - transform.synthesis(transform.analysis(fields))
    squares = (rest**2).mean((-2, -1))[..., None]
    return np.concatenate([power(fields, transform), squares], axis=-1), rest
