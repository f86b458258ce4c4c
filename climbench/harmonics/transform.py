r"""The transform between fields on a grid and coefficients of spherical harmonics.

A field is :math:`f = \sum_l \sum_{m=-l}^{l} a_l^m Y_l^m` with orthonormal harmonics of the unit sphere
(`climbench.harmonics.legendre`), and :math:`a_l^m = \int f\, \overline{Y_l^m}\, d\Omega`. Fields are real, so that
:math:`a_l^{-m} = (-1)^m \overline{a_l^m}` and only :math:`m \ge 0` is kept; the truncation is triangular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import numpy as np

from climbench.constants import EARTH_RADIUS
from climbench.errors import DataError
from climbench.harmonics.legendre import HIGHEST_DEGREE, LegendreFunctions, legendre_functions
from climbench.harmonics.rows import Rows, equally_spaced, rows_of

BLOCK_BYTES = 2**22

# One matrix for each order.
Operators = list[np.ndarray]


class SphericalHarmonics:
    """The transform of one grid: make it by `spherical_harmonics`, which keeps the matrices for the next call.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending, from pole to pole, as `climbench.harmonics.rows.rows_of` takes them.
    longitude : ndarray of shape (n,)
        In degrees east, ascending, equally spaced all round.
    degree : int or None
        Where to truncate; None is the highest exact degree: that of the rows, or what the columns tell apart if less.

    Attributes
    ----------
    degree : int
        The highest degree and order.

    Raises
    ------
    DataError
        If the grid has no exact transform, or not to this degree.

    Notes
    -----
    The matrices of the scalar analysis take 4 (degree + 1)^2 bytes times the number of rows: 7 MB for 121 rows, 1.5 GB
    for 721 if nothing is truncated. Those of the vector analysis take twice that.
    """

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, degree: int | None = None) -> None:
        self._rows: Rows = rows_of(latitude)
        longitude = equally_spaced(longitude)
        self._columns = longitude.size
        highest = min(self._rows.degree, (longitude.size - 1) // 2, HIGHEST_DEGREE)
        self.degree = highest if degree is None else degree
        if not 1 <= self.degree <= highest:
            raise DataError(
                f"A grid of {self._rows.sine.size} x {longitude.size} has an exact transform for degrees from 1 to "
                f"{highest}, and {self.degree} was asked for."
            )
        self._phase = np.exp(-1j * np.deg2rad(longitude[0]) * np.arange(self.degree + 1))

    def analysis(self, field: np.ndarray) -> np.ndarray:
        """Return the coefficients of fields.

        Parameters
        ----------
        field : ndarray of shape (..., latitude, longitude)
            Real; on the grid of this transform. A NaN spoils all coefficients of its map.

        Returns
        -------
        ndarray of shape (..., degree + 1, degree + 1)
            Complex, in the unit of the field; the last two axes are degree and order, and it is 0 where the order is
            above the degree. That of degree 0 is the area mean times the square root of 4 pi.

        Raises
        ------
        DataError
            If the field is not on the grid.
        """
        (result,) = self._coefficients(lambda f: _apply(self._values, f), field)
        return result

    def vorticity_divergence(
        self, eastward: np.ndarray, northward: np.ndarray, *, radius: float = EARTH_RADIUS
    ) -> tuple[np.ndarray, np.ndarray]:
        r"""Return the coefficients of vorticity and divergence of winds, with no derivative taken on the grid.

        .. math:: \zeta_l^m = \frac{1}{a} \int \left( \frac{-\partial_\lambda \overline{Y}}{\cos\varphi} v
                  + \partial_\varphi \overline{Y}\, u \right) d\Omega, \quad
                  \delta_l^m = \frac{1}{a} \int \left( \frac{-\partial_\lambda \overline{Y}}{\cos\varphi} u
                  - \partial_\varphi \overline{Y}\, v \right) d\Omega

        Parameters
        ----------
        eastward, northward : ndarray of shape (..., latitude, longitude)
            Winds, in m s-1.
        radius : float
            Of the sphere, in m.

        Returns
        -------
        vorticity, divergence : ndarray of shape (..., degree + 1, degree + 1)
            Complex, in s-1; axes as for `analysis`. Both are 0 at degree 0.

        Raises
        ------
        DataError
            If the winds are not on the grid, or of different shapes.
        """

        def project(u: np.ndarray, v: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for m, (slope, quotient) in enumerate(zip(self._slopes, self._quotients, strict=True)):
                curl = _times(slope, u[m]) + 1j * _times(quotient, v[m])
                yield curl / radius, (1j * _times(quotient, u[m]) - _times(slope, v[m])) / radius

        vorticity, divergence = self._coefficients(project, eastward, northward)
        return vorticity, divergence

    def synthesis(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the fields of given coefficients.

        Parameters
        ----------
        coefficients : ndarray of shape (..., degree + 1, degree + 1)
            As `analysis` returns them. What stands where the order is above the degree does not count, nor does the
            imaginary part at order 0.

        Returns
        -------
        ndarray of shape (..., latitude, longitude)
            In float64.

        Raises
        ------
        DataError
            If there are not as many coefficients as this transform has.
        """
        return self._fields([f.values for f in self._at_rows], self._checked(coefficients))

    def winds(
        self, vorticity: np.ndarray, divergence: np.ndarray, *, radius: float = EARTH_RADIUS
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the winds of given vorticity and divergence.

        Parameters
        ----------
        vorticity, divergence : ndarray of shape (..., degree + 1, degree + 1)
            As `vorticity_divergence` returns them, in s-1. Degree 0 does not count: it has no wind.
        radius : float
            Of the sphere, in m.

        Returns
        -------
        eastward, northward : ndarray of shape (..., latitude, longitude)
            In m s-1, float64.

        Raises
        ------
        DataError
            If there are not as many coefficients as this transform has.
        """
        degrees = np.arange(self.degree + 1.0)[:, None]
        # A Laplacian is -l (l + 1) / a^2, and one radius goes to the derivative.
        inverse = -radius / np.maximum(degrees * (degrees + 1.0), 1.0)
        stream, potential = (self._checked(c) * inverse for c in (vorticity, divergence))
        slopes, quotients = [f.slopes for f in self._at_rows], [f.quotients for f in self._at_rows]
        eastward = self._fields(quotients, 1j * potential) - self._fields(slopes, stream)
        northward = self._fields(quotients, 1j * stream) + self._fields(slopes, potential)
        return eastward, northward

    @cached_property
    def _values(self) -> Operators:
        return self._operators(lambda f: f.values, scalar=True)

    @cached_property
    def _slopes(self) -> Operators:
        return self._operators(lambda f: f.slopes, scalar=False)

    @cached_property
    def _quotients(self) -> Operators:
        return self._operators(lambda f: f.quotients, scalar=False)

    @cached_property
    def _at_rows(self) -> list[LegendreFunctions]:
        return [legendre_functions(m, self.degree, self._rows.sine) for m in range(self.degree + 1)]

    def _operators(self, part: Callable[[LegendreFunctions], np.ndarray], *, scalar: bool) -> Operators:
        """Return, for each order, the matrix of shape (degree - order + 1, row) that integrates over latitude."""
        result = []
        for m in range(self.degree + 1):
            function = part(legendre_functions(m, self.degree, self._rows.nodes))
            # Beyond a pole a wave is shifted by half a turn, and the components of a wind point the other way.
            even = (m % 2 == 0) == scalar
            to_nodes = self._rows.cosines if even else self._rows.sines
            result.append(2.0 * np.pi * (function * self._rows.weights) @ to_nodes)
        return result

    def _coefficients(
        self, project: Callable[..., Iterator[tuple[np.ndarray, ...]]], *fields: np.ndarray
    ) -> list[np.ndarray]:
        """Return what a projection makes of the waves of fields, block by block."""
        shape = (self._rows.sine.size, self._columns)
        if any(f.shape[-2:] != shape or f.shape != fields[0].shape for f in fields):
            found = " and ".join(str(f.shape) for f in fields)
            raise DataError(f"The transform is for maps of shape {shape}; the arrays have shape {found}.")
        count, lead = self.degree + 1, fields[0].shape[:-2]
        maps = [f.reshape(-1, *shape) for f in fields]
        # Orders first and maps last in memory, as they are computed; the caller sees other views of them.
        results = [np.zeros((count, count, len(maps[0])), complex) for _ in fields]
        for part in _blocks(len(maps[0]), 8 * shape[0] * shape[1]):
            for m, projected in enumerate(project(*(self._waves(f[part]) for f in maps))):
                for result, values in zip(results, projected, strict=True):
                    result[m, m:, part] = values
        return [np.moveaxis(r.reshape(count, count, *lead), (0, 1), (-1, -2)) for r in results]

    def _waves(self, maps: np.ndarray) -> np.ndarray:
        """Return the complex amplitudes of shape (order, row, map)."""
        waves = np.fft.rfft(maps.astype("float64", copy=False), axis=-1, norm="forward")[..., : self.degree + 1]
        return np.ascontiguousarray((waves * self._phase).transpose(2, 1, 0))

    def _fields(self, functions: Operators, coefficients: np.ndarray) -> np.ndarray:
        lead, count = coefficients.shape[:-2], self.degree + 1
        series = coefficients.reshape(-1, count, count)
        result = np.empty((len(series), self._rows.sine.size, self._columns))
        for part in _blocks(len(series), result[:1].nbytes):
            by_order = np.ascontiguousarray(series[part].transpose(2, 1, 0), dtype=complex)
            waves = np.stack([_times(f.T, by_order[m, m:]) for m, f in enumerate(functions)], axis=-1)
            waves = waves.transpose(1, 0, 2) * self._phase.conj()
            result[part] = np.fft.irfft(waves, n=self._columns, axis=-1, norm="forward")
        return result.reshape(*lead, *result.shape[1:])

    def _checked(self, coefficients: np.ndarray) -> np.ndarray:
        expected = (self.degree + 1, self.degree + 1)
        if coefficients.shape[-2:] != expected:
            raise DataError(f"Coefficients must end in shape {expected} (degree, order); found {coefficients.shape}.")
        return coefficients


def _apply(operators: Operators, waves: np.ndarray) -> Iterator[tuple[np.ndarray]]:
    for m, operator in enumerate(operators):
        yield (_times(operator, waves[m]),)


def _times(matrix: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Return a real matrix times complex columns, as one real product."""
    return (matrix @ waves.view(float)).view(complex)


def _blocks(maps: int, size: int) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // size)
    for start in range(0, maps, step):
        yield slice(start, start + step)


def spherical_harmonics(latitude: np.ndarray, longitude: np.ndarray, degree: int | None = None) -> SphericalHarmonics:
    """Return the transform of a grid; the last few are kept.

    Parameters
    ----------
    latitude : ndarray of shape (n,)
        In degrees north, ascending: Gaussian, or in equal steps with both poles or half a step from them.
    longitude : ndarray of shape (n,)
        In degrees east, ascending, equally spaced all round.
    degree : int or None
        Where to truncate; None is the highest exact degree.

    Returns
    -------
    SphericalHarmonics
        With methods `analysis`, `synthesis`, `vorticity_divergence` and `winds`.

    Raises
    ------
    DataError
        If the grid has no exact transform, or not to this degree.
    """
    return _kept(tuple(np.asarray(latitude, float).tolist()), tuple(np.asarray(longitude, float).tolist()), degree)


@lru_cache(maxsize=4)
def _kept(latitude: tuple[float, ...], longitude: tuple[float, ...], degree: int | None) -> SphericalHarmonics:
    return SphericalHarmonics(np.array(latitude), np.array(longitude), degree)
