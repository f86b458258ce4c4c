r"""A step of the moist atmosphere: what the flow leaves open is set so that dry air, water and energy close.

Dry air: its pressure at the ground has one mean over the globe; what a column's water weighs is added to it.

Water, in every column: :math:`W' = W + (E - P + C)\, \Delta t`. Winds carry water with its mean over the globe kept,
which makes the convergence C of no mean; evaporation E adds to it; what exceeds a part of what the column can hold
rains out in hours (P), and all above what it can hold at once.

Energy, over the globe, as CREDIT defines it with that of motion:
:math:`\langle \mathcal{E}' \rangle = \langle \mathcal{E} \rangle + \langle R_T - F_S \rangle\, \Delta t`. The whole
air's temperature changes by the one number that makes it so, as a real atmosphere would warm; the thermal radiation at
the top grows with it and holds it. Heat is thus at the right place in the mean over the globe and not in each column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from climbench.constants import CREDIT_AIR, GRAVITY
from climbench.physics.arrays import along
from climbench.physics.energy import credit_energy, moist_heat_capacity
from climbench.physics.fluxes import surface_balance, top_balance
from climbench.physics.integrals import column_integral
from climbench.worlds.moist_fluxes import (
    LATENT,
    SENSIBLE,
    SURFACE_SOLAR,
    SURFACE_THERMAL,
    TOP_SOLAR,
    TOP_THERMAL,
    evaporation,
    ground_temperature,
    radiation,
    sensible_heat,
)
from climbench.worlds.moist_layers import WIND, Layers
from climbench.worlds.moist_transport import carried

PRECIPITATION, EVAPORATION = "mean_total_precipitation_rate", "mean_evaporation_rate"
CONVERGENCE = "tendency_of_total_water_path_due_to_advection"
FIRST_WETNESS = 0.75  # of all columns at the start of a spin-up
RAINS_ABOVE = 0.7  # of what a column can hold
RAIN_HOURS = 12.0  # in which what is above it falls by a factor of e


@dataclass(frozen=True, eq=False)
class Air:
    """The state of the atmosphere at one time.

    Attributes
    ----------
    flow : ndarray of shape (2, latitude, longitude)
        Eastward and northward wind of the flow, of which each layer has its part, in m s-1.
    temperature, humidity : ndarray of shape (level, latitude, longitude)
        In K and kg kg-1.
    surface_pressure, water, capacity : ndarray of shape (latitude, longitude)
        In Pa; water of a column and what it can hold, in kg m-2.
    shares : ndarray of shape (level, latitude, longitude)
        Parts of a column's water that its layers have.
    warming : float
        By how much the globe is warmer than it started, in K.
    """

    flow: np.ndarray
    temperature: np.ndarray
    humidity: np.ndarray
    surface_pressure: np.ndarray
    water: np.ndarray
    capacity: np.ndarray
    shares: np.ndarray
    warming: float

    @property
    def winds(self) -> np.ndarray:
        """Eastward and northward wind of shape (2, level, latitude, longitude), in m s-1."""
        return along(WIND, -3) * self.flow[:, None]

    @property
    def wetness(self) -> np.ndarray:
        """A column's water, of what it can hold."""
        return self.water / self.capacity


