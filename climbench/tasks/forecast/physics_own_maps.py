"""Maps of physics beside the budgets of the core: shares of the area, rain, balances, one layer's mass and energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from climbench.constants import GRAVITY
from climbench.physics.ageostrophic import ageostrophic_mean_squares
from climbench.physics.areas import exact_cell_areas
from climbench.physics.arrays import Array
from climbench.physics.drizzle import rain_means
from climbench.physics.geostrophic import geostrophic_wind
from climbench.physics.moisture import below_zero, frozen_above_total
from climbench.physics.shallow_water import layer_depth, layer_energy
from climbench.tasks.forecast.physics_column_maps import (
    SPACE,
    VERTICAL,
    excess_in_columns,
    hydrostatic,
    nearest_level,
    negative_in_columns,
    over_levels,
    share_above_saturation,
)

ROUND_OFF = 1e-10  # kg m-2 s-1, less than 1e-5 mm/day: stores are in float32


@dataclass(frozen=True)
class OwnMap:
    """A map made from quantities, or from a field of the core.

    Attributes
    ----------
    of : callable
        Takes the quantities in order, or the field; what it gives is a map, or the mean of one already. Raises
        `DataError` with what is missing beside the quantities.
    quantities : tuple of str
        Names of `climbench.physics.quantities.QUANTITIES`.
    field : str
        One of `climbench.physics.diagnosis.FIELDS`, in place of quantities.
    on_pressure : bool
        Whether it is for levels of pressure alone.
    in_column : bool
        Whether it is an integral over columns: the column and the surface pressure, or None, come before quantities.
    """

    of: Callable[..., xr.DataArray]
    quantities: tuple[str, ...] = ()
    field: str = ""
    on_pressure: bool = False
    in_column: bool = False


def _below_zero(values: xr.DataArray) -> xr.DataArray:
    return over_levels(_whole(below_zero, values))


def _frozen(part: xr.DataArray, total: xr.DataArray) -> xr.DataArray:
    return _whole(lambda f, t: frozen_above_total(f, t, tolerance=ROUND_OFF), part, total)


def _rain(part: str) -> Callable[[xr.DataArray], xr.DataArray]:
    """Return what gives one of `climbench.physics.drizzle.RainMeans`."""

    def mean(precipitation: xr.DataArray) -> xr.DataArray:
        areas = exact_cell_areas(*(precipitation[axis].values for axis in SPACE))

        def kernel(rain: Array) -> Array:
            found: Array = getattr(rain_means(rain, areas, trace=ROUND_OFF), part)
            return found

        result: xr.DataArray = xr.apply_ufunc(kernel, precipitation, input_core_dims=[list(SPACE)])
        return result

    return mean


def _geostrophic(part: int) -> Callable[..., xr.DataArray]:
    """Return what gives one of both statistics of the ageostrophic ratio, means over middle latitudes."""

    def mean_square(geopotential: xr.DataArray, eastward: xr.DataArray, northward: xr.DataArray) -> xr.DataArray:
        level = nearest_level(geopotential)
        given = [values.isel({VERTICAL: level}) for values in (geopotential, eastward, northward)]
        latitude, longitude = (geopotential[axis].values for axis in SPACE)
        areas = exact_cell_areas(latitude, longitude)

        def kernel(phi: Array, u: Array, v: Array) -> Array:
            return ageostrophic_mean_squares((u, v), geostrophic_wind(phi, latitude, longitude), areas, latitude)[part]

        result: xr.DataArray = xr.apply_ufunc(kernel, *given, input_core_dims=[list(SPACE)] * 3)
        return result

    return mean_square


def _depth(surface: xr.DataArray, ground: xr.DataArray) -> xr.DataArray:
    return _whole(layer_depth, surface, ground)


def _energy(surface: xr.DataArray, east: xr.DataArray, north: xr.DataArray, ground: xr.DataArray) -> xr.DataArray:
    return _whole(layer_energy, surface, east, north, ground)


def _whole(kernel: Callable[..., object], *values: xr.DataArray) -> xr.DataArray:
    result: xr.DataArray = xr.apply_ufunc(kernel, *values)
    return result


OWN_MAPS: dict[str, OwnMap] = {
    # Where columns reach from zero pressure to the ground this is the integral of 1 - q; on pressure levels it still
    # is the mass of dry air, which an integral between fixed pressures is not.
    "dry_air_mass": OwnMap(lambda pressure: pressure / GRAVITY, field="dry_air_pressure"),
    # What CREDIT's corrector of dry air closes on them; over layers it is the same as that above.
    "dry_air_between_levels": OwnMap(lambda mass: mass, field="dry_air", on_pressure=True),
    "negative_humidity": OwnMap(_below_zero, ("humidity",)),
    "negative_precipitation": OwnMap(_below_zero, ("precipitation",)),
    "frozen_above_total": OwnMap(_frozen, ("frozen_precipitation", "precipitation")),
    "negative_water": OwnMap(negative_in_columns, ("humidity",), in_column=True),
    "drizzle": OwnMap(_rain("drizzle"), ("precipitation",)),
    "drizzle_amount": OwnMap(_rain("drizzle_amount"), ("precipitation",)),
    "rain_amount": OwnMap(_rain("amount"), ("precipitation",)),
    "water_above_saturation": OwnMap(excess_in_columns, ("humidity", "temperature"), on_pressure=True),
    "above_saturation": OwnMap(share_above_saturation, ("humidity", "temperature"), on_pressure=True),
    "hydrostatic_square": OwnMap(hydrostatic(), ("geopotential", "temperature", "humidity"), on_pressure=True),
    "hydrostatic_kelvin_square": OwnMap(
        hydrostatic(kelvin=True), ("geopotential", "temperature", "humidity"), on_pressure=True
    ),
    "ageostrophic_square": OwnMap(_geostrophic(0), ("geopotential", "eastward", "northward"), on_pressure=True),
    "wind_square": OwnMap(_geostrophic(1), ("geopotential", "eastward", "northward"), on_pressure=True),
    "layer_mass": OwnMap(lambda surface: surface, ("geopotential",)),
    "layer_depth": OwnMap(_depth, ("geopotential", "surface_geopotential")),
    "layer_energy": OwnMap(_energy, ("geopotential", "eastward", "northward", "surface_geopotential")),
}
