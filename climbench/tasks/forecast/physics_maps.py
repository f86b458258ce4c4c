"""The maps that scores of physics are made from: budgets of the core, shares of the area, and those of one layer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import xarray as xr

from climbench.constants import GRAVITY
from climbench.errors import DataError
from climbench.physics.diagnosis import FIELDS, Diagnosis, diagnose
from climbench.physics.opening import Opened, open_quantities
from climbench.physics.quantities import QUANTITIES, source_of, wanted_names
from climbench.physics.shallow_water import layer_depth, layer_energy
from climbench.variables import LEXICON

VERTICAL = "level"
ROUND_OFF = 1e-6  # of the precipitation in all: stores are in float32


@dataclass(frozen=True)
class OwnMap:
    """A map made from quantities, or from a field of the core.

    Attributes
    ----------
    of : callable
        Takes the quantities in order, or the field.
    quantities : tuple of str
        Names of `climbench.physics.quantities.QUANTITIES`.
    field : str
        One of `climbench.physics.diagnosis.FIELDS`, in place of quantities.
    """

    of: Callable[..., xr.DataArray]
    quantities: tuple[str, ...] = ()
    field: str = ""


def _below_zero(values: xr.DataArray) -> xr.DataArray:
    below = (values < 0.0).where(values.notnull())
    return below.mean(VERTICAL, skipna=False) if VERTICAL in below.dims else below


def _more_than(part: xr.DataArray, whole: xr.DataArray) -> xr.DataArray:
    return (part > (1.0 + ROUND_OFF) * whole).where(part.notnull() & whole.notnull())


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
    "negative_humidity": OwnMap(_below_zero, ("humidity",)),
    "negative_precipitation": OwnMap(_below_zero, ("precipitation",)),
    "frozen_above_total": OwnMap(_more_than, ("frozen_precipitation", "precipitation")),
    "layer_mass": OwnMap(lambda surface: surface, ("geopotential",)),
    "layer_depth": OwnMap(_depth, ("geopotential", "surface_geopotential")),
    "layer_energy": OwnMap(_energy, ("geopotential", "eastward", "northward", "surface_geopotential")),
}


def quantities_behind(maps: Collection[str]) -> set[str]:
    """Return the quantities that maps are, or may be, made from."""
    found: set[str] = set()
    for name in maps:
        own = OWN_MAPS.get(name, OwnMap(lambda x: x, field=name))
        found |= set(own.quantities)
        for way in FIELDS[own.field].ways if own.field else ():
            found |= {part for part in (*way.needs, *way.optional) if part in QUANTITIES}
    return found


def opened(data: xr.Dataset, quantities: Collection[str]) -> tuple[Opened, dict[str, str]]:
    """Return quantities of a data set, and why others that it has a variable of cannot be had.

    Parameters
    ----------
    data : Dataset
        Canonical.
    quantities : collection of str
        Which; those without a variable are left out.

    Returns
    -------
    Opened
        `climbench.physics.opening.open_quantities` of all that can be had.
    dict of str to str
        By quantity, what is wrong with its variable.
    """
    faults = {}
    for name in quantities:
        if source_of(name, list(map(str, data.data_vars))) is None:
            continue
        try:
            open_quantities(data, wanted=[name])
        except DataError as error:
            faults[name] = str(error)
    return open_quantities(data, wanted=[q for q in quantities if q not in faults]), faults


def maps_of(found: Opened, maps: Collection[str]) -> Diagnosis:
    """Return maps, and what is missing for others.

    Parameters
    ----------
    found : Opened
        Quantities.
    maps : collection of str
        Names of `OWN_MAPS` or `climbench.physics.diagnosis.FIELDS`.

    Returns
    -------
    Diagnosis
    """
    behind = {OWN_MAPS[name].field if name in OWN_MAPS else name for name in maps} - {""}
    core = diagnose(found.quantities, found.column, wanted=behind)
    fields, missing = {}, {}
    for name in maps:
        own = OWN_MAPS.get(name, OwnMap(lambda x: x, field=name))
        lacking = tuple(wanted_names(q) for q in own.quantities if q not in found.quantities)
        lacking += core.missing.get(own.field, ())
        if lacking:
            missing[name] = lacking
            continue
        given = [core.fields[own.field]] if own.field else [found.quantities[q] for q in own.quantities]
        words = {"long_name": given[0].attrs.get("long_name", name)}
        fields[name] = own.of(*given).assign_attrs(words)
    return Diagnosis(xr.Dataset(fields), missing)


def windows_of(found: Opened, name: str) -> tuple[float, ...]:
    """Return the hours over which variables behind a map are accumulated; none of rates and states."""
    sources = [found.sources[q] for q in quantities_behind([name]) if q in found.sources]
    windows = {LEXICON[source].window for source in sources}
    return tuple(sorted(hours for hours in windows if hours is not None))
