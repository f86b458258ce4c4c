"""From months to years, and from absolute values to changes: what scenario emulation takes of archives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from climbench.errors import DataError

MONTHS = 12
SPACE = ("latitude", "longitude")


def annual_means(months: xr.Dataset, where: str, *, by_length: bool = True) -> xr.Dataset:
    """Return the means over calendar years of monthly means.

    Parameters
    ----------
    months : Dataset of shape (time, ...)
        Monthly means, of dates in any calendar; may be lazy.
    where : str
        What to call it in messages.
    by_length : bool
        Whether months count by their lengths; otherwise all twelve count the same.

    Returns
    -------
    Dataset of shape (time, ...)
        ``time`` in integer years, float64; lazy where the months are.

    Raises
    ------
    DataError
        If a year has other than twelve months.
    """
    years = _whole_years(months, where)
    lengths = months["time"].dt.days_in_month if by_length else xr.ones_like(months["time"], dtype="float64")
    share = lengths.astype("float64").values.reshape(years.size, MONTHS)
    weights = xr.DataArray(share / share.sum(axis=1, keepdims=True), dims=("year", "month"))
    means = {}
    for name, array in months.data_vars.items():
        at = array.dims.index("time")
        shape = (*array.shape[:at], years.size, MONTHS, *array.shape[at + 1 :])
        dims = (*array.dims[:at], "year", "month", *array.dims[at + 1 :])
        by_year = xr.Variable(dims, array.astype("float64").data.reshape(shape))
        summed = (xr.DataArray(by_year) * weights).sum("month", skipna=False)
        means[name] = summed.rename(year="time").transpose(*array.dims).assign_attrs(array.attrs)
    coordinates = {c: months[c] for c in months.coords if "time" not in months[c].dims}
    return xr.Dataset(means, coords={"time": years, **coordinates}, attrs=months.attrs)


def _whole_years(months: xr.Dataset, where: str) -> np.ndarray:
    """Return the years of monthly data, each of which has its twelve months in order."""
    year, month = (np.asarray(getattr(months["time"].dt, part)) for part in ("year", "month"))
    years = np.unique(year)
    counts = {int(y): int((year == y).sum()) for y in years}
    odd = [y for y, count in counts.items() if count != MONTHS]
    if odd:
        raise DataError(
            f"{where}: {len(odd)} years have other than twelve months, first {odd[0]} with {counts[odd[0]]}. "
            "Complete or remove them."
        )
    if not np.array_equal(month, np.tile(np.arange(1, MONTHS + 1), years.size)):
        raise DataError(f"{where}: the months are not in order, or some are there twice. Mend the files.")
    return years.astype("int64")


def mean_of_years(annual: xr.Dataset, first: int, last: int) -> xr.Dataset | None:
    """Return the mean over years and members of what lies between two years (both included), or None if nothing does.

    Parameters
    ----------
    annual : Dataset of shape ([member,] time, ...)
        ``time`` in integer years.
    first, last : int
        Years.

    Returns
    -------
    Dataset or None
        In memory, float64.
    """
    chosen = annual.sel(time=slice(first, last))
    if not chosen.sizes["time"]:
        return None
    along = [d for d in ("member", "time") if d in chosen.dims]
    return chosen.astype("float64").mean(along, keep_attrs=True).load()


def changes(annual: xr.Dataset, reference: xr.Dataset, variables: Sequence[str]) -> xr.Dataset:
    """Return variables less a reference map of each, on the same grid.

    Parameters
    ----------
    annual : Dataset of shape (..., latitude, longitude)
        Absolute values.
    reference : Dataset of shape (latitude, longitude)
        In the same units.
    variables : sequence of str
        Which.

    Returns
    -------
    Dataset of shape (..., latitude, longitude)

    Raises
    ------
    DataError
        If the reference lies on another grid.
    """
    for dim in SPACE:
        if annual.sizes[dim] != reference.sizes[dim] or not np.allclose(annual[dim], reference[dim], atol=1e-4):
            raise DataError(f"The reference of {', '.join(variables)} lies on another {dim} than the scenario's.")
    same = reference.assign_coords({d: annual[d] for d in SPACE})
    with xr.set_options(keep_attrs=True):  # type: ignore[no-untyped-call]  # xarray does not annotate it
        return annual[[]].assign({v: (annual[v] - same[v]).transpose(*annual[v].dims) for v in variables})
