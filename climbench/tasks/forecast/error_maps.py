"""Maps of a forecast's mean error and root mean square error at some lead times, summed block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from climbench.tasks.forecast.pieces import kept_maps
from climbench.tasks.forecast.plan import Piece, plan
from climbench.tasks.forecast.reading import chunk_size, forecast_block, map_bytes
from climbench.tasks.forecast.scoring import Forecasts
from climbench.tasks.forecast.targets import Target

BLOCK_BYTES = 6 * 2**20  # less than for scores: nothing waits for these maps, and figures need memory too
MOST_BYTES = 300_000_000  # of a target's chunks; more initial times are thinned: the eye needs no more


def error_maps(
    forecasts: Forecasts,
    target: Target,
    hours: Sequence[float],
    *,
    most_bytes: int = MOST_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> xr.Dataset:
    """Return where a forecast errs.

    Parameters
    ----------
    forecasts : Forecasts
        Opened beside its truth.
    target : Target
        One of its targets.
    hours : sequence of float
        Lead times.
    most_bytes : int
        About how much is read of the forecast, as it is in memory, whole chunks counted: at most so many initial times
        are taken, in blocks that are evenly spaced, one at least.
    block_bytes : int
        About how much one block holds; at least one chunk along the initial times.

    Returns
    -------
    Dataset of shape (lead_time, latitude, longitude)
        ``bias``: mean of forecast (mean over members) less truth; ``rmse``: root of the mean of its square, for a wind
        vector of its length squared, and then there is no bias. In the unit of the truth; NaN where nothing was there.
        The attribute ``inits`` counts the initial times.
    """
    matched = forecasts.matched
    columns = np.array([int(np.flatnonzero(matched.leads == hour)[0]) for hour in hours])
    truth = forecasts.places.open("truth")
    shape = (columns.size, truth.sizes["latitude"], truth.sizes["longitude"])
    count, sums, squares = (np.zeros((shape[0], shape[1] * shape[2])) for _ in range(3))
    inits: set[int] = set()
    for piece in _pieces(forecasts, target, columns, most_bytes, block_bytes):
        inits.update(range(piece.inits.start, piece.inits.stop))
        for n, error in _errors(forecasts, target, piece, columns):
            there = np.isfinite(error).all(axis=0)
            count[n] += there
            sums[n] += np.where(there, error[0], 0.0)
            squares[n] += np.where(there, (error**2).sum(axis=0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"rmse": np.sqrt(squares / count)}
        if not target.is_vector:
            found["bias"] = sums / count
    axes = {"lead_time": list(hours), "latitude": truth["latitude"].values, "longitude": truth["longitude"].values}
    arrays = {name: (tuple(axes), values.reshape(shape)) for name, values in found.items()}
    return xr.Dataset(arrays, coords=axes, attrs={"inits": len(inits)})


def _pieces(
    forecasts: Forecasts, target: Target, columns: np.ndarray, most_bytes: int, block_bytes: int
) -> list[Piece]:
    """Return the pieces that are read: all lead times of evenly spaced blocks of initial times."""
    matched, data = forecasts.matched, forecasts.places.open("forecast")
    pieces = plan([target], data, matched.init_positions, matched.lead_positions[columns], block_bytes)
    starts = sorted({piece.inits.start for piece in pieces})
    whole = sum(
        _bytes(data[name], matched.init_positions, matched.lead_positions[columns]) for name in target.components
    )
    most = max(1, int(len(starts) * min(1.0, most_bytes / whole)))
    chosen = {starts[n] for n in np.linspace(0, len(starts) - 1, most).round().astype(int)}
    return [piece for piece in pieces if piece.inits.start in chosen]


def _bytes(array: xr.DataArray, inits: np.ndarray, leads: np.ndarray) -> int:
    """Return the bytes, in memory, of all chunks that hold some initial and lead times at one level."""
    total = map_bytes(array) * array.sizes.get("member", 1)
    total *= chunk_size(array, "level", 1) if "level" in array.dims else 1
    for dim, positions in (("init_time", inits), ("lead_time", leads)):
        size = chunk_size(array, dim, 1)
        total *= np.unique(positions // size).size * size
    return int(total)


def _errors(
    forecasts: Forecasts, target: Target, piece: Piece, columns: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the place of a lead time and an error of shape (component, cell), for every pair that has a truth."""
    matched = forecasts.matched
    data = forecasts.places.open("forecast")
    shown = columns[piece.leads]
    at = matched.init_positions[piece.inits], matched.lead_positions[shown]
    blocks = [forecast_block(data[name], *at, piece.levels) for name in target.components]
    for i, positions in enumerate(matched.truth_positions[piece.inits][:, shown]):
        there = np.flatnonzero(positions >= 0)
        if not there.size:
            continue
        truths = [
            kept_maps(forecasts.places, "truth", name).take([positions[there]], piece.levels)[:, 0]
            for name in target.components
        ]
        for place, j in enumerate(there):
            ours = np.stack([block[:, i, j, 0].astype("float64") for block in blocks])
            theirs = np.stack([truth[place].astype("float64") for truth in truths])
            if target.is_derived:  # a speed has no mean over members of its components
                ours, theirs = np.hypot(*ours)[None], np.hypot(*theirs)[None]
            yield piece.leads.start + int(j), ours.mean(axis=1) - theirs
