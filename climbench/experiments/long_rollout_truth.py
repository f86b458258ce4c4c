"""What a long roll-out is held against: range, means and power of the truth in the training period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.experiments.long_rollout_limiter import powers_and_rest
from climbench.grids import latitude_weights
from climbench.harmonics import SphericalHarmonics, spherical_harmonics
from climbench.metrics.spectral_kernels import power

STATES_AT_ONCE = 128


def names_of(state: xr.Dataset) -> list[str]:
    """Return the names of a state's fields: variables, with ``_LEVEL`` where they have levels."""
    return [
        f"{name}_{level:g}" if level is not None else str(name)
        for name in state.data_vars
        for level in (state["level"].values if "level" in state[name].dims else (None,))
    ]


def stacked(state: xr.Dataset) -> np.ndarray:
    """Return a state's fields as one array of shape (..., field, latitude, longitude), in the order of `names_of`."""
    parts = []
    for name in state.data_vars:
        values = state[name] if "level" in state[name].dims else state[name].expand_dims("level", axis=-3)
        parts.append(values.transpose(..., "level", "latitude", "longitude").values)
    return np.concatenate(parts, axis=-3)


@dataclass(frozen=True)
class Truth:
    """Statistics of the training period's states.

    Attributes
    ----------
    names : list of str
        The fields.
    usual : ndarray of shape (field, latitude, longitude)
        Time mean.
    low, high : ndarray of shape (field,)
        The range.
    mean, variance : ndarray of shape (field,)
        Time means of the area mean and of the variance over the area.
    power, largest : ndarray of shape (field, degree) or None
        Time mean of the power; largest power of anomalies from `usual`, that beyond all degrees last.
        None where the grid has no transform.
    weights : ndarray of shape (latitude,)
        Of area; they add up to 1.
    transform : SphericalHarmonics or None
        Of the grid.
    """

    names: list[str]
    usual: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    power: np.ndarray | None
    largest: np.ndarray | None
    weights: np.ndarray
    transform: SphericalHarmonics | None

    @classmethod
    def of(cls, state: xr.Dataset) -> Truth:
        """Return those of states of shape (time, [level,] latitude, longitude), read twice, a part at a time.

        Raises
        ------
        DataError
            If a value is not finite.
        """
        weights = latitude_weights(state["latitude"]).values
        weights = weights / weights.sum()
        transform = transform_of(state)
        count = state.sizes["time"]
        usual = sum(part.sum(0) for part in _parts(state)) / count
        lows, highs, moments, powers, largest = [], [], [], [], []
        for part in _parts(state):
            lows.append(part.min((0, 2, 3)))
            highs.append(part.max((0, 2, 3)))
            moments.append(np.stack(area_moments(part, weights)).sum(1))
            if transform is not None:
                powers.append(power(part, transform).sum(0))
                largest.append(powers_and_rest(part - usual, transform)[0].max(0))
        low, high = np.min(lows, axis=0), np.max(highs, axis=0)
        if not (np.isfinite(low) & np.isfinite(high)).all():
            raise DataError("The truth has values that are not finite in the training period; a range needs all.")
        mean, variance = np.sum(moments, axis=0) / count
        spectrum = np.sum(powers, axis=0) / count if powers else None
        most = np.max(largest, axis=0) if largest else None
        return cls(names_of(state), usual, low, high, mean, variance, spectrum, most, weights, transform)

    def excursion(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return how far values reach from the middle of the truth's range, in half widths of it: 1 at its ends."""
        middle, half = 0.5 * (self.low + self.high), 0.5 * (self.high - self.low)
        return np.maximum(high - middle, middle - low) / half


def transform_of(state: xr.Dataset) -> SphericalHarmonics | None:
    """Return the transform of a grid, or None where it has none, as that of a region."""
    try:
        return spherical_harmonics(state["latitude"].values, state["longitude"].values)
    except DataError:
        return None


def area_moments(fields: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance over the area of fields of shape (..., latitude, longitude), in float64."""
    rows = fields.mean(-1, dtype="float64")
    mean = rows @ weights
    squares = ((fields - mean[..., None, None]) ** 2).mean(-1, dtype="float64")
    return mean, squares @ weights


def _parts(state: xr.Dataset) -> Iterator[np.ndarray]:
    for start in range(0, state.sizes["time"], STATES_AT_ONCE):
        yield stacked(state.isel(time=slice(start, start + STATES_AT_ONCE)).load()).astype("float64")
