"""How well an emulator does on folds of the training data: what `choose` compares settings by.

A fold's score is ClimateBench's total without its normaliser, over the last years that are judged: spatial error plus
five times the global error. Folds are pooled by the mean of its logarithm, so that only ratios count and no fold
outweighs another because its climate changes more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from climbench.grids import latitude_weights
from climbench.metrics.errors import nrmse_total, rmse_global, rmse_spatial
from climbench.models.base import Emulator

Fold = tuple[Mapping[str, xr.Dataset], Mapping[str, xr.Dataset]]
JUDGED_YEARS = 21  # as many as ClimateBench scores, from the end
CLEARLY_BETTER = 0.9  # of the other error: folds are few, so that a smaller gain may be chance
SPACE = ("latitude", "longitude")


def target_names(data: xr.Dataset, inputs: Iterable[str]) -> list[str]:
    """Return the variables of training data that are maps and no inputs."""
    return [str(v) for v in data if set(SPACE) <= set(data[v].dims) and v not in set(inputs)]


def judged_years(field: xr.DataArray) -> np.ndarray:
    """Return the years of a validation field that have targets, the last 21 of them."""
    there = field.notnull().all(SPACE)
    years: np.ndarray = field["time"].values[there.values]
    return years[-JUDGED_YEARS:]


def total_error(prediction: xr.DataArray, target: xr.DataArray) -> float:
    """Return spatial error plus five times global error, in the field's unit.

    Parameters
    ----------
    prediction, target : DataArray of shape (time, latitude, longitude)
        Years of the target without values are not judged.

    Returns
    -------
    float
    """
    years = judged_years(target)
    ours, theirs = prediction.sel(time=years), target.sel(time=years)
    weights = latitude_weights(target["latitude"], "cos_latitude")
    return float(nrmse_total(rmse_spatial(ours, theirs, weights), rmse_global(ours, theirs, weights)))


def errors_by_fold(emulator: Emulator, folds: Sequence[Fold], *, seed: int) -> dict[str, list[float]]:
    """Fit an emulator on each fold and return its errors.

    Parameters
    ----------
    emulator : Emulator
        Is fitted anew on every fold.
    folds : sequence of (train, validation)
        As `choose` is given them.
    seed : int
        The seed of everything random.

    Returns
    -------
    dict of str to list of float
        For each target its total error on every validation scenario of every fold, in the variable's unit.
    """
    errors: dict[str, list[float]] = {}
    for train, validation in folds:
        emulator.fit(train, None, seed=seed)
        for data in validation.values():
            prediction = emulator.predict(data, members=1, seed=seed)
            for name in map(str, prediction):
                errors.setdefault(name, []).append(total_error(prediction[name], data[name]))
    return errors


def fold_errors(emulator: Emulator, folds: Sequence[Fold], *, seed: int) -> dict[str, float]:
    """Fit an emulator on each fold and return its pooled error of each target.

    Parameters
    ----------
    emulator, folds, seed
        As for `errors_by_fold`.

    Returns
    -------
    dict of str to float
        The geometric mean of its errors over the folds, in each variable's unit.
    """
    return {name: pooled(errors) for name, errors in errors_by_fold(emulator, folds, seed=seed).items()}


def pooled(errors: Iterable[float]) -> float:
    """Return the geometric mean of errors: units and sizes cancel where settings are compared."""
    return float(np.exp(np.mean(np.log(list(errors)))))
