"""Maps of a forecast's mean error and root mean square error at some lead times, summed init by init."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from climbench.tasks.forecast.pieces import kept_maps
from climbench.tasks.forecast.reading import forecast_block
from climbench.tasks.forecast.scoring import Forecasts
from climbench.tasks.forecast.targets import Target

MOST_VALUES = 30_000_000  # of each lead time; more initial times are thinned evenly: the eye needs no more


def error_maps(
    forecasts: Forecasts, target: Target, hours: Sequence[float], *, most_values: int = MOST_VALUES
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
    most_values : int
        About how many values are read for each lead time, from evenly spaced initial times.

    Returns
    -------
    Dataset of shape (lead_time, latitude, longitude)
        ``bias``: mean of forecast (mean over members) less truth; ``rmse``: root of the mean of its square, for a wind
        vector of its length squared, and then there is no bias. In the unit of the truth; NaN where nothing was there.
        The attribute ``inits`` counts the initial times.
    """
    matched = forecasts.matched
    columns = [int(np.flatnonzero(matched.leads == hour)[0]) for hour in hours]
    truth = forecasts.places.open("truth")
    size = truth.sizes["latitude"] * truth.sizes["longitude"]
    most = max(1, most_values // (size * max(forecasts.members.values())))
    chosen = np.arange(0, matched.inits.size, -(-matched.inits.size // most))
    count, sums, squares = (np.zeros((len(columns), size)) for _ in range(3))
    for i in chosen:
        for n, column in enumerate(columns):
            if matched.truth_positions[i, column] >= 0:
                error = _error(forecasts, target, int(i), column)
                there = np.isfinite(error).all(axis=0)
                count[n] += there
                sums[n] += np.where(there, error[0], 0.0)
                squares[n] += np.where(there, (error**2).sum(axis=0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"rmse": np.sqrt(squares / count)}
        if not target.is_vector:
            found["bias"] = sums / count
    axes = {"lead_time": list(hours), "latitude": truth["latitude"], "longitude": truth["longitude"]}
    shape = (len(columns), truth.sizes["latitude"], truth.sizes["longitude"])
    arrays = {name: (tuple(axes), values.reshape(shape)) for name, values in found.items()}
    return xr.Dataset(arrays, coords=axes, attrs={"inits": int(chosen.size)})


def _error(forecasts: Forecasts, target: Target, i: int, column: int) -> np.ndarray:
    """Return the error of one pair, of shape (component, cell)."""
    matched, levels = forecasts.matched, None if target.level is None else (target.level,)
    at = (matched.init_positions[[i]], matched.lead_positions[[column]])
    position = matched.truth_positions[[i], column]
    data = forecasts.places.open("forecast")
    ours = np.stack([forecast_block(data[c], *at, levels)[:, 0, 0, 0].mean(axis=0) for c in target.components])
    theirs = [kept_maps(forecasts.places, "truth", c).take([position], levels)[0, 0] for c in target.components]
    if target.is_derived:
        return (np.hypot(*ours) - np.hypot(*theirs))[None].astype("float64")
    return (ours - np.stack(theirs)).astype("float64")
