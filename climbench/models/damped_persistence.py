"""Damped persistence: today's anomaly fades as fast as anomalies faded in the training years, in each cell.

The least that a forecast has to beat: with correlations that are right it is never worse than persistence or
climatology, in the mean, and goes over from one to the other.

Reference: van den Dool (2006), Empirical Methods in Short-Term Climate Prediction, Oxford University Press.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from climbench.data.climatology import at_valid_times, climatology
from climbench.errors import ModelError
from climbench.models.fitted_fields import read_fields, write_fields
from climbench.models.forecaster import Forecaster, in_forecast_order, initial_state, one_series, valid_times

FIELDS, CORRELATION = "climatology", "autocorrelation"
HOUR, DAY = np.timedelta64(3600, "s"), np.timedelta64(86400, "s")
BLOCK_BYTES = 32 * 2**20


class DampedPersistence(Forecaster):
    """Forecasts the climatology of the training years and what is left of the initial anomaly.

    Its share at a lead time is the anomalies' autocorrelation at that lag in the training years, where it is negative
    nothing. Between the lags that were measured (every step to a day, then every day) shares are linear; beyond the
    last the forecast is the climatology.

    Parameters
    ----------
    longest_days : int
        The longest lag that is measured.

    Attributes
    ----------
    fields : Dataset of shape (hour, dayofyear, [level,] latitude, longitude)
        The climatology (`climbench.data.climatology`).
    correlation : Dataset of shape (lag, [level,] latitude, longitude)
        Autocorrelations; the coordinate ``lag`` is in hours.
    """

    def __init__(self, longest_days: int = 15) -> None:
        if longest_days < 1:
            raise ModelError(f"The longest lag is {longest_days} days; it must be one day or more.")
        self.longest_days = longest_days
        self.fields: xr.Dataset | None = None
        self.correlation: xr.Dataset | None = None

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        fitted = [data for data in (self.fields, self.correlation) if data is not None]
        return sum(field.size for data in fitted for field in data.values())

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Take climatology and autocorrelations of the training years; the validation years are not looked at."""
        series = one_series(train)
        self.fields = climatology(series)
        lags = _lags(series["time"], self.longest_days)
        self.correlation = anomaly_autocorrelation(series, self.fields, lags)

    def predict(self, inputs: xr.Dataset, *, leads: np.ndarray, members: int = 1, seed: int) -> xr.Dataset:
        """Return climatology and damped anomaly for each lead time.

        Raises
        ------
        ModelError
            If it was not fitted, or was fitted on another grid.
        """
        if self.fields is None or self.correlation is None:
            raise ModelError("Damped persistence was not fitted; call fit(train, seed=...) first.")
        state = initial_state(inputs)[list(self.fields)]
        _require_same_grid(state, self.fields)
        valid = valid_times(inputs, leads)
        anomaly = state - at_valid_times(self.fields, state["init_time"])
        share = _shares(self.correlation, valid["lead_time"])
        forecast = at_valid_times(self.fields, valid) + share * anomaly
        named = {name: field.astype("float32").assign_attrs(inputs[name].attrs) for name, field in forecast.items()}
        return in_forecast_order(xr.Dataset(named))

    def save(self, directory: Path) -> None:
        """Write climatology and autocorrelations into a folder."""
        write_fields(self.fields, directory, FIELDS)
        write_fields(self.correlation, directory, CORRELATION)

    @classmethod
    def load(cls, directory: Path) -> DampedPersistence:
        """Return the emulator that `save` wrote into a folder."""
        emulator = cls()
        emulator.fields, emulator.correlation = (read_fields(directory, name) for name in (FIELDS, CORRELATION))
        return emulator


