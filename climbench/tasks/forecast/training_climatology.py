"""The climatology that anomalies are taken from: that of the training period, or a store that has not seen the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from climbench.cards import ForecastCard
from climbench.data.climatology import period_of
from climbench.data.climatology_store import write_climatology
from climbench.errors import PredictionError
from climbench.records import cache_home, fingerprint
from climbench.tasks.forecast.matching import task_inits
from climbench.tasks.forecast.task import state_of, training

OWN = "train"  # on a card: the climatology of the task's own training period


def refuse_overlap(card: ForecastCard, climatology: xr.Dataset, place: str) -> list[str]:
    """Return a warning about a climatology of unknown period.

    Parameters
    ----------
    card : ForecastCard
        Says which period is tested.
    climatology : Dataset
        As opened; its attributes or its name may tell from which years it was made.
    place : str
        Path or URL.

    Returns
    -------
    list of str
        Empty where the period is known and lies apart from the test.

    Raises
    ------
    PredictionError
        If the climatology was made from times that are tested.
    """
    name = place.rstrip("/").rpartition("/")[2]
    period = period_of(climatology, name)
    if period is None:
        return [
            f"WARNING: the climatology {name} does not say from which years it was made; if the test period is among "
            "them, anomaly scores are too good"
        ]
    inits = task_inits(card)
    end = inits.max() + np.timedelta64(round(card.leads.last * 3600), "s")
    if period[0] <= end and period[1] >= inits.min():
        raise PredictionError(
            f"The climatology {name} was made from {period[0]} to {period[1]}, and the task tests {inits.min()} to "
            f"{end}: it has seen the test. Take one of other years, such as one made by climbench data climatology."
        )
    return []


def training_climatology(card: ForecastCard, truth: xr.Dataset, fingerprint_of_truth: str) -> Path:
    """Return the store of the climatology of a task's training period, made once and kept in the cache.

    Parameters
    ----------
    card : ForecastCard
        Says which period, and of which variables.
    truth : Dataset of shape (time, [level,] latitude, longitude)
        Canonical, lazy.
    fingerprint_of_truth : str
        Tells truths apart.

    Returns
    -------
    Path
        In WeatherBench's layout.

    Raises
    ------
    DataError
        If the training period is not in the truth.
    """
    state = state_of(card, truth)
    content = {"truth": fingerprint_of_truth, "period": card.train, "targets": card.targets, "recipe": 1}
    store = cache_home() / "climatologies" / f"{card.dataset}-{fingerprint(content)[:16]}.zarr"
    if not store.is_dir():
        train = training(card, truth)[0]["train"]
        write_climatology(train[list(state.data_vars)], store)
    return store
