"""Sends pieces of a forecast to be worked on, in threads of this process or on a dask cluster, and joins the sums."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from climbench.tasks.forecast.job import Job, Sums
from climbench.tasks.forecast.pieces import work
from climbench.tasks.forecast.plan import Piece

if TYPE_CHECKING:
    from distributed import Client

Told = Callable[[int, int], None]
J = TypeVar("J")
P = TypeVar("P")
R = TypeVar("R")


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
    for done, (piece, sums) in enumerate(spread(work, job, pieces, client, threads), start=1):
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


def spread(
    work: Callable[[J, P], R], job: J, pieces: Sequence[P], client: Client | None, threads: int | None
) -> Iterator[tuple[P, R]]:
    """Yield pieces of work with what became of each, in any order.

    Parameters
    ----------
    work : callable
        Takes the job and a piece.
    job : object
        What all pieces share; goes to each worker of a cluster once.
    pieces : sequence
        The pieces.
    client, threads
        As for `accumulate`.

    Yields
    ------
    tuple of piece and result
    """
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
