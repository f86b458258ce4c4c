"""The xarray face of the budgets: gives the same arithmetic names, and says what cannot be had and why.

`diagnose` takes a data set of quantities, by the names and in the units of `climbench.physics.quantities`, and gives
one map a time of everything they allow; `closures` takes what changes from one time to the next and holds it against
the fluxes. A flux at a time is its mean over the step that ends then.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Hashable
from dataclasses import dataclass, field

import xarray as xr

from climbench.constants import ACE_AIR, CREDIT_AIR, GRAVITY
from climbench.errors import DataError
from climbench.physics.arrays import Array, double
from climbench.physics.blocks import COLUMN, DEPTH, INTERFACES, LEVEL, SPACE, Way, applied
from climbench.physics.columns import Column
from climbench.physics.energy import ace_column_energy, credit_energy, energy_residual, layer_depths
from climbench.physics.fluxes import surface_balance, top_balance
from climbench.physics.integrals import column_integral
from climbench.physics.ocean import ocean_heat_content
from climbench.physics.quantities import QUANTITIES, wanted_names
from climbench.physics.water import dry_air_mass, dry_air_pressure, water_path, water_residual

NO_COLUMN = "a vertical coordinate: levels of pressure, or hybrid coefficients (ak and bk) of layers"
NO_INTERFACES = "layers with interfaces: hybrid coefficients (ak and bk), one more than there are layers"


@dataclass(frozen=True)
class Diagnosis:
    """Maps of budgets and balances, and what was missing for the others.

    Attributes
    ----------
    fields : Dataset of shape ([time,] latitude, longitude)
        Each with ``units`` and ``long_name``; lazy where the data was.
    missing : dict of str to tuple of str
        By name, what each of the others lacks, in words.
    """

    fields: xr.Dataset
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Field:
    """A map that quantities allow, in one way or another; the first that is possible is taken."""

    words: str
    units: str
    ways: tuple[Way, ...]


def _as_it_is(column: Column, values: Array) -> Array:
    return double(values, values)


def _credit(column: Column, t: Array, q: Array, phi: Array, u: Array, v: Array, ps: Array) -> Array:
    return column_integral(credit_energy(t, q, phi, u, v), column.thickness(ps), gravity=CREDIT_AIR.gravity)


def _credit_without_motion(column: Column, t: Array, q: Array, phi: Array, ps: Array) -> Array:
    return _credit(column, t, q, phi, None, None, ps)


def _ace(column: Column, t: Array, q: Array, phi: Array, ps: Array) -> Array:
    depths = layer_depths(t, q, column.interface_pressure(ps))
    return ace_column_energy(t, q, depths, phi / GRAVITY, column.thickness(ps), column.above().thickness(ps))


_PRESSURE = ("surface_pressure",)
_HUMID = (COLUMN, "humidity")
_ENERGY = ("temperature", "humidity", "surface_geopotential")
_TOP = ("top_solar_down", "top_solar_up", "top_thermal_up")
_GROUND = ("surface_solar_down", "surface_solar_up", "surface_thermal_down", "surface_thermal_up")
_TURBULENT = ("latent_up", "sensible_up")
_SEA = ("ocean_temperature", "ocean_thickness")

FIELDS: dict[str, Field] = {
    "dry_air": Field(
        "mass of dry air",
        "kg m-2",
        (Way(_HUMID, lambda column, q, ps: dry_air_mass(q, column.thickness(ps)), _PRESSURE),),
    ),
    "dry_air_pressure": Field(
        "surface pressure of dry air",
        "Pa",
        (Way((*_HUMID, *_PRESSURE), lambda column, q, ps: dry_air_pressure(ps, q, column.thickness(ps))),),
    ),
    "water": Field(
        "water path",
        "kg m-2",
        (
            Way(("water_path",), _as_it_is),
            Way(_HUMID, lambda column, q, ps: water_path(q, column.thickness(ps)), _PRESSURE),
        ),
    ),
    "energy_credit": Field(
        "total energy as CREDIT defines it",
        "J m-2",
        (Way((COLUMN, *_ENERGY, "eastward", "northward"), _credit, _PRESSURE),),
    ),
    "energy_credit_without_motion": Field(
        "total energy as CREDIT defines it, less that of motion",
        "J m-2",
        (Way((COLUMN, *_ENERGY), _credit_without_motion, _PRESSURE),),
    ),
    "energy_ace": Field(
        "total energy as ACE defines it, which has none of motion",
        "J m-2",
        (Way((INTERFACES, *_ENERGY), _ace, _PRESSURE),),
    ),
    "precipitation": Field("precipitation", "kg m-2 s-1", (Way(("precipitation",), _as_it_is),)),
    "evaporation": Field("evaporation", "kg m-2 s-1", (Way(("evaporation",), _as_it_is),)),
    "moisture_convergence": Field(
        "convergence of moisture", "kg m-2 s-1", (Way(("moisture_convergence",), _as_it_is),)
    ),
    "toa_net": Field(
        "net downward flux at the top of the atmosphere",
        "W m-2",
        (
            Way(_TOP, lambda _, down, up, thermal: top_balance(down, up, thermal)),
            Way(("top_solar_net", "top_thermal_up"), lambda _, net, thermal: top_balance(net, 0.0, thermal)),
        ),
    ),
    "surface_net": Field(
        "net downward flux at the surface",
        "W m-2",
        (
            Way(
                (*_GROUND, *_TURBULENT),
                lambda _, *parts: surface_balance(*parts, fusion=ACE_AIR.fusion),
                ("frozen_precipitation",),
            ),
            # CREDIT's, of ERA5's net radiation: it leaves out the heat that melts snow.
            Way(
                ("surface_solar_net", "surface_thermal_net", *_TURBULENT),
                lambda _, solar, thermal, latent, sensible: surface_balance(solar, 0.0, thermal, 0.0, latent, sensible),
            ),
        ),
    ),
    "ocean_heat": Field(
        "heat content of the sea", "J m-2", (Way(_SEA, lambda _, t, depth: ocean_heat_content(t, depth)),)
    ),
}

ENERGIES = ("energy_credit", "energy_credit_without_motion", "energy_ace")
WATER_RESIDUAL, WATER_COLUMN_RESIDUAL = "water_residual", "water_column_residual"
WATER_RESIDUALS = (WATER_RESIDUAL, WATER_COLUMN_RESIDUAL)
# What each closure is made of, among the fields.
CLOSURES: dict[str, tuple[str, ...]] = {
    WATER_RESIDUAL: ("water", "evaporation", "precipitation"),
    WATER_COLUMN_RESIDUAL: ("water", "evaporation", "precipitation", "moisture_convergence"),
    **{f"{name}_residual": (name, "toa_net", "surface_net") for name in ENERGIES},
}


def diagnose(data: xr.Dataset, column: Column | None = None, *, wanted: Collection[str] | None = None) -> Diagnosis:
    """Return the maps of all budgets and balances that quantities allow.

    Parameters
    ----------
    data : Dataset of shape (..., [level,] latitude, longitude)
        Quantities by their names and in their units (`climbench.physics.quantities.QUANTITIES`); levels from the top
        down, those of the sea, whose order is all one, along ``depth``. Dask arrays stay lazy; levels, rows and columns
        are put in one chunk. Integrals over columns are made in one pass: computing one of them costs as much as all
        that are wanted.
    column : Column, optional
        The vertical coordinate of what has levels.
    wanted : collection of str, optional
        Names among `FIELDS`; all without.

    Returns
    -------
    Diagnosis

    Raises
    ------
    DataError
        If the levels are not as many as the column has.
    """
    ways: dict[str, Way] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for name in FIELDS:
        if wanted is not None and name not in wanted:
            continue
        way, lacking = way_to(name, data, column)
        if way is None:
            missing[name] = lacking
        else:
            ways[name] = way
    made: dict[str, xr.DataArray] = {}
    for together in _together(ways, data):
        made |= applied({name: ways[name] for name in together}, data, column)
    found = {n: made[n].assign_attrs(units=FIELDS[n].units, long_name=FIELDS[n].words) for n in ways}
    return Diagnosis(xr.Dataset(found), missing)


def _together(ways: dict[str, Way], data: xr.Dataset) -> list[list[str]]:
    """Return names in groups that are best made at once: integrals over columns share what they read and its depths."""
    groups: dict[object, list[str]] = {}
    for name, way in ways.items():
        times = frozenset(str(d) for n in way.quantities(data) for d in data[n].dims) - {LEVEL, DEPTH, *SPACE}
        groups.setdefault(times if {COLUMN, INTERFACES} & set(way.needs) else name, []).append(name)
    return list(groups.values())


def way_to(name: str, there: Container[Hashable], column: Column | None) -> tuple[Way | None, tuple[str, ...]]:
    """Return the way to a field that is possible.

    Parameters
    ----------
    name : str
        One of `FIELDS`.
    there : Dataset or container of str
        The quantities there are.
    column : Column or None
        The vertical coordinate, where there is one.

    Returns
    -------
    way : Way or None
        The first that is possible.
    lacking : tuple of str
        In words, what the nearest way lacks where none is.
    """
    ways = FIELDS[name].ways
    lacking = [_lacking(way, there, column) for way in ways]
    if all(lacking):
        return None, _nearest(ways, lacking)
    return ways[lacking.index(())], ()


def _nearest(ways: tuple[Way, ...], lacking: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what lacks for the way that lacks least; of equals, that of which most is there."""
    return min(zip(ways, lacking, strict=True), key=lambda pair: (len(pair[1]), -len(pair[0].needs)))[1]