def anomaly_autocorrelation(series: xr.Dataset, fields: xr.Dataset, lags: np.ndarray) -> xr.Dataset:
    """Return the autocorrelation of anomalies in each cell, reading the series once.

    Parameters
    ----------
    series : Dataset of shape (time, [level,] latitude, longitude)
        Canonical, lazy or not; it may have gaps.
    fields : Dataset of shape (hour, dayofyear, [level,] latitude, longitude)
        What anomalies are taken from. Their own means are not taken off again.
    lags : ndarray of timedelta64 of shape (lag,)
        Positive.

    Returns
    -------
    Dataset of shape (lag, [level,] latitude, longitude)
        float32, from 0 to 1: sum a(t) a(t - lag) / sqrt(sum a(t)^2 sum a(t - lag)^2) over the pairs of times that are
        there, 0 where that is negative or there is no pair. Lag 0, for which it is 1, stands first; ``lag`` is in
        hours.
    """
    hours = np.concatenate([[0.0], lags / HOUR])
    made = {}
    for name, usual in fields.items():
        values = _of_variable(series[name].transpose("time", *usual.dims[2:]), usual, lags)
        coords = {"lag": hours, **{d: usual[d] for d in usual.dims[2:]}}
        made[name] = xr.DataArray(np.concatenate([np.ones_like(values[:1]), values]), coords, tuple(coords))
    return xr.Dataset(made)


def _of_variable(variable: xr.DataArray, usual: xr.DataArray, lags: np.ndarray) -> np.ndarray:
    times = variable["time"].values.astype("datetime64[s]")
    earlier = np.stack([pd.Index(times).get_indexer(times - lag) for lag in lags])  # -1 where there is none
    reach = int(np.where(earlier >= 0, np.arange(times.size) - earlier, 0).max())
    sums = np.zeros((3, lags.size, *variable.shape[1:]))
    kept = np.empty((0, *variable.shape[1:]))
    step = max(1, BLOCK_BYTES // (8 * variable[0].size))
    for start in range(0, times.size, step):
        part = variable.isel(time=slice(start, start + step))
        normal = at_valid_times(usual.to_dataset(name="usual"), part["time"])["usual"]
        anomalies = part.values.astype("float64") - normal.transpose(*part.dims).values
        kept = np.concatenate([kept[max(0, len(kept) - reach) :], anomalies])
        first = start + len(anomalies) - len(kept)
        _add_pairs(sums, kept, earlier[:, start : start + step] - first, len(anomalies))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = sums[0] / np.sqrt(sums[1] * sums[2])
    return np.clip(np.nan_to_num(correlation), 0.0, 1.0).astype("float32")


def _add_pairs(sums: np.ndarray, kept: np.ndarray, earlier: np.ndarray, count: int) -> None:
    """Add products of the last `count` anomalies and earlier ones, whose positions are negative where there is none."""
    anomalies = kept[-count:]
    for total, positions in zip(np.moveaxis(sums, 1, 0), earlier, strict=True):
        paired = positions >= 0
        now, before = anomalies[paired], kept[positions[paired]]
        product = now * before
        there = np.isfinite(product)
        for place, values in enumerate((product, now**2, before**2)):
            total[place] += values.sum(axis=0, where=there)


def _lags(time: xr.DataArray, days: int) -> np.ndarray:
    """Return the lags that are measured: every step to a day, then every day; every step if no day is whole steps."""
    steps = np.diff(time.values.astype("datetime64[s]"))
    if not steps.size:
        raise ModelError("The training data has one time; an autocorrelation needs several.")
    step, day = int(np.median(steps).astype("int64")), int(DAY.astype("int64"))
    end = days * day
    seconds = np.arange(step, max(end, step) + 1, step)
    if day % step == 0:
        seconds = np.concatenate([np.arange(step, day + 1, step), np.arange(2 * day, end + 1, day)])
    return seconds.astype("timedelta64[s]")


def _shares(correlation: xr.Dataset, leads: xr.DataArray) -> xr.Dataset:
    """Return what is left of an anomaly at each lead time: linear between lags, nothing beyond the last."""
    hours, lags = leads.values.astype("timedelta64[s]") / HOUR, correlation["lag"].values
    weights = np.stack([np.interp(hours, lags, one, right=0.0) for one in np.eye(lags.size)], axis=1)
    between = xr.DataArray(weights, {"lead_time": leads, "lag": lags}, ("lead_time", "lag"))
    return correlation.map(lambda field: xr.dot(between, field, dim="lag"))


def _require_same_grid(state: xr.Dataset, fields: xr.Dataset) -> None:
    for dim in ("level", "latitude", "longitude"):
        if dim in fields.dims and not (dim in state.dims and np.array_equal(state[dim], fields[dim])):
            raise ModelError(f"Damped persistence was fitted on another {dim} than the states have; fit it on theirs.")
