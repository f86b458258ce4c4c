r"""The fractions skill score: whether events are forecast in the right neighbourhood, if not in the right cell.

In a square of n by n cells about each cell, :math:`P_f` and :math:`P_o` are the fractions of cells with an event, and

.. math:: \mathrm{FSS} = 1 - \frac{\overline{\langle (P_f - P_o)^2 \rangle_w}}
          {\overline{\langle P_f^2 + P_o^2 \rangle_w}}

with means over cells and inits before the ratio. It is 1 for a perfect forecast and 0 for one without overlap. Of an
ensemble :math:`P_f` is the mean fraction over its members (Necker et al. 2024).

References
----------
Roberts and Lean (2008), Scale-selective verification of rainfall accumulations from high-resolution forecasts of
convective events, Mon. Weather Rev. 136, doi:10.1175/2007MWR2123.1.
Necker et al. (2024), The fractions skill score for ensemble forecast verification, Q. J. R. Meteorol. Soc. 150,
doi:10.1002/qj.4824.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.grids import goes_round
from climbench.metrics.base import INITS, SPACE, mean_over_inits
from climbench.metrics.exceedance import exceedance_probability
from climbench.metrics.members import MEMBER

EdgeRows = Literal["leave_out", "zeros"]


def neighbourhood_fractions(share: np.ndarray, size: int, *, periodic: bool, edge_rows: EdgeRows) -> np.ndarray:
    """Return the fraction of cells with an event in the square about each cell.

    Parameters
    ----------
    share : ndarray of shape (..., latitude, longitude)
        1 where there is an event and 0 elsewhere, or the share of members that have one
        (`climbench.metrics.exceedance.share_above`).
    size : int
        How many cells long the square is: odd.
    periodic : bool
        Whether squares go round the globe; otherwise columns at the edge are taken as rows are.
    edge_rows : {"leave_out", "zeros"}
        What becomes of rows whose square reaches beyond the map: they are left out, or there is no event beyond.

    Returns
    -------
    ndarray of shape (..., row, column)
        Float64; fewer rows (and columns, if not periodic) where those at the edge are left out. A NaN spoils fractions
        of its map.

    Raises
    ------
    DataError
        If the size is not odd, or larger than the map.
    """
    rows, columns = share.shape[-2:]
    if size < 1 or size % 2 == 0 or size > min(rows, columns):
        raise DataError(
            f"A neighbourhood is an odd number of cells long, and not longer than the map of {rows} x {columns}; "
            f"found {size}."
        )
    sums = _running_sum(share.astype("float64", copy=False), size, "wrap" if periodic else edge_rows)
    return _running_sum(sums.swapaxes(-1, -2), size, edge_rows).swapaxes(-1, -2) / size**2


def _running_sum(values: np.ndarray, size: int, beyond: Literal["wrap", "leave_out", "zeros"]) -> np.ndarray:
    """Return sums of as many neighbours along the last axis."""
    reach, lead = size // 2, [(0, 0)] * (values.ndim - 1)
    if beyond != "leave_out":
        values = np.pad(values, [*lead, (reach, reach)], mode="wrap" if beyond == "wrap" else "constant")
    total = np.cumsum(np.pad(values, [*lead, (1, 0)]), axis=-1)
    return total[..., size:] - total[..., :-size]


def fraction_statistics(
    prediction: np.ndarray,
    target: np.ndarray,
    size: int,
    *,
    weights: np.ndarray | None = None,
    periodic: bool = True,
    edge_rows: EdgeRows = "leave_out",
) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistics of each map whose means over inits make the score.

    Parameters
    ----------
    prediction, target : ndarray of shape (..., latitude, longitude)
        Events, 1 or 0, or the share of members that have one.
    size : int
        How many cells long the square neighbourhood is: odd.
    weights : ndarray of shape (latitude,) or None
        Area weights of the mean over cells, not within a neighbourhood; None counts all cells the same. Those of rows
        that are left out do not count.
    periodic, edge_rows : bool, {"leave_out", "zeros"}
        As for `neighbourhood_fractions`.

    Returns
    -------
    difference : ndarray of shape (...)
        The mean of the squared difference of fractions.
    reference : ndarray of shape (...)
        The mean of the sum of their squares: the largest that the difference can be.

    Raises
    ------
    DataError
        If the size is not odd, or larger than the map.
    """
    ours, theirs = (
        neighbourhood_fractions(f, size, periodic=periodic, edge_rows=edge_rows) for f in (prediction, target)
    )
    weight = np.ones(prediction.shape[-2]) if weights is None else weights.astype("float64")
    if edge_rows == "leave_out":
        weight = weight[size // 2 : weight.size - size // 2]
    weight = weight / weight.sum()
    return ((ours - theirs) ** 2).mean(-1) @ weight, (ours**2 + theirs**2).mean(-1) @ weight


def fractions_skill(difference: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the score of mean statistics.

    Parameters
    ----------
    difference, reference : ndarray of shape (...)
        Means over inits of `fraction_statistics`.

    Returns
    -------
    ndarray of shape (...)
        From 0 to 1; NaN where there is no event at all.
    """
    return 1.0 - difference / np.where(reference > 0.0, reference, np.nan)


def fractions_skill_score(
    prediction: xr.DataArray,
    target: xr.DataArray,
    threshold: xr.DataArray | float,
    *,
    size: int,
    weights: xr.DataArray | None = None,
    periodic: bool | None = None,
    edge_rows: EdgeRows = "leave_out",
    inits: str = INITS,
    member: str = MEMBER,
) -> xr.DataArray:
    """Return the fractions skill score of forecasts, or of ensembles by their mean fractions.

    Parameters
    ----------
    prediction : DataArray of shape (..., init_time, ..., [member,] latitude, longitude)
        In the unit of the target.
    target : DataArray of shape (..., init_time, ..., latitude, longitude)
        At the valid times.
    threshold : float or DataArray
        An event is a value above it. Along dimensions of the target or others, such as several thresholds.
    size : int
        How many cells long the square neighbourhood is: odd.
    weights : DataArray of shape (latitude,) or None
        Area weights of the mean over cells, not within a neighbourhood; None counts all cells the same.
    periodic : bool or None
        Whether neighbourhoods go round the globe; None takes it from the longitudes.
    edge_rows : {"leave_out", "zeros"}
        What becomes of rows, and columns if not periodic, whose neighbourhood reaches beyond the map: they are left
        out, or there is no event beyond.
    inits : str
        The name of the dimension of initial times.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Without latitude, longitude, inits and members, float64, from 0 to 1; NaN where there is no event at all, or a
        value is NaN.

    Raises
    ------
    DataError
        If the size is not odd or larger than the map, there is no dimension of inits, or the weights are along others
        than latitude.
    """
    if weights is not None and weights.dims != ("latitude",):
        raise DataError(f"Weights of fractions are along latitude only; found {', '.join(map(str, weights.dims))}.")
    parts = xr.apply_ufunc(
        fraction_statistics,
        exceedance_probability(prediction, threshold, member=member if member in prediction.dims else None),
        exceedance_probability(target, threshold, member=None),
        input_core_dims=[list(SPACE)] * 2,
        output_core_dims=[[], []],
        kwargs={
            "size": size,
            "weights": None if weights is None else weights.values,
            "periodic": goes_round(prediction["longitude"].values) if periodic is None else periodic,
            "edge_rows": edge_rows,
        },
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True},
        output_dtypes=[np.float64] * 2,
        join="exact",
    )
    means = [mean_over_inits(part, inits=inits) for part in parts]
    return xr.apply_ufunc(fractions_skill, *means, dask="parallelized", output_dtypes=[np.float64])