def _lacking(way: Way, data: Container[Hashable], column: Column | None) -> tuple[str, ...]:
    """Return in words what a way lacks."""
    lacking = [wanted_names(name) for name in way.needs if name in QUANTITIES and name not in data]
    if COLUMN in way.needs and column is None:
        lacking.append(NO_COLUMN)
    if INTERFACES in way.needs and (column is None or column.interface_offset is None):
        lacking.append(NO_INTERFACES)
    upright = bool({COLUMN, INTERFACES} & set(way.needs)) and column is not None and column.needs_surface_pressure
    if upright and "surface_pressure" not in data and "surface_pressure" not in way.needs:
        lacking.append(wanted_names("surface_pressure"))
    return tuple(lacking)


def closures(
    diagnosis: Diagnosis,
    seconds: xr.DataArray | float,
    *,
    dim: str = "time",
    wanted: Collection[str] | None = None,
) -> Diagnosis:
    """Return what fluxes leave unexplained of changes from each time to the next.

    Parameters
    ----------
    diagnosis : Diagnosis
        Of `diagnose`.
    seconds : DataArray of shape (time,) or float
        Length of the step that ends at each time, in s; that of the first does not count.
    dim : str
        The dimension of times.
    wanted : collection of str, optional
        Names among `CLOSURES`; all without.

    Returns
    -------
    Diagnosis
        Of shape (time, latitude, longitude), one time fewer. ``water_column_residual`` has the convergence by winds in
        it, and is to be 0 in each column. Of the others, which have none, only the mean over the globe is to be 0; that
        convergence is 0 over the globe is a closure of its own.

    Raises
    ------
    DataError
        If there are fewer than two times.
    """
    fields, found = diagnosis.fields, {}
    missing: dict[str, tuple[str, ...]] = {}
    for name, (store, *flows) in CLOSURES.items():
        if wanted is not None and name not in wanted:
            continue
        lacking = [part for part in (store, *flows) if part not in fields]
        if lacking:
            words = [w for part in lacking for w in diagnosis.missing.get(part, (FIELDS[part].words,))]
            missing[name] = tuple(dict.fromkeys(words))
            continue
        change = _tendency(fields[store], seconds, dim)
        water = name in WATER_RESIDUALS
        residual = (water_residual if water else energy_residual)(
            change, *(fields[part].isel({dim: slice(1, None)}) for part in flows)
        )
        explained = "fluxes and winds" if name == WATER_COLUMN_RESIDUAL else "fluxes"
        found[name] = residual.assign_attrs(
            units="kg m-2 s-1" if water else "W m-2",
            long_name=f"change of {fields[store].attrs['long_name']} that {explained} do not explain",
        )
    return Diagnosis(xr.Dataset(found), missing)


def _tendency(values: xr.DataArray, seconds: xr.DataArray | float, dim: str) -> xr.DataArray:
    if dim not in values.dims or values.sizes[dim] < 2:
        raise DataError(f"A change needs two times or more; found {values.sizes.get(dim, 1)}. Give a longer series.")
    if isinstance(seconds, xr.DataArray):
        seconds = seconds.isel({dim: slice(1, None)})
    before, after = values.isel({dim: slice(None, -1)}), values.isel({dim: slice(1, None)})
    if after.chunks is not None:  # else every chunk would be cut in two where the others' end
        before = before.chunk(after.chunksizes)
    result: xr.DataArray = (after - before.assign_coords({dim: after[dim]})) / seconds
    return result
