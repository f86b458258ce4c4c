r"""The vertical of the moist atmosphere: eight hybrid layers, and how what the flow gives is spread over them.

Interfaces lie at :math:`p = a + b\, p_s`, from no pressure at all down to the ground, so that a column has all its air.
Every field of a layer is the flow's times a fixed number for that layer:

.. math:: u_k = w_k u, \quad T_k = \overline{T}_k + D_k (\tfrac13 - \sin^2\varphi) - b_k \Gamma z_s
          + \frac{c_k}{R_d} (\Phi - \overline\Phi) + \delta

with the geopotential :math:`\Phi` of the flow's free surface, the height of the ground and one number
:math:`\delta` for the whole globe, by which energy closes (`climbench.worlds.moist_budget`). Pressure of dry air at the
ground follows the ground and the free surface; its mean over the globe is the same at all times.
"""

from __future__ import annotations

import numpy as np

from climbench.constants import CREDIT_AIR, FREEZING_POINT, GRAVITY
from climbench.physics.areas import area_mean, exact_cell_areas
from climbench.physics.arrays import along
from climbench.physics.columns import Column
from climbench.physics.vertical_coordinates import hybrid_layers

REFERENCE = 1e5  # Pa
INTERFACES = np.array([0.0, 50.0, 150.0, 250.0, 400.0, 550.0, 700.0, 850.0, 1000.0])  # hPa over a ground at REFERENCE
PURE_PRESSURE = 0.05  # interfaces above this share of the reference do not feel the ground
BENDING = 1.5  # how fast those below come to follow it
LEVELS = np.array([25, 100, 200, 325, 475, 625, 775, 925])  # hPa: the nominal pressure that names a layer

# By layer, from the top down. Temperatures and humidity are about Earth's; winds make the flow's jets some 50 m/s.
WIND = np.array([0.35, 0.45, 0.50, 0.45, 0.36, 0.28, 0.21, 0.15])
TEMPERATURE = np.array([215.0, 207.0, 217.0, 235.0, 254.0, 266.0, 276.0, 284.0])  # K: mean over the globe
CONTRAST = np.array([0.0, -25.0, -5.0, 12.0, 18.0, 20.0, 20.0, 22.0])  # K: equator less pole, beside the flow's part
WARM_RIDGES = np.array([0.0, -0.15, 0.0, 0.25, 0.30, 0.30, 0.28, 0.25])
RELATIVE_HUMIDITY = np.array([0.005, 0.05, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90])  # of a column that holds all it can
LAPSE_RATE = 6.5e-3  # K m-1
DRY_PRESSURE = 98_300.0  # Pa: mean over the globe
MEAN_TEMPERATURE = 288.0  # K: of the air that a mountain displaces
HIGH_PRESSURE_RIDGES = 0.12  # part of the free surface's hill that air pressure at the ground feels
# Magnus' formula over water and ice, Alduchov & Eskridge (1996), doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2.
OVER_WATER, OVER_ICE = (610.94, 17.625, 243.04), (611.21, 22.587, 273.86)


def layers() -> tuple[np.ndarray, np.ndarray]:
    """Return the hybrid coefficients of the nine interfaces, from the top down: a in Pa, and b."""
    share = INTERFACES / INTERFACES[-1]
    slope = (np.clip(share - PURE_PRESSURE, 0.0, None) / (1.0 - PURE_PRESSURE)) ** BENDING
    return (share - slope) * REFERENCE, slope


