"""Steps of a forecaster that goes on from state to state: how long one is, and which lead times they reach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from climbench.errors import ModelError

HOUR = np.timedelta64(1, "h")


def step_of(periods: Mapping[str, xr.Dataset]) -> np.timedelta64:
    """Return the step of training data: the least difference between neighbouring times.

    Raises
    ------
    ModelError
        If no period has two times, times are no dates, or periods differ in their steps.
    """
    found = {}
    for name, data in periods.items():
        times = data["time"].values
        if not np.issubdtype(times.dtype, np.datetime64):
            raise ModelError(f"The times of '{name}' are {times.dtype}, not dates of the Gregorian calendar.")
        if times.size > 1:
            found[name] = np.diff(times.astype("datetime64[ns]")).min()
    if not found:
        raise ModelError("No training period has two times; there is no step to learn.")
    if len(set(found.values())) > 1:
        told = ", ".join(f"'{name}' {step / HOUR:g} h" for name, step in found.items())
        raise ModelError(f"Training periods have different steps: {told}. Train on periods of one step.")
    return np.timedelta64(next(iter(found.values())), "ns")


def steps_to(leads: np.ndarray, step: np.timedelta64) -> np.ndarray:
    """Return how many steps lead to each lead time.

    Parameters
    ----------
    leads : ndarray of timedelta64 of shape (lead_time,)
        Lead times.
    step : timedelta64
        The step.

    Returns
    -------
    ndarray of int of shape (lead_time,)

    Raises
    ------
    ModelError
        If a lead time is no whole number of steps, or not after the initial time.
    """
    wanted = np.asarray(leads).astype("timedelta64[ns]").astype(np.int64)
    one = int(step.astype("timedelta64[ns]").astype(np.int64))
    for lead in wanted[(wanted % one != 0) | (wanted <= 0)]:
        raise ModelError(
            f"The lead time {lead / 3.6e12:g} h is no whole number of steps of {one / 3.6e12:g} h, which is the step "
            "of the training data. Choose lead times that are, or train on data of a finer step."
        )
    return np.asarray(wanted // one)


def require_history(inputs: xr.Dataset, count: int, step: np.timedelta64) -> None:
    """Raise `ModelError` where the last states of inputs are not so many, one step apart, up to the initial time."""
    lags = inputs["history"].values.astype("timedelta64[ns]")
    wanted = np.arange(1 - count, 1) * step.astype("timedelta64[ns]")
    if lags.size < count or (lags[-count:] != wanted).any():
        told, needed = (", ".join(f"{lag / HOUR:g}" for lag in some) for some in (lags, wanted))
        raise ModelError(
            f"The forecaster starts from states at {needed} h, and was given states at {told} h from the initial time. "
            f"Its step is {step / HOUR:g} h, that of its training data; give it data of that step."
        )
