r"""Integrals over the mass of a column of air.

The integral over pressure of what stands on K levels is a weighted sum,
:math:`\frac{1}{g} \int x\, dp = \frac{1}{g} \sum_k x_k\, \Delta p_k`. The pressure that each level stands for comes
from `climbench.physics.columns`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from climbench.constants import GRAVITY
from climbench.physics.arrays import LEVEL, Array, double, in_dtype_of, namespace


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
