r"""Vertical coordinates, and integrals over columns of air.

The integral over pressure of what stands on K levels is a weighted sum, and whatever the coordinate, each weight is a
straight line of surface pressure:

.. math:: \frac{1}{g} \int x\, dp = \frac{1}{g} \sum_k x_k\, \Delta p_k, \quad \Delta p_k = A_k + B_k p_s

On pressure levels B is 0 and A holds the weights of the trapezoidal rule; on sigma and hybrid layers A and B are the
differences between interfaces. So `Column` holds A and B, and nothing below it asks which coordinate they came from.
Levels stand from the top down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from climbench.constants import GRAVITY
from climbench.errors import DataError
from climbench.physics.arrays import LEVEL, Array, along, double, in_dtype_of, namespace

LOWEST_SURFACE, HIGHEST_SURFACE = 5e4, 1.05e5  # Pa: interfaces must not cross for surface pressures between
LARGEST_SCALED = 1.5  # an offset up to here is a share of a reference pressure
LARGEST_HECTOPASCAL = 1500.0  # and up to here in hPa: in Pa it reaches some 20,000 on every hybrid grid in use


@dataclass(frozen=True, eq=False)
class Column:
    """A vertical coordinate: the pressure that each level stands for.

    Make one by `pressure_levels`, `pressure_layers`, `sigma_layers`, `hybrid_layers` or `hybrid_levels`.

    Attributes
    ----------
    offset : ndarray of shape (level,)
        A, in Pa.
    slope : ndarray of shape (level,)
        B, of surface pressure.
    interface_offset, interface_slope : ndarray of shape (level + 1,) or None
        Those of the interfaces between layers; None where values stand on levels and not for layers.
    """

    offset: np.ndarray
    slope: np.ndarray
    interface_offset: np.ndarray | None = None
    interface_slope: np.ndarray | None = None

    @property
    def levels(self) -> int:
        """How many."""
        return int(self.offset.size)

    @property
    def needs_surface_pressure(self) -> bool:
        """Whether thickness depends on surface pressure."""
        return bool(self.slope.any())

    def thickness(self, surface_pressure: Array | None = None, *, axis: int = LEVEL) -> Array:
        """Return the pressure that each level stands for.

        Parameters
        ----------
        surface_pressure : array of shape (..., latitude, longitude) or None
            In Pa; None will do on pressure levels.
        axis : int
            Where the levels are to stand, from the end.

        Returns
        -------
        array of shape (..., level, latitude, longitude)
            In Pa, float64; of shape (level, 1, 1), by NumPy, where it does not depend on surface pressure.

        Raises
        ------
        DataError
            If it does, and there is none.
        """
        return _line(self.offset, self.slope, surface_pressure, axis)

    def above(self) -> Column:
        r"""Return the column whose thickness is the pressure between the top of the air and the middle of each layer.

        What layers add to all that lies above them is integrated by it: with depths :math:`d_l` and heights of the
        middles of layers :math:`z_k = \sum_{l \ge k} d_l - \frac12 d_k`,

        .. math:: \sum_k z_k\, \Delta p_k = \sum_l d_l \big(\tfrac12 (p_l + p_{l+1}) - p_0\big)

        Raises
        ------
        DataError
            If values stand on levels, which have no interfaces.
        """
        offset, slope = (0.5 * (line[:-1] + line[1:]) - line[0] for line in self._interfaces())
        return Column(offset, slope)

    def _interfaces(self) -> tuple[np.ndarray, np.ndarray]:
        if self.interface_offset is None or self.interface_slope is None:
            raise DataError(
                "Heights of layers need interfaces between them, and these are levels. Give the coefficients of the "
                "interfaces (hybrid_layers, sigma_layers or pressure_layers)."
            )
        return self.interface_offset, self.interface_slope

    def line(self, surface_pressure: Array) -> UnmadeThickness:
        """Return thickness that is not made, of a column where it depends on surface pressure.

        Parameters
        ----------
        surface_pressure : array of shape (..., latitude, longitude)
            In Pa.

        Returns
        -------
        UnmadeThickness
        """
        return UnmadeThickness(self.offset, self.slope, surface_pressure)

    def interface_pressure(self, surface_pressure: Array | None = None, *, axis: int = LEVEL) -> Array:
        """Return the pressure at the interfaces between layers.

        Parameters
        ----------
        surface_pressure : array of shape (..., latitude, longitude) or None
            In Pa; None will do on pressure layers.
        axis : int
            Where the interfaces are to stand, from the end.

        Returns
        -------
        array of shape (..., level + 1, latitude, longitude)
            In Pa, float64, from the top down.

        Raises
        ------
        DataError
            If values stand on levels, which have no interfaces, or surface pressure is needed and is not there.
        """
        return _line(*self._interfaces(), surface_pressure, axis)


@dataclass(frozen=True, eq=False)
class UnmadeThickness:
    """The thickness of a column that depends on surface pressure, left as the straight line that it is.

    It serves `column_integral` in place of an array: the sums over levels of A x and B x are all that is needed, which
    saves an array of all levels, and its gradients where there are any.

    Attributes
    ----------
    offset, slope : ndarray of shape (level,)
        A, in Pa, and B.
    surface_pressure : array of shape (..., latitude, longitude)
        In Pa.
    known : dict
        Sums that were made, by the identity of the array they are of, which they keep alive. Columns of one coordinate
        may share it, whatever their surface pressure.
    """

    offset: np.ndarray
    slope: np.ndarray
    surface_pressure: Array
    known: dict[int, tuple[Array, Array, Array]] = field(default_factory=dict)

    def sums(self, values: Array) -> tuple[Array, Array]:
        """Return the sums over levels of values times A, and of values times B.

        Parameters
        ----------
        values : array of shape (..., level, latitude, longitude)
            In any unit.

        Returns
        -------
        tuple of array of shape (..., latitude, longitude)
            In the unit times Pa, and the unit; float64, though summed as `values` are: where those are float32, in
            training, sums over the few levels of a column may be, and those over cells are not.
        """
        if id(values) not in self.known:
            xp = namespace(values)
            lines = in_dtype_of(double(np.stack([self.offset, self.slope]), values), values)
            sums = double(xp.matmul(lines, xp.reshape(values, (*values.shape[:-2], -1))), values)
            made = xp.reshape(sums, (*values.shape[:LEVEL], 2, *values.shape[-2:]))
            self.known[id(values)] = values, made[..., 0, :, :], made[..., 1, :, :]
        _, by_offset, by_slope = self.known[id(values)]
        return by_offset, by_slope

    def integral(self, values: Array) -> Array:
        """Return the sum over levels of values times thickness.

        Parameters
        ----------
        values : array of shape (..., level, latitude, longitude)
            In any unit.

        Returns
        -------
        array of shape (..., latitude, longitude)
            In the unit times Pa, float64.
        """
        by_offset, by_slope = self.sums(values)
        return by_offset + by_slope * self.surface_pressure

    def total(self) -> Array:
        """Return the thickness of all levels together: an array of shape (..., latitude, longitude), in Pa, float64."""
        surface = double(self.surface_pressure, self.surface_pressure)
        return float(self.offset.sum()) + float(self.slope.sum()) * surface


def _line(offset: np.ndarray, slope: np.ndarray, surface_pressure: Array | None, axis: int) -> Array:
    if not slope.any():
        return along(offset, axis)
    if surface_pressure is None:
        raise DataError(
            "Surface pressure is missing: sigma and hybrid layers have no pressure without it. Give it in Pa "
            "(surface_pressure, ps, sp or PRESsfc)."
        )
    xp = namespace(surface_pressure)
    surface = xp.expand_dims(double(surface_pressure, surface_pressure), axis=axis)
    return double(along(offset, axis), surface) + double(along(slope, axis), surface) * surface


def column_integral(
    values: Array, thickness: Array | UnmadeThickness, *, axis: int = LEVEL, gravity: float = GRAVITY
) -> Array:
    r"""Return the integral over the mass of a column, :math:`\frac{1}{g} \sum_k x_k \Delta p_k`.

    Parameters
    ----------
    values : array of shape (..., level, latitude, longitude)
        x, in any unit per kg.
    thickness : array that broadcasts with `values`, or UnmadeThickness
        In Pa, as `Column.thickness` gives it.
    axis : int
        That of levels, from the end; -3 where the thickness is not made.
    gravity : float
        In m s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In the unit per kg times kg m-2, float64.
    """
    if isinstance(thickness, UnmadeThickness):
        return thickness.integral(values) / gravity
    xp = namespace(values, thickness)
    return xp.sum(values * double(thickness, values), axis=axis) / gravity


def column_mass(
    thickness: Array | UnmadeThickness, like: Array, *, axis: int = LEVEL, gravity: float = GRAVITY
) -> Array:
    r"""Return the mass of a column, :math:`\frac{1}{g} \sum_k \Delta p_k`.

    Parameters
    ----------
    thickness, axis, gravity
        As for `column_integral`.
    like : array
        Of the library and on the device that the mass is to be of.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In kg m-2, float64.
    """
    if isinstance(thickness, UnmadeThickness):
        return thickness.total() / gravity
    thickness = double(thickness, like)
    return namespace(thickness).sum(thickness, axis=axis) / gravity


def pressure_levels(pressure: np.ndarray) -> Column:
    """Return the column of values on pressure levels, integrated by the trapezoidal rule from the first to the last.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down; at least two. Air above the first and below the last is not counted, and what stands
        below the ground is.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    pressure = level_pressures(pressure)
    return Column(_trapezoid(pressure), np.zeros(pressure.size))


