"""Independent copies of the internal variability, which intervals are made from (`climbench.metrics.significance`).

They are contrasts between members, in which the emulator and the forced response drop out. With ten members or more the
units are the contrasts of the means over the whole window. With fewer there are too few of those, so each contrast also
gives its slowest cosines in time, which are nearly independent of its mean and of each other and vary nearly as much
(equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018, doi:10.1080/07350015.2018.1506926), all scaled together
to the total variance that the means over the whole window show. Blocks of years in their place let oscillations of a
few years, such as ENSO, leak into the block means, and the intervals come out too wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.metrics.base import SPACE

ENOUGH_MEMBERS = 10
COSINES = 4


@dataclass(frozen=True)
class Resampling:
    """What the intervals are made from: independent copies of the internal variability.

    Attributes
    ----------
    gram : ndarray of shape (unit, unit)
        Inner products between units: contrasts between members, averaged over the years or along slow cosines.
    along : ndarray of shape (unit,)
        Inner products of the units with the mean error.
    members : int
        Members in the target.
    estimate : float
        The unclipped debiased mean square.
    mean_square : float
        The mean square of the mean error, floor included.
    """

    gram: np.ndarray
    along: np.ndarray
    members: int
    estimate: float
    mean_square: float


def helmert(members: int) -> np.ndarray:
    """Return orthonormal contrasts between members.

    Parameters
    ----------
    members : int
        Number of members m, at least 2.

    Returns
    -------
    ndarray of shape (m - 1, m)
        Orthonormal rows, each summing to zero: whatever all members share drops out.
    """
    rows = np.zeros((members - 1, members))
    for j in range(1, members):
        rows[j - 1, :j] = 1.0
        rows[j - 1, j] = -j
        rows[j - 1] /= np.sqrt(j * (j + 1))
    return rows


def error_gram(errors: xr.DataArray, weights: xr.DataArray) -> xr.DataArray:
    """Return area-mean products of the errors against every member and year with those against every other.

    It adds up over cells, and every interval of a spatial score can be had from it without the fields.

    Parameters
    ----------
    errors : DataArray of shape (member, time, latitude, longitude)
        Prediction less target member.
    weights : DataArray of shape (latitude,)
        Area weights.

    Returns
    -------
    DataArray of shape (member, time, other_member, other_time)
        In the unit squared, float64.
    """
    weights = weights.astype("float64", copy=False).broadcast_like(errors.isel(member=0, time=0, drop=True))
    rooted = errors.astype("float64", copy=False) * np.sqrt(weights / weights.sum())
    fields = rooted.transpose("member", "time", *SPACE).data
    shape = fields.shape[:2]
    values = fields.reshape(shape[0] * shape[1], -1)
    gram = np.asarray(values @ values.T).reshape(*shape, *shape)
    coordinates = {d: errors[d].values for d in ("member", "time")}
    return xr.DataArray(
        gram,
        dims=("member", "time", "other_member", "other_time"),
        coords={**coordinates, **{f"other_{d}": c for d, c in coordinates.items()}},
    )


def slow_components(years: int, members: int) -> np.ndarray:
    """Return what turns a contrast's years into units.

    Parameters
    ----------
    years : int
        Years in the window.
    members : int
        Members in the target.

    Returns
    -------
    ndarray of shape (component, year)
        The mean over the years and, with fewer than ten members, the slowest cosines beside it, all of one norm and
        orthogonal to each other.
    """
    order = np.arange(1 if members >= ENOUGH_MEMBERS else min(COSINES, years))
    waves = np.cos(np.pi * np.outer(order, (np.arange(years) + 0.5) / years))
    return waves * np.where(order == 0, 1.0, np.sqrt(2.0))[:, None] / years


def resampling_spatial(gram: xr.DataArray) -> Resampling:
    """Return the units of a spatial score.

    Parameters
    ----------
    gram : DataArray of shape (member, time, other_member, other_time)
        From `error_gram`.

    Returns
    -------
    Resampling
    """
    components = slow_components(gram.sizes["time"], gram.sizes["member"])
    return resampling_of_components(np.einsum("bt,ntks,cs->nbkc", components, gram.values, components, optimize=True))


def resampling_of_components(gram: np.ndarray) -> Resampling:
    """Return the units of a spatial score whose years have been turned into components already.

    Parameters
    ----------
    gram : ndarray of shape (member, component, other member, other component)
        Area-mean products of the errors' components (`slow_components`) against every member, the mean first.

    Returns
    -------
    Resampling
    """
    contrasts = helmert(gram.shape[0])
    units = np.einsum("jn,nbkc,lk->jblc", contrasts, gram, contrasts, optimize=True)
    size = units.shape[0] * units.shape[1]
    along = np.einsum("jn,nb->jb", contrasts, gram[..., 0].mean(axis=2), optimize=True)
    whole, slowest = np.einsum("jbjb->", units), np.einsum("jj->", units[:, 0, :, 0])
    memory = max(slowest * units.shape[1] / whole, 0.0) if whole > 0.0 else 1.0
    pairs = gram[:, 0, :, 0]
    return Resampling(
        memory * units.reshape(size, size),
        np.sqrt(memory) * along.reshape(size),
        gram.shape[0],
        _off_diagonal_mean(pairs),
        float(pairs.mean()),
    )


def resampling_global(errors: xr.DataArray) -> Resampling:
    """Return the units of a global score; years are the components of the error, so only members give units.

    Parameters
    ----------
    errors : DataArray of shape (member, time)
        Global-mean prediction less global-mean target member.

    Returns
    -------
    Resampling
    """
    values = errors.transpose("member", "time").values
    return resampling_of_members(values @ values.T / values.shape[1])


def resampling_of_members(pairs: np.ndarray) -> Resampling:
    """Return the units of a score that only members give units for.

    Parameters
    ----------
    pairs : ndarray of shape (member, other member)
        Mean products of the error against every member with that against every other.

    Returns
    -------
    Resampling
    """
    contrasts = helmert(pairs.shape[0])
    return Resampling(
        contrasts @ pairs @ contrasts.T,
        contrasts @ pairs.mean(axis=1),
        pairs.shape[0],
        _off_diagonal_mean(pairs),
        float(pairs.mean()),
    )


def _off_diagonal_mean(matrix: np.ndarray) -> float:
    n = matrix.shape[0]
    return float((matrix.sum() - np.trace(matrix)) / (n * (n - 1)))