class MoistBudget:
    """Steps the air along a flow.

    Parameters
    ----------
    layers : Layers
        The columns.
    seconds : float
        From state to state.
    """

    def __init__(self, layers: Layers, seconds: float) -> None:
        self.layers, self.seconds = layers, seconds
        self.ground = ground_temperature(layers)

    def start(self, surface: np.ndarray, flow: np.ndarray) -> Air:
        """Return the air at the first state of a flow: everywhere as wet, of what it can hold.

        Parameters
        ----------
        surface : ndarray of shape (latitude, longitude)
            Geopotential of the free surface, in m2 s-2.
        flow : ndarray of shape (2, latitude, longitude)
            Winds, in m s-1.
        """
        _, _, capacity = self._dry(surface, 0.0)
        return self._air(surface, flow, FIRST_WETNESS * capacity.sum(axis=0), 0.0)

    def step(self, air: Air, surface: np.ndarray, flow: np.ndarray) -> tuple[Air, dict[str, np.ndarray]]:
        """Return the air one step later, and the means of the fluxes over the step.

        Parameters
        ----------
        air : Air
            At the state before.
        surface, flow : ndarray
            Of the flow at the state after, as for `start`.

        Returns
        -------
        Air
        dict of str to ndarray of shape (latitude, longitude)
            By the names and in the signs of ERA5, in kg m-2 s-1 and W m-2.
        """
        wind = 0.5 * (air.flow + flow)
        speed = WIND[-1] * np.hypot(*wind)
        evaporated = evaporation(self.ground, air.humidity[-1], speed, air.surface_pressure)
        water, rain, convergence = self._water(air, wind, evaporated, self._dry(surface, air.warming)[2].sum(axis=0))
        later = self._air(surface, flow, water, air.warming)
        fluxes = radiation(
            self.layers, 0.5 * (air.temperature + later.temperature), 0.5 * (air.wetness + later.wetness)
        )
        lowest = 0.5 * (air.temperature[-1] + later.temperature[-1])
        fluxes[SENSIBLE] = sensible_heat(self.ground, lowest, speed)
        fluxes[LATENT] = -CREDIT_AIR.vaporisation * evaporated
        fluxes |= {PRECIPITATION: rain, EVAPORATION: -evaporated, CONVERGENCE: convergence}
        return self._closed(later, self.layers.mean(self.energy(air)), fluxes), fluxes

    def energy(self, air: Air) -> np.ndarray:
        """Return the energy of each column by CREDIT's definition, of shape (latitude, longitude), in J m-2."""
        levels = credit_energy(air.temperature, air.humidity, self.layers.ground, *air.winds)
        energy: np.ndarray = column_integral(
            levels, self.layers.column.thickness(air.surface_pressure), gravity=CREDIT_AIR.gravity
        )
        return energy

    def _dry(self, surface: np.ndarray, warming: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return pressure of dry air, temperature, and the water that layers can hold."""
        pressure, temperature = self.layers.dry_pressure(surface), self.layers.temperature(surface, warming)
        return pressure, temperature, self.layers.capacity(pressure, temperature)

    def _air(self, surface: np.ndarray, flow: np.ndarray, water: np.ndarray, warming: float) -> Air:
        dry, temperature, capacity = self._dry(surface, warming)
        pressure, shares = dry + GRAVITY * water, capacity / capacity.sum(axis=0)
        humidity = GRAVITY * water * shares / self.layers.column.thickness(pressure)
        return Air(flow, temperature, humidity, pressure, water, capacity.sum(axis=0), shares, warming)

    def _water(
        self, air: Air, wind: np.ndarray, evaporated: np.ndarray, capacity: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a column's water after a step, and the means of rain and convergence over it."""
        of_water = (along(WIND, -3) * air.shares).sum(axis=0) * wind
        moved = carried(air.water, of_water[0], of_water[1], self.layers.latitude, self.layers.areas, self.seconds)
        before = moved + evaporated * self.seconds
        falls = 1.0 - np.exp(-self.seconds / (RAIN_HOURS * 3600.0))
        lasting = before - falls * np.clip(before - RAINS_ABOVE * capacity, 0.0, None)
        rain = (before - np.minimum(lasting, capacity)) / self.seconds
        return before - rain * self.seconds, rain, (moved - air.water) / self.seconds

    def _closed(self, air: Air, before: float, fluxes: dict[str, np.ndarray]) -> Air:
        """Return the air at the temperature that what came in and went out over a step has given it."""
        surface = surface_balance(
            fluxes[SURFACE_SOLAR], 0.0, fluxes[SURFACE_THERMAL], 0.0, -fluxes[LATENT], -fluxes[SENSIBLE]
        )
        gained = self.layers.mean(top_balance(fluxes[TOP_SOLAR], 0.0, -fluxes[TOP_THERMAL]) - surface) * self.seconds
        thickness = self.layers.column.thickness(air.surface_pressure)
        heat = column_integral(moist_heat_capacity(air.humidity), thickness, gravity=CREDIT_AIR.gravity)
        warmer = (before + gained - self.layers.mean(self.energy(air))) / self.layers.mean(heat)
        return Air(**{**vars(air), "temperature": air.temperature + warmer, "warming": air.warming + warmer})
