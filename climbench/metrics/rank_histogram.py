"""Rank histograms: where the target falls among the sorted members, ties broken at random.

The random numbers belong to places in the array, not to the order of computing: the same seed gives the same ranks
whatever the chunks, the number of workers or the order of dimensions.

References
----------
Hamill (2001), Interpretation of rank histograms for verifying ensemble forecasts, Mon. Weather Rev. 129, 550-560.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import xarray as xr

from climbench.metrics.base import WeightedSum, weighted_sum
from climbench.metrics.ensemble_kernels import blocks
from climbench.metrics.members import MEMBER, check_members

BLOCK = 2**16
# Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, doi:10.1145/2660193.2660195.
GOLDEN, MIX_1, MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def ranks(prediction: xr.DataArray, target: xr.DataArray, *, seed: int = 0, member: str = MEMBER) -> xr.DataArray:
    """Return how many members lie below the target at each point.

    Parameters
    ----------
    prediction : DataArray of shape (..., member, ...)
        Any number of members M.
    target : DataArray
        With the prediction's other dimensions; members of its own are kept, each with its rank.
    seed : int
        Of the random choice where members equal the target: each place among them is as likely.
    member : str
        The name of the dimension of members.

    Returns
    -------
    DataArray
        Whole numbers from 0 to M as float64, NaN where a value is; with the target's members, if it has any.

    Raises
    ------
    DataError
        If the prediction has no such dimension.
    """
    check_members(prediction, member, 1)
    ours = "predicted_member"
    prediction = prediction.rename({member: ours})
    if prediction.chunks is not None:
        prediction = prediction.chunk({ours: -1})
    return xr.apply_ufunc(
        _ranks,
        prediction,
        target,
        _places(target),
        input_core_dims=[[ours], [], []],
        kwargs={"seed": seed},
        dask="parallelized",
        output_dtypes=[np.float64],
    )


def _places(field: xr.DataArray) -> xr.DataArray:
    """Return a number for each place in an array, chunked as it is, whatever the order of its dimensions."""
    place = xr.DataArray(np.uint64(0))
    for dim in sorted(map(str, field.dims)):
        index = xr.DataArray(np.arange(field.sizes[dim], dtype="uint64"), dims=dim)
        if field.chunks is not None:
            index = index.chunk({dim: field.chunksizes[dim]})
        place = place * np.uint64(field.sizes[dim]) + index
    return place


def _ranks(members: np.ndarray, target: np.ndarray, places: np.ndarray, *, seed: int) -> np.ndarray:
    shape = np.broadcast_shapes(members.shape[:-1], target.shape, places.shape)
    members = np.broadcast_to(members, (*shape, members.shape[-1]))
    target, places = (np.broadcast_to(array, shape) for array in (target, places))
    result = np.empty(shape)
    for part in blocks(shape, max(1, BLOCK // members.shape[-1])):
        sample, value = members[part], target[part][..., None]
        below, equal = (np.count_nonzero(found, axis=-1) for found in (sample < value, sample == value))
        rank = below + np.floor(_uniform(places[part], seed) * (equal + 1))
        missing = np.isnan(value[..., 0]) | np.isnan(sample).any(axis=-1)
        result[part] = np.where(missing, np.nan, rank)
    return result


def _uniform(places: np.ndarray, seed: int) -> np.ndarray:
    """Return a random number in [0, 1) for each place: the splitmix64 generator's output at that step."""
    start = np.random.default_rng(seed).integers(2**64, dtype="uint64")
    with np.errstate(over="ignore"):  # the arithmetic is meant to wrap round
        bits = start + (places + np.uint64(1)) * GOLDEN
        bits = (bits ^ (bits >> np.uint64(30))) * MIX_1
        bits = (bits ^ (bits >> np.uint64(27))) * MIX_2
        bits = bits ^ (bits >> np.uint64(31))
    return (bits >> np.uint64(11)) * 2.0**-53


def rank_histogram(ranks: xr.DataArray, weights: xr.DataArray, dim: Sequence[Hashable], *, members: int) -> WeightedSum:
    """Return how much weight each rank has; flat for a reliable ensemble, U-shaped for one that spreads too little.

    Parameters
    ----------
    ranks : DataArray
        From `ranks`. A NaN is passed on, so that it is noticed: mask by a weight of zero and a finite value instead.
    weights : DataArray
        Broadcasts against `ranks`.
    dim : sequence of hashable
        The dimensions to sum over.
    members : int
        How many members the ensemble has.

    Returns
    -------
    WeightedSum
        Of shape (..., rank), from 0 to `members`; its mean is the share of each rank.
    """
    places = xr.DataArray(np.arange(members + 1), dims="rank", coords={"rank": np.arange(members + 1)})
    sums = [weighted_sum((ranks == rank).where(ranks.notnull()), weights, dim) for rank in range(members + 1)]
    return WeightedSum(xr.concat([s.total for s in sums], places), sums[0].weight)
