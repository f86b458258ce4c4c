"""Maps of physics beside the budgets of the core: shares of the area, balances, mass and energy of one layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.constants import GRAVITY
from climbench.errors import DataError
from climbench.physics.ageostrophic import ageostrophic_mean_squares
from climbench.physics.areas import exact_cell_areas
from climbench.physics.arrays import LEVEL, Array, double
from climbench.physics.columns import Column, pressure_levels
from climbench.physics.drizzle import rain_means
from climbench.physics.energy import virtual_temperature
from climbench.physics.geostrophic import geostrophic_wind
from climbench.physics.hydrostatic import hydrostatic_residual, residual_in_kelvin
from climbench.physics.moisture import (
    above_saturation,
    below_zero,
    frozen_above_total,
    negative_water,
    water_above_saturation,
)
from climbench.physics.shallow_water import layer_depth, layer_energy

VERTICAL, SPACE = "level", ("latitude", "longitude")
ROUND_OFF = 1e-10  # kg m-2 s-1, less than 1e-5 mm/day: stores are in float32
PASCALS = 100.0  # of a hPa
MIDDLE, NEAR = 5e4, 1e4  # Pa: the level whose wind is held against the geostrophic, and how far off it may be


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
    return _over_levels(_whole(below_zero, values))


def _over_levels(shares: xr.DataArray) -> xr.DataArray:
    return shares.mean(VERTICAL, skipna=False) if VERTICAL in shares.dims else shares


def _frozen(part: xr.DataArray, total: xr.DataArray) -> xr.DataArray:
    return _whole(lambda f, t: frozen_above_total(f, t, tolerance=ROUND_OFF), part, total)


def _pressure(values: xr.DataArray, at_least: int = 1) -> np.ndarray:
    """Return the pressure of levels in Pa; raise `DataError` where there are too few."""
    if VERTICAL not in values.dims or VERTICAL not in values.coords or values.sizes[VERTICAL] < at_least:
        raise DataError("two levels of pressure or more" if at_least > 1 else "a level of pressure")
    return np.asarray(values[VERTICAL].values, "float64") * PASCALS


def _hydrostatic(*, kelvin: bool = False) -> Callable[..., xr.DataArray]:
    """Return what gives the mean over layers of the square of the hydrostatic residual."""

    def mean_square(geopotential: xr.DataArray, temperature: xr.DataArray, humidity: xr.DataArray) -> xr.DataArray:
        pressure = _pressure(geopotential, at_least=2)

        def kernel(phi: Array, t: Array, q: Array) -> Array:
            residual = hydrostatic_residual(phi, virtual_temperature(double(t, t), double(q, q)), pressure)
            return ((residual_in_kelvin(residual, pressure) if kelvin else residual) ** 2).mean(axis=LEVEL)

        return _of_columns(kernel, geopotential, temperature, humidity)

    return mean_square


def _of_columns(kernel: Callable[..., Array], *values: xr.DataArray) -> xr.DataArray:
    core = [[VERTICAL, *SPACE]] * len(values)
    result: xr.DataArray = xr.apply_ufunc(kernel, *values, input_core_dims=core, output_core_dims=[list(SPACE)])
    return result


def _negative_water(column: Column, surface: xr.DataArray | None, humidity: xr.DataArray) -> xr.DataArray:
    if surface is None:
        return _of_columns(lambda q: negative_water(q, column.thickness()), humidity)
    core = [[VERTICAL, *SPACE], list(SPACE)]
    result: xr.DataArray = xr.apply_ufunc(
        lambda q, ps: negative_water(q, column.thickness(ps)),
        humidity,
        surface,
        input_core_dims=core,
        output_core_dims=[list(SPACE)],
    )
    return result


def _water_above_saturation(humidity: xr.DataArray, temperature: xr.DataArray) -> xr.DataArray:
    pressure = _pressure(humidity, at_least=2)
    thickness, along = pressure_levels(pressure).thickness(), pressure[:, None, None]
    return _of_columns(lambda q, t: water_above_saturation(q, t, along, thickness), humidity, temperature)


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


def _above_saturation(humidity: xr.DataArray, temperature: xr.DataArray) -> xr.DataArray:
    pressure = xr.DataArray(_pressure(humidity), {VERTICAL: humidity[VERTICAL]}, VERTICAL)
    over = _whole(above_saturation, *xr.broadcast(humidity, temperature, pressure))
    return _over_levels(over)


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


def nearest_level(values: xr.DataArray) -> int:
    """Return the level nearest to 500 hPa, by the logarithm of pressure; raise `DataError` where it is not near."""
    pressure = _pressure(values)
    found = int(np.abs(np.log(pressure / MIDDLE)).argmin())
    if abs(pressure[found] - MIDDLE) > NEAR:
        raise DataError(f"a level within 100 hPa of 500 hPa: the nearest is that of {pressure[found] / PASCALS:g} hPa")
    return found


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
    "negative_water": OwnMap(_negative_water, ("humidity",), in_column=True),
    "drizzle": OwnMap(_rain("drizzle"), ("precipitation",)),
    "drizzle_amount": OwnMap(_rain("drizzle_amount"), ("precipitation",)),
    "rain_amount": OwnMap(_rain("amount"), ("precipitation",)),
    "water_above_saturation": OwnMap(_water_above_saturation, ("humidity", "temperature"), on_pressure=True),
    "above_saturation": OwnMap(_above_saturation, ("humidity", "temperature"), on_pressure=True),
    "hydrostatic_square": OwnMap(_hydrostatic(), ("geopotential", "temperature", "humidity"), on_pressure=True),
    "hydrostatic_kelvin_square": OwnMap(
        _hydrostatic(kelvin=True), ("geopotential", "temperature", "humidity"), on_pressure=True
    ),
    "ageostrophic_square": OwnMap(_geostrophic(0), ("geopotential", "eastward", "northward"), on_pressure=True),
    "wind_square": OwnMap(_geostrophic(1), ("geopotential", "eastward", "northward"), on_pressure=True),
    "layer_mass": OwnMap(lambda surface: surface, ("geopotential",)),
    "layer_depth": OwnMap(_depth, ("geopotential", "surface_geopotential")),
    "layer_energy": OwnMap(_energy, ("geopotential", "eastward", "northward", "surface_geopotential")),
}
