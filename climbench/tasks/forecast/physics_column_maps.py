"""Maps of physics made from all levels of a column: hydrostatic balance, saturation, and water that cannot be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.physics.arrays import LEVEL, Array, double
from climbench.physics.columns import Column
from climbench.physics.energy import virtual_temperature
from climbench.physics.hydrostatic import hydrostatic_residual, residual_in_kelvin
from climbench.physics.moisture import above_saturation, negative_water, water_above_saturation
from climbench.physics.vertical_coordinates import pressure_levels

VERTICAL, SPACE = "level", ("latitude", "longitude")
PASCALS = 100.0  # of a hPa
MIDDLE, NEAR = 5e4, 1e4  # Pa: the level whose wind is held against the geostrophic, and how far off it may be


def over_levels(shares: xr.DataArray) -> xr.DataArray:
    """Return the mean over levels, where there are any."""
    return shares.mean(VERTICAL, skipna=False) if VERTICAL in shares.dims else shares


def nearest_level(values: xr.DataArray) -> int:
    """Return the level nearest to 500 hPa, by the logarithm of pressure; raise `DataError` where it is not near."""
    pressure = _pressure(values)
    found = int(np.abs(np.log(pressure / MIDDLE)).argmin())
    if abs(pressure[found] - MIDDLE) > NEAR:
        raise DataError(f"a level within 100 hPa of 500 hPa: the nearest is that of {pressure[found] / PASCALS:g} hPa")
    return found


def _pressure(values: xr.DataArray, at_least: int = 1) -> np.ndarray:
    """Return the pressure of levels in Pa; raise `DataError` where there are too few."""
    if VERTICAL not in values.dims or VERTICAL not in values.coords or values.sizes[VERTICAL] < at_least:
        raise DataError("two levels of pressure or more" if at_least > 1 else "a level of pressure")
    return np.asarray(values[VERTICAL].values, "float64") * PASCALS


def hydrostatic(*, kelvin: bool = False) -> Callable[..., xr.DataArray]:
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


def negative_in_columns(column: Column, surface: xr.DataArray | None, humidity: xr.DataArray) -> xr.DataArray:
    """Return the water below zero in columns, in kg m-2; `surface` is the surface pressure where there is one."""
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


def excess_in_columns(humidity: xr.DataArray, temperature: xr.DataArray) -> xr.DataArray:
    """Return the water above saturation in columns of two levels of pressure or more, in kg m-2."""
    pressure = _pressure(humidity, at_least=2)
    thickness, along = pressure_levels(pressure).thickness(), pressure[:, None, None]
    return _of_columns(lambda q, t: water_above_saturation(q, t, along, thickness), humidity, temperature)


def share_above_saturation(humidity: xr.DataArray, temperature: xr.DataArray) -> xr.DataArray:
    """Return the share of levels whose air holds more water than at saturation."""
    pressure = xr.DataArray(_pressure(humidity), {VERTICAL: humidity[VERTICAL]}, VERTICAL)
    over: xr.DataArray = xr.apply_ufunc(above_saturation, *xr.broadcast(humidity, temperature, pressure))
    return over_levels(over)
