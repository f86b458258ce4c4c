"""moist-atmosphere: layers of moist air over the shallow-water flow, whose mass, water and energy close.

Winds, pressure and temperature follow the flow of `climbench.worlds.shallow_water_flow`; water is carried by it, rises
from the ground and rains out; what the flow leaves open is set so that budgets close (`climbench.worlds.moist_budget`).
So an emulator can be asked what no reanalysis can ask it, since a reanalysis does not close: whether it keeps what the
truth keeps. All of it is simulated: no number here is evidence about a real atmosphere.

`climbench.worlds.moist_process.exact_series` gives a trajectory in float64.
"""

from __future__ import annotations

from typing import ClassVar

import xarray as xr

from climbench.worlds.moist_budget import CONVERGENCE, EVAPORATION, PRECIPITATION
from climbench.worlds.moist_fluxes import LATENT, SENSIBLE, SURFACE_SOLAR, SURFACE_THERMAL, TOP_SOLAR, TOP_THERMAL
from climbench.worlds.moist_layers import LEVELS, layers
from climbench.worlds.shallow_water import ShallowWater, about, blank

PROCESS = "climbench.worlds.moist_process"
IN_LAYERS = ("temperature", "specific_humidity", "u_component_of_wind", "v_component_of_wind")
FLUXES = (
    *(PRECIPITATION, EVAPORATION, CONVERGENCE),
    *(TOP_SOLAR, TOP_THERMAL, SURFACE_SOLAR, SURFACE_THERMAL, LATENT, SENSIBLE),
)
OFFSET, SLOPE, INTERFACE = "ak", "bk", "interface"
ABOVE, PLANE = ("level",), ("latitude", "longitude")


class MoistAtmosphere(ShallowWater):
    """The world of moist air.

    Parameters
    ----------
    **settings
        Of `climbench.worlds.shallow_water_settings.ShallowWaterSettings`, those of its flow.

    Raises
    ------
    DataError
        If there is no such setting or it cannot be.
    """

    name: ClassVar[str] = "moist-atmosphere"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "moist air over shallow water on the sphere"
    process: ClassVar[str] = PROCESS
    variables: ClassVar[tuple[str, ...]] = (*IN_LAYERS, "surface_pressure", *FLUXES)

    def fields(self, states: int) -> dict[str, xr.Variable]:
        """Return the arrays of the store before any state is in them, by name, and its vertical coordinate."""
        flat = super().fields(states)
        found = {}
        for name, array in flat.items():
            if name in IN_LAYERS:
                shape, chunks = array.shape, (self.settings.chunk, *array.shape[1:])
                dims = ("time", *ABOVE, *PLANE)
                found[name] = blank(dims, _layered(shape), _layered(chunks), about(name))
            else:
                found[name] = array
        a, b = coefficients()
        level = xr.Variable(ABOVE, LEVELS, {"units": "hPa", "long_name": "nominal pressure of layers"})
        return {**found, "level": level, OFFSET: a, SLOPE: b}


def _layered(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], LEVELS.size, *shape[1:])


def coefficients() -> tuple[xr.Variable, xr.Variable]:
    """Return the hybrid coefficients of interfaces, from the top down: pressure is ak + bk times that at the ground."""
    a, b = layers()
    return (
        xr.Variable(INTERFACE, a, {"units": "Pa", "long_name": "hybrid coefficient a of interfaces"}),
        xr.Variable(INTERFACE, b, {"units": "1", "long_name": "hybrid coefficient b of interfaces"}),
    )
