r"""Hybrid coordinates as CF writes them, turned into layers between interfaces.

.. math:: p = a\, p_0 + b\, p_s \quad\text{or}\quad p = ap + b\, p_s

The coefficients of interfaces are the bounds of those of levels. The suite's form of it, as of ACE's data, is a
dimension ``layer`` from the top down, with ``ak`` in Pa and ``bk`` along ``interface``.

Reference: CF Conventions 1.11, appendix D, "Parametric Vertical Coordinates".
"""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.physics.blocks import DEPTH
from climbench.physics.opening import INTERFACE, LAYER, OFFSET, PASCALS_IN, SLOPE

HYBRID, OTHERS = "atmosphere_hybrid_sigma_pressure_coordinate", "atmosphere_"
OF_THE_SEA = ("depth", "ocean_")  # how the standard names of the sea's vertical coordinates begin
TERM = re.compile(r"(\w+):\s*(\S+)")
NO_BOUNDS = (
    "{where}: '{name}' is a hybrid coordinate without the bounds of its coefficients (such as a_bnds and b_bnds): its "
    "variables make no columns"
)


def with_hybrid_layers(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return a data set whose hybrid levels, if it has them, are layers from the top down.

    Parameters
    ----------
    data : Dataset
        As stored, with its bounds.
    where : str
        What to call it in messages.
    notes : list of str
        Takes a line on what was done, or could not be.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If layers leave gaps between them, or coefficients are in an unknown unit.
    """
    standard = {str(d): str(data[d].attrs.get("standard_name", "")) for d in data.dims if d in data.coords}
    for name in standard:
        if standard[name] == HYBRID:
            return _from_formula(data, name, where, notes)
        if standard[name].startswith(OTHERS):
            notes.append(f"{where}: '{name}' is an {standard[name]}, of which no columns are made")
        if standard[name].startswith(OF_THE_SEA):
            data = data.rename({name: DEPTH}).drop_vars(DEPTH)
    return _top_down(data, where, notes)


def _from_formula(data: xr.Dataset, name: str, where: str, notes: list[str]) -> xr.Dataset:
    bounds = str(data[name].attrs.get("bounds", data[name].encoding.get("bounds", "")))
    terms = _terms(data, bounds) or {k: f"{v}_bnds" for k, v in _terms(data, name).items() if f"{v}_bnds" in data}
    found = _pair(data, {**_terms(data, name), **terms}, where)
    if found is None:
        notes.append(NO_BOUNDS.format(where=where, name=name))
        return data
    used = [v for v in {*_terms(data, name).values(), *terms.values(), bounds} if v in data and data[v].ndim < 3]
    data = data.drop_vars([v for v in used if name in data[v].dims and v != name]).rename({name: LAYER})
    data = data.drop_vars([LAYER]).assign({OFFSET: _interfaces(found[0], OFFSET, where)})
    if found[2]:
        data[OFFSET].attrs["units"] = "Pa"
    data = data.assign({SLOPE: _interfaces(found[1], SLOPE, where)})
    notes.append(f"{where}: hybrid levels '{name}' read as layers between the bounds of their coefficients")
    return _top_down(data, where, notes)


def _terms(data: xr.Dataset, name: str) -> dict[str, str]:
    """Return the variables of a formula by its terms."""
    return dict(TERM.findall(str(data[name].attrs.get("formula_terms", "")))) if name in data.variables else {}


def _pair(data: xr.Dataset, terms: dict[str, str], where: str) -> tuple[np.ndarray, np.ndarray, bool] | None:
    """Return a in Pa and b at the bounds of levels, both of shape (level, 2), and whether the unit of a was stated.

    None where they are not there.
    """

    def of(term: str) -> xr.DataArray | None:
        return data[terms[term]] if terms.get(term) in data.variables else None

    a, ap, b, p0 = (of(term) for term in ("a", "ap", "b", "p0"))
    if b is None or b.ndim != 2:
        return None
    if ap is not None and ap.ndim == 2:
        return _pascals(ap, where), np.asarray(b.values, "float64"), "units" in ap.attrs
    if a is not None and p0 is not None and a.ndim == 2:
        scaled = np.asarray(a.values, "float64") * float(_pascals(p0, where))
        return scaled, np.asarray(b.values, "float64"), "units" in p0.attrs
    return None


def _pascals(values: xr.DataArray, where: str) -> np.ndarray:
    units = str(values.attrs.get("units", "Pa"))
    if units not in PASCALS_IN:
        raise DataError(f"{where}: '{values.name}' is in '{units}'; give it in Pa or hPa.")
    return np.asarray(values.values, "float64") * PASCALS_IN[units]


def _interfaces(bounds: np.ndarray, name: str, where: str) -> xr.DataArray:
    """Return the bounds of levels as those of layers that touch, in either order."""
    for lower, upper in ((0, 1), (1, 0)):
        if np.allclose(bounds[1:, lower], bounds[:-1, upper], rtol=1e-6, atol=1e-9):
            return xr.DataArray(np.append(bounds[:, lower], bounds[-1, upper]), dims=INTERFACE)
    raise DataError(f"{where}: the bounds of hybrid levels ('{name}') leave gaps or overlap. Mend the file.")


def _top_down(data: xr.Dataset, where: str, notes: list[str]) -> xr.Dataset:
    """Return layers from the top down, where they stand from the bottom up."""
    if OFFSET not in data or SLOPE not in data or data[SLOPE].dims != (INTERFACE,) or data[SLOPE].size < 2:
        return data
    slope = data[SLOPE].values
    if slope[0] <= slope[-1]:
        return data
    notes.append(f"{where}: layers stood from the bottom up and were turned, values with them")
    turned = {dim: slice(None, None, -1) for dim in (INTERFACE, LAYER) if dim in data.dims}
    return data.isel(turned)