def saturation(temperature: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    r"""Return the specific humidity at saturation, over water or ice, whichever is less.

    Parameters
    ----------
    temperature, pressure : ndarray
        In K and Pa.

    Returns
    -------
    ndarray
        :math:`\epsilon e / (p - (1 - \epsilon) e)` in kg kg-1.
    """
    celsius = temperature - FREEZING_POINT
    vapour = np.minimum(*(e * np.exp(a * celsius / (celsius + b)) for e, a, b in (OVER_WATER, OVER_ICE)))
    ratio = CREDIT_AIR.dry_gas / CREDIT_AIR.vapour_gas
    humidity: np.ndarray = ratio * vapour / (pressure - (1.0 - ratio) * vapour)
    return humidity


class Layers:
    """The columns of one grid.

    Parameters
    ----------
    latitude, longitude : ndarray of shape (n,)
        In degrees, ascending.
    ground : ndarray of shape (latitude, longitude)
        Its geopotential, in m2 s-2.

    Attributes
    ----------
    areas : ndarray of shape (latitude, longitude)
        Of the cells, in m2.
    column : Column
        The vertical coordinate.
    latitude, longitude, ground
        As given.
    """

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, ground: np.ndarray) -> None:
        self.latitude, self.longitude = latitude, longitude
        self.ground = np.asarray(ground, "float64")
        self.areas = exact_cell_areas(latitude, longitude)
        self.column: Column = hybrid_layers(*layers())
        middle = 0.5 * (layers()[1][1:] + layers()[1][:-1])
        usual = along(TEMPERATURE, -3) + along(CONTRAST, -3) * from_mean(latitude)
        self._usual = usual - along(middle, -3) * (LAPSE_RATE / GRAVITY) * self.ground
        self._barometric = np.exp(-self.ground / (CREDIT_AIR.dry_gas * MEAN_TEMPERATURE))

    def mean(self, values: np.ndarray) -> float:
        """Return the mean over the globe of a map."""
        return float(area_mean(values, self.areas))

    def hill(self, surface: np.ndarray) -> np.ndarray:
        """Return how much higher the free surface is than its mean over the globe, in m2 s-2."""
        return surface - self.mean(surface)

    def dry_pressure(self, surface: np.ndarray) -> np.ndarray:
        """Return the pressure of dry air at the ground.

        Parameters
        ----------
        surface : ndarray of shape (latitude, longitude)
            Geopotential of the free surface, in m2 s-2.

        Returns
        -------
        ndarray of shape (latitude, longitude)
            In Pa; its mean over the globe is `DRY_PRESSURE`.
        """
        ridges = HIGH_PRESSURE_RIDGES / (CREDIT_AIR.dry_gas * MEAN_TEMPERATURE)
        pressure = REFERENCE * self._barometric * (1.0 + ridges * self.hill(surface))
        return pressure + (DRY_PRESSURE - self.mean(pressure))

    def temperature(self, surface: np.ndarray, warming: float) -> np.ndarray:
        """Return the temperature of the layers.

        Parameters
        ----------
        surface : ndarray of shape (latitude, longitude)
            Geopotential of the free surface, in m2 s-2.
        warming : float
            Of the whole globe, in K.

        Returns
        -------
        ndarray of shape (level, latitude, longitude)
            In K.
        """
        return self._usual + along(WARM_RIDGES, -3) * (self.hill(surface) / CREDIT_AIR.dry_gas) + warming

    def capacity(self, dry_pressure: np.ndarray, temperature: np.ndarray) -> np.ndarray:
        """Return the water that each layer has in a column that holds all it can.

        Parameters
        ----------
        dry_pressure : ndarray of shape (latitude, longitude)
            At the ground, in Pa.
        temperature : ndarray of shape (level, latitude, longitude)
            In K.

        Returns
        -------
        ndarray of shape (level, latitude, longitude)
            In kg m-2: at `RELATIVE_HUMIDITY`, so that no layer of such a column is saturated.
        """
        edges = self.column.interface_pressure(dry_pressure)
        humidity = along(RELATIVE_HUMIDITY, -3) * saturation(temperature, 0.5 * (edges[1:] + edges[:-1]))
        water: np.ndarray = humidity * self.column.thickness(dry_pressure) / GRAVITY
        return water


def from_mean(latitude: np.ndarray) -> np.ndarray:
    r"""Return :math:`1/3 - \sin^2\varphi` of shape (latitude, 1): mean 0, 1 more at the equator than at a pole."""
    return (1.0 / 3.0 - np.sin(np.deg2rad(latitude)) ** 2)[:, None]
