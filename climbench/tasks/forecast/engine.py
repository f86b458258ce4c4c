"""Sends pieces of a forecast to be worked on, in threads of this process or on a dask cluster, and joins the sums."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from climbench.tasks.forecast.plan import Piece
from climbench.tasks.forecast.stores import Places

if TYPE_CHECKING:
    from distributed import Client

Told = Callable[[int, int], None]
WEIGHT = "weight"


@dataclass(frozen=True)
class Job:
    """Everything that all pieces of one scoring share.

    Attributes
    ----------
    places : Places
        The stores.
    statistics : mapping of str to tuple of str
        By target, the statistics that are wanted, of whatever kind.
    regions : ndarray of shape (cell, region)
        Area weights within each region, of mean 1 over the grid where a region is the globe.
    weight : ndarray of shape (cell,)
        Area weights of the grid, of mean 1.
    init_positions, lead_positions : ndarray of int
        Where the scored times are in the forecast.
    truth_positions : ndarray of shape (init, lead)
        Where valid times are in the truth; -1 where they are not.
    grid : tuple of ndarray
        Latitudes and longitudes in degrees.
    climatology_positions : tuple of ndarray of shape (init, lead)
        Where valid times are in the climatology, an array an axis; empty without climatology.
    mask : bool
        Whether cells with missing values are left out; an error otherwise.
    may_miss : tuple of str
        Targets whose truth may have missing values (the land in a sea surface temperature).
    """

    places: Places
    statistics: Mapping[str, tuple[str, ...]]
    regions: np.ndarray
    weight: np.ndarray
    init_positions: np.ndarray
    lead_positions: np.ndarray
    truth_positions: np.ndarray
    grid: tuple[np.ndarray, np.ndarray]
    climatology_positions: tuple[np.ndarray, ...] = ()
    mask: bool = False
    may_miss: tuple[str, ...] = ()


@dataclass
class Sums:
    """Area-weighted sums of one target: for each statistic an array of shape (init, lead, region).

    Attributes
    ----------
    totals : dict of str to ndarray
        Sums of weight times value; under ``weight`` the sum of the weights, zero for pairs without truth. Counts
        in bins are of shape (init, lead, region, bin).
    maps : dict of str to ndarray of shape (init, lead, n)
        Statistics of whole maps; NaN for pairs that have none.
    masked : ndarray of int of shape (init, lead)
        Cells left out.
    """

    totals: dict[str, np.ndarray] = field(default_factory=dict)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    masked: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))

    def means(self) -> dict[str, np.ndarray]:
        """Return area means of shape (init, lead, region[, bin]), NaN where nothing counted, and statistics of maps."""
        weight = self.totals[WEIGHT]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = {
                name: total / weight.reshape(*weight.shape, *[1] * (total.ndim - weight.ndim))
                for name, total in self.totals.items()
                if name != WEIGHT
            }
        return {**means, **self.maps}


def accumulate(
    job: Job,
    pieces: Sequence[Piece],
    shape: tuple[int, int],
    *,
    client: Client | None = None,
    threads: int | None = None,
    told: Told = lambda done, total: None,
) -> dict[str, Sums]:
    """Return the sums of every target.

    Parameters
    ----------
    job : Job
        What all pieces share.
    pieces : sequence of Piece
        From `climbench.tasks.forecast.plan.plan`.
    shape : tuple of int
        Numbers of initial and lead times that are scored.
    client : Client, optional
        Of a dask cluster that works on the pieces; threads of this process without.
    threads : int, optional
        How many threads; as many as there are cores without.
    told : callable
        Called with pieces done and pieces in all.

    Returns
    -------
    dict of str to Sums
        By target. They do not depend on how the work was cut.

    Raises
    ------
    PredictionError
        If values are missing where none may be.
    """
    result: dict[str, Sums] = {}
    for done, (piece, sums) in enumerate(_worked(job, pieces, client, threads), start=1):
        for name, part in sums.items():
            whole = result.setdefault(name, Sums(masked=np.zeros(shape, int)))
            for ours, theirs, blank in ((whole.totals, part.totals, 0.0), (whole.maps, part.maps, np.nan)):
                for statistic, values in theirs.items():
                    if statistic not in ours:
                        ours[statistic] = np.full((*shape, *values.shape[2:]), blank)
                    ours[statistic][piece.inits, piece.leads] = values
            whole.masked[piece.inits, piece.leads] = part.masked
        told(done, len(pieces))
    return result


def _worked(job: Job, pieces: Sequence[Piece], client: Client | None, threads: int | None) -> Any:
    from climbench.tasks.forecast.pieces import work

    if client is not None:
        from distributed import as_completed

        shared = client.scatter(job, broadcast=True, hash=False)
        futures = client.map(work, [shared] * len(pieces), pieces, pure=False)
        by_future = dict(zip([f.key for f in futures], pieces, strict=True))
        for future in as_completed(futures):
            yield by_future[future.key], future.result()
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads or cores) as pool:
        yield from zip(pieces, pool.map(lambda piece: work(job, piece), pieces), strict=True)
