r"""Noise on the sphere that is correlated in space and time: what makes the members of an ensemble differ.

References
----------
Bonev et al. (2025), FourCastNet 3: a geometric approach to probabilistic machine-learning weather forecasting at scale,
arXiv:2507.12144.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.harmonics.legendre import legendre_functions

FOURCASTNET3_SCALES = tuple(3.0806e-5 * 4.0**k for k in range(8))


def resolved_degree(rows: int, columns: int) -> int:
    """Return the highest degree that a grid tells apart, all orders of it."""
    return min(rows - 1, columns // 2 - 1)


def resolved_scales(rows: int, columns: int) -> tuple[float, ...]:
    r"""Return those of FourCastNet 3's eight :math:`k_T` whose scale a grid resolves.

    The spectrum of such a process falls by e, :math:`k_T l (l + 1) = 1`, within the degrees of the grid; finer ones
    would be the same white noise several times.
    """
    degree = resolved_degree(rows, columns)
    return tuple(kt for kt in FOURCASTNET3_SCALES if kt * degree * (degree + 1) >= 1.0)


class SphericalNoise(nn.Module):
    r"""Gaussian processes on the sphere, each an Ornstein-Uhlenbeck process for every coefficient of its harmonics.

    .. math::
        \eta \leftarrow \phi \eta + \sqrt{1 - \phi^2} \sigma_l \xi, \quad \phi = e^{-\lambda}, \quad
        \sigma_l^2 = \frac{4 \pi e^{-k_T l (l + 1)}}{\sum_{l' \ge 1} (2 l' + 1) e^{-k_T l' (l' + 1)}}

    Each has, at all times and places, mean 0 and variance 1, and statistics that no rotation changes. Degree 0 is left
    out: the mean over the sphere is always 0. Real and imaginary part share the variance of orders above 0.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        Degrees north; any rows.
    columns : int
        Longitudes round the globe.
    scales : sequence of float
        :math:`k_T` of each process, half the square of its correlation length over the radius of the sphere.
    rate : float
        :math:`\lambda`, a step over the time in which a process forgets itself.

    Raises
    ------
    ModelError
        If there is no process, or a scale or the rate is not positive.
    """

    functions: torch.Tensor
    spread: torch.Tensor

    def __init__(self, latitude: np.ndarray, columns: int, scales: Sequence[float], rate: float = 1.0) -> None:
        super().__init__()
        if not scales or min(scales) <= 0.0 or rate <= 0.0:
            raise ModelError(
                f"Noise needs scales and a rate that are positive; found {[f'{s:g}' for s in scales]} and {rate:g}."
            )
        self.columns, self.memory = columns, math.exp(-rate)
        degree = resolved_degree(latitude.size, columns)
        table = np.zeros((degree + 1, latitude.size, degree + 1))
        for m in range(degree + 1):
            table[m, :, m:] = legendre_functions(m, degree, np.sin(np.deg2rad(latitude))).values.T
        spread = np.stack([_spread(kt, degree) for kt in scales])
        self.register_buffer("functions", torch.tensor(table, dtype=torch.float32), persistent=False)
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32), persistent=False)

    @property
    def channels(self) -> int:
        """How many processes."""
        return len(self.spread)

    def start(self, count: int) -> torch.Tensor:
        """Return coefficients as they are at any time, of shape (count, process, degree, order, 2)."""
        # Drawn on the CPU: the same on every device, and by the generator whose state is kept in training.
        return self.spread * torch.randn(count, *self.spread.shape).to(self.spread.device)

    def onward(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Return coefficients one step later."""
        fresh = self.start(len(coefficients))
        return self.memory * coefficients + math.sqrt(1.0 - self.memory**2) * fresh

    def maps(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (count, process, latitude, longitude) of coefficients."""
        with torch.autocast(coefficients.device.type, enabled=False):
            waves = torch.einsum("bklmc,mrl->bkrmc", coefficients, self.functions)
            complete = torch.view_as_complex(waves.contiguous())
            return torch.fft.irfft(complete, n=self.columns, norm="forward")


def _spread(kt: float, degree: int) -> np.ndarray:
    """Return standard deviations of shape (degree, order, 2) of the parts of one process' coefficients."""
    degrees = np.arange(degree + 1.0)
    power = np.exp(-kt * degrees * (degrees + 1.0))
    power[0] = 0.0
    power *= 4.0 * np.pi / ((2.0 * degrees + 1.0) * power).sum()
    parts = np.tril(np.ones((degree + 1, degree + 1)))[..., None] * power[:, None, None] * (0.5, 0.5)
    parts[:, 0] = power[:, None] * (1.0, 0.0)
    return np.asarray(np.sqrt(parts))
