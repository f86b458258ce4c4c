"""The maps that scores of physics are made from: which a data set allows, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Collection

import xarray as xr

from climbench.errors import DataError
from climbench.physics.diagnosis import FIELDS, NO_COLUMN, Diagnosis, diagnose
from climbench.physics.opening import Opened, open_quantities
from climbench.physics.quantities import QUANTITIES, source_of, wanted_names
from climbench.tasks.forecast.physics_own_maps import OWN_MAPS, OwnMap
from climbench.variables import LEXICON

NO_PRESSURE = "levels of pressure: these are layers between hybrid interfaces"

SURFACE = "surface_pressure"


def _entry(name: str) -> OwnMap:
    """Return how a map is made; one of the core is as it is."""
    return OWN_MAPS.get(name, OwnMap(lambda values: values, field=name))


def quantities_behind(maps: Collection[str]) -> set[str]:
    """Return the quantities that maps are, or may be, made from."""
    found: set[str] = set()
    for name in maps:
        own = _entry(name)
        found |= {*own.quantities, *([SURFACE] if own.in_column else [])}
        for way in FIELDS[own.field].ways if own.field else ():
            found |= {part for part in (*way.needs, *way.optional) if part in QUANTITIES}
    return found


def opened(data: xr.Dataset, quantities: Collection[str], step: float | None = None) -> tuple[Opened, dict[str, str]]:
    """Return quantities of a data set, and why others that it has a variable of cannot be had.

    Parameters
    ----------
    data : Dataset
        Canonical.
    quantities : collection of str
        Which; those without a variable are left out.
    step : float, optional
        Hours that fluxes are wanted over.

    Returns
    -------
    Opened
        `climbench.physics.opening.open_quantities` of all that can be had.
    dict of str to str
        By quantity, what is wrong with its variable.
    """
    faults = {}
    for name in quantities:
        if source_of(name, list(map(str, data.data_vars)), step=step) is None:
            continue
        try:
            open_quantities(data, wanted=[name], step=step)
        except DataError as error:
            faults[name] = str(error)
    return open_quantities(data, wanted=[q for q in quantities if q not in faults], step=step), faults


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
    behind = {_entry(name).field for name in maps} - {""}
    core = diagnose(found.quantities, found.column, wanted=behind)
    fields, missing = {}, {}
    for name in maps:
        own = _entry(name)
        lacking = tuple(wanted_names(q) for q in own.quantities if q not in found.quantities)
        lacking += core.missing.get(own.field, ())
        if own.on_pressure and found.column is not None and found.column.interface_offset is not None:
            lacking += (NO_PRESSURE,)
        lacking += _lacking_column(own, found)
        if lacking:
            missing[name] = lacking
            continue
        given = [core.fields[own.field]] if own.field else [found.quantities[q] for q in own.quantities]
        try:
            column = [found.column, found.quantities.get(SURFACE)] if own.in_column else []
            fields[name] = own.of(*column, *given).assign_attrs(long_name=given[0].attrs.get("long_name", name))
        except DataError as error:
            missing[name] = (str(error),)
    return Diagnosis(xr.Dataset(fields), missing)


def _lacking_column(own: OwnMap, found: Opened) -> tuple[str, ...]:
    """Return in words what an integral over columns lacks beside its quantities."""
    if not own.in_column or (found.column is not None and not found.column.needs_surface_pressure):
        return ()
    if found.column is None:
        return (NO_COLUMN,)
    return () if SURFACE in found.quantities else (wanted_names(SURFACE),)


def windows_of(found: Opened, name: str, step: float | None) -> tuple[float, ...]:
    """Return the hours that variables behind a map are accumulated or averaged over.

    Parameters
    ----------
    found : Opened
        Quantities.
    name : str
        The map.
    step : float or None
        Hours that a rate is the mean over, as nothing in a store says it; none where not known.

    Returns
    -------
    tuple of float
        Ascending, each once.
    """
    sources = [found.sources[q] for q in quantities_behind([name]) if q in found.sources]
    windows = {step if LEXICON[source].window is None else LEXICON[source].window for source in sources}
    return tuple(sorted(hours for hours in windows if hours is not None))
