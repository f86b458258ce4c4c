r"""Exact Gaussian-process regression of many outputs with one kernel: a sum of Matérn-3/2 kernels and white noise.

.. math:: k(x, x') = \sum_g v_g \left(1 + \sqrt{3} r_g\right) e^{-\sqrt{3} r_g}, \qquad
          r_g^2 = \sum_{d \in g} \frac{(x_d - x'_d)^2}{l_d^2}

The columns of each group g have a length scale each and a variance together. The mean is one constant. Outputs are
independent given the kernel, so that the marginal likelihood needs their inner products alone.

References
----------
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, eqs. 2.23 to 2.30, 4.17 and 5.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.spatial.distance import squareform

SQRT3 = np.sqrt(3.0)
BOUNDS = (-9.0, 9.0)  # of every logarithm: far beyond what standardised data can tell
LOWEST_NOISE = -11.5  # logarithm of a noise variance of 1e-5, which keeps the covariance invertible


@dataclass(frozen=True)
class Kernel:
    """A sum of Matérn-3/2 kernels.

    Attributes
    ----------
    groups : tuple of tuple of int
        The columns of each kernel.
    variances : ndarray of shape (group,)
        Of each kernel.
    lengths : ndarray of shape (column,)
        A length scale a column.
    noise : float
        Variance of the white noise.
    mean : float
        The constant mean.
    """

    groups: tuple[tuple[int, ...], ...]
    variances: np.ndarray
    lengths: np.ndarray
    noise: float = 1.0
    mean: float = 0.0

    def covariance(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the covariance of two sets of points, without noise.

        Parameters
        ----------
        one, other : ndarray of shape (n, column) and (m, column)
            The points.

        Returns
        -------
        ndarray of shape (n, m)
        """
        total = np.zeros((len(one), len(other)))
        for variance, columns in zip(self.variances, self.groups, strict=True):
            apart = (one[:, None, columns] - other[None, :, columns]) / self.lengths[list(columns)]
            distance = SQRT3 * np.sqrt((apart**2).sum(axis=-1))
            total += variance * (1.0 + distance) * np.exp(-distance)
        return total


def fit_kernel(
    points: np.ndarray,
    values: np.ndarray,
    groups: Sequence[Sequence[int]],
    *,
    iterations: int,
    most: int | None = None,
) -> tuple[Kernel, np.ndarray]:
    """Maximise the marginal likelihood of many outputs by L-BFGS, from variances and length scales of one.

    Parameters
    ----------
    points : ndarray of shape (n, column)
        Standardised predictors.
    values : ndarray of shape (n, output)
        Standardised outputs.
    groups : sequence of sequence of int
        The columns of each kernel; every column in one of them.
    iterations : int
        At most so many steps.
    most : int, optional
        The kernel's settings are found on every second (third, ...) point, so that they are no more than this; all
        points are predicted from.

    Returns
    -------
    kernel : Kernel
    weights : ndarray of shape (n, output)
        What a covariance with the points is multiplied by to predict.
    """
    stride = 1 if most is None else -(-len(points) // most)
    likelihood = Likelihood(points[::stride], values[::stride], groups)
    size = len(groups) + points.shape[1] + 1
    bounds = [BOUNDS] * (size - 1) + [(LOWEST_NOISE, BOUNDS[1])]
    found = minimize(
        likelihood, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations}
    )
    kernel = likelihood.kernel(found.x)
    covariance = kernel.covariance(points, points) + kernel.noise * np.eye(len(points))
    return kernel, cho_solve(cho_factor(covariance, lower=True), values - kernel.mean)


class Likelihood:
    """The negative log marginal likelihood, per value, and its gradient, of the logarithms of the settings.

    Parameters
    ----------
    points : ndarray of shape (n, column)
        Predictors.
    values : ndarray of shape (n, output)
        Outputs.
    groups : sequence of sequence of int
        The columns of each kernel.
    """

    def __init__(self, points: np.ndarray, values: np.ndarray, groups: Sequence[Sequence[int]]) -> None:
        self.groups = tuple(tuple(g) for g in groups)
        pairs = np.triu_indices(len(points), 1)
        self.squares = np.stack([(column[pairs[0]] - column[pairs[1]]) ** 2 for column in points.T])
        self.outputs = values.shape[1]
        self.products = values @ values.T
        self.sums = values.sum(axis=1)
        self.mean = 0.0

    def __call__(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient.

        Parameters
        ----------
        logs : ndarray of shape (group + column + 1,)
            Logarithms of variances, length scales and the noise.

        Returns
        -------
        float
        ndarray of the same shape
        """
        n = len(self.sums)
        variances, lengths, noise = np.split(np.exp(logs), [len(self.groups), -1])
        distances = [SQRT3 * np.sqrt(lengths[list(g)] ** -2.0 @ self.squares[list(g)]) for g in self.groups]
        decays = [variance * np.exp(-distance) for variance, distance in zip(variances, distances, strict=True)]
        kernels = [(1.0 + distance) * decay for distance, decay in zip(distances, decays, strict=True)]
        covariance = squareform(np.sum(kernels, axis=0))
        covariance[np.diag_indices(n)] = variances.sum() + noise[0]
        objective, pull = self._objective(covariance)
        level, pairs = float(np.trace(pull)), 2.0 * squareform(pull, checks=False)
        by_variance = [float(k @ pairs) + v * level for k, v in zip(kernels, variances, strict=True)]
        by_length = np.empty(lengths.size)
        for group, decay in zip(self.groups, decays, strict=True):
            columns = list(group)
            by_length[columns] = self.squares[columns] @ (3.0 * decay * pairs) / lengths[columns] ** 2
        return objective / n, np.array([*by_variance, *by_length, noise[0] * level]) / n

    def _objective(self, covariance: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its derivative by the covariance, with the mean that suits it best."""
        n = len(self.sums)
        factor = cho_factor(covariance, lower=True)
        inverse = cho_solve(factor, np.eye(n))
        self.mean = float(inverse.sum(axis=0) @ self.sums / (self.outputs * inverse.sum()))
        crossed = self.mean * np.add.outer(self.sums, self.sums)
        half = inverse @ (self.products - crossed + self.outputs * self.mean**2)
        determinant = 2.0 * float(np.log(np.diag(factor[0])).sum())
        objective = 0.5 * (float(np.trace(half)) / self.outputs + determinant + n * np.log(2.0 * np.pi))
        return objective, 0.5 * (inverse - half @ inverse / self.outputs)

    def kernel(self, logs: np.ndarray) -> Kernel:
        """Return the kernel of given logarithms, with the mean that suits it best."""
        self(logs)
        variances, lengths, noise = np.split(np.exp(logs), [len(self.groups), -1])
        return Kernel(self.groups, variances, lengths, float(noise[0]), self.mean)
