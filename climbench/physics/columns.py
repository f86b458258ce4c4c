r"""The vertical coordinate of a column of air: the pressure that each of its levels stands for.

Whatever the coordinate, each of these is a straight line of surface pressure, :math:`\Delta p_k = A_k + B_k p_s`: on
pressure levels B is 0 and A holds the weights of the trapezoidal rule; on sigma and hybrid layers A and B are the
differences between interfaces. So `Column` holds A and B, and nothing below it asks which coordinate they came from.
Levels stand from the top down. `climbench.physics.vertical_coordinates` makes columns, `climbench.physics.integrals`
integrates over them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from climbench.errors import DataError
from climbench.physics.arrays import LEVEL, Array, along, double, namespace
from climbench.physics.integrals import UnmadeThickness


@dataclass(frozen=True, eq=False)
class Column:
    """A vertical coordinate: the pressure that each level stands for.

    Make one by the functions of `climbench.physics.vertical_coordinates`.

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