def level_pressures(pressure: np.ndarray) -> np.ndarray:
    """Return pressures of levels if they can be that.

    Parameters
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down; at least two.

    Returns
    -------
    ndarray of shape (level,)
        The same in float64.

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    pressure = _profile(pressure, "pressure levels", at_least=2)
    _refuse_hectopascal(pressure, "pressure levels")
    return _downward(pressure, "Pressure levels")


def pressure_layers(edges: np.ndarray) -> Column:
    """Return the column of values that stand for layers between fixed pressures (CREDIT's midpoint rule).

    Parameters
    ----------
    edges : ndarray of shape (level + 1,)
        In Pa, from the top down.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two, they stand from the bottom up, or are not in Pa.
    """
    edges = _downward(_profile(edges, "edges of pressure layers", at_least=2), "Edges of pressure layers")
    _refuse_hectopascal(edges, "edges of pressure layers")
    none = np.zeros(edges.size)
    return Column(np.diff(edges), np.diff(none), edges, none)


def sigma_layers(sigma: np.ndarray) -> Column:
    """Return the column of layers between interfaces at shares of surface pressure.

    Parameters
    ----------
    sigma : ndarray of shape (level + 1,)
        From the top down, mostly from 0 to 1.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If there are fewer than two interfaces, or they stand from the bottom up.
    """
    sigma = _profile(sigma, "sigma interfaces", at_least=2)
    return hybrid_layers(np.zeros(sigma.size), sigma)


def hybrid_layers(a: np.ndarray, b: np.ndarray, *, stated: bool = False) -> Column:
    """Return the column of layers between hybrid interfaces, at pressures a + b times surface pressure.

    Parameters
    ----------
    a : ndarray of shape (level + 1,)
        In Pa, from the top down.
    b : ndarray of shape (level + 1,)
        Without unit; 1 at the ground.
    stated : bool
        Whether whoever made a said that it is in Pa, and no guess by its size is called for: 20 hPa may be all that is
        pure pressure of a shallow grid.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If the two are not as many, stand from the bottom up, or a seems to be in hPa or a share of a reference
        pressure.
    """
    a, b = _hybrid(a, b, stated=stated)
    return Column(np.diff(a), np.diff(b), a, b)


def hybrid_levels(a: np.ndarray, b: np.ndarray) -> Column:
    """Return the column of values on hybrid levels, integrated by the trapezoidal rule from the first to the last.

    Parameters
    ----------
    a : ndarray of shape (level,)
        In Pa, from the top down.
    b : ndarray of shape (level,)
        Without unit.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        As for `hybrid_layers`.
    """
    a, b = _hybrid(a, b)
    return Column(_trapezoid(a), _trapezoid(b))


def _trapezoid(points: np.ndarray) -> np.ndarray:
    half = 0.5 * np.diff(points)
    return np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])


def _hybrid(a: np.ndarray, b: np.ndarray, *, stated: bool = False) -> tuple[np.ndarray, np.ndarray]:
    a, b = _profile(a, "hybrid coefficients a", at_least=2), _profile(b, "hybrid coefficients b", at_least=2)
    if a.size != b.size:
        raise DataError(f"Hybrid coefficients come in pairs; there are {a.size} of a and {b.size} of b.")
    largest = 0.0 if stated else float(np.abs(a).max())
    if 0.0 < largest <= LARGEST_SCALED:
        raise DataError(
            f"The hybrid coefficients a reach {largest:g}: shares of a reference pressure, it seems. Multiply them by "
            "it (mostly 1e5 Pa)."
        )
    if 0.0 < largest <= LARGEST_HECTOPASCAL and b[0] < b[-1]:
        raise DataError(
            f"The hybrid coefficients a reach {largest:g}, and would reach some 20000 in Pa: they seem to be in hPa. "
            "Multiply them by 100, or state their unit."
        )
    for surface in (LOWEST_SURFACE, HIGHEST_SURFACE):
        _downward(a + b * surface, f"Hybrid levels over a surface pressure of {surface:g} Pa")
    return a, b


def _profile(values: np.ndarray, what: str, *, at_least: int) -> np.ndarray:
    values = np.asarray(values, "float64")
    if values.ndim != 1 or values.size < at_least or not np.isfinite(values).all():
        raise DataError(f"{what} must be {at_least} finite numbers or more in one dimension; found {values.tolist()}.")
    return values


def _downward(pressure: np.ndarray, what: str) -> np.ndarray:
    if (np.diff(pressure) <= 0.0).any() or pressure[0] < 0.0:
        order = "from the bottom up" if (np.diff(pressure) < 0.0).all() else "out of order"
        raise DataError(
            f"{what} must ascend in pressure, from the top down; these are {order}: {np.round(pressure, 6).tolist()} "
            "Pa. Turn them, and the values with them."
        )
    return pressure


def _refuse_hectopascal(pressure: np.ndarray, what: str) -> None:
    if pressure.max() <= LARGEST_HECTOPASCAL:
        raise DataError(f"The {what} reach {pressure.max():g}: they seem to be in hPa. Multiply them by 100 for Pa.")
