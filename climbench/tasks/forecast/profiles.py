"""Whose conventions a forecast is scored by: the suite's own, or exactly those of another tool, quirks and all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import xarray as xr

from climbench.grids import latitude_weights
from climbench.tasks.forecast.catalogue import find_metric
from climbench.tasks.forecast.metrics import METRICS, Means, Metric, over_inits

BATCH = 32  # ChaosBench's
_MEANS = f"mean of each batch of {BATCH} initial times, then their mean"
_ROOTS = f"root of each batch of {BATCH} initial times, then their mean"
_WEIGHTED = ("weighted_anomaly_product", "weighted_forecast_anomaly_square", "weighted_truth_anomaly_square")


def cell_area(latitude: xr.DataArray) -> np.ndarray:
    """Return exact areas of rows; the outer rows of a region end half a step beyond their centres."""
    return latitude_weights(latitude, "cell_area").values


def cos_latitude(latitude: xr.DataArray) -> np.ndarray:
    """Return the cosine of latitude."""
    return latitude_weights(latitude, "cos_latitude").values


def to_the_poles(latitude: xr.DataArray) -> np.ndarray:
    """Return areas of rows whose outermost always reach to the poles, as WeatherBench 2 has it: wrong on a region."""
    degrees = latitude.values.astype("float64")
    edges = np.concatenate([[-90.0], 0.5 * (degrees[1:] + degrees[:-1]), [90.0]])
    return np.diff(np.sin(np.deg2rad(edges)))


@dataclass(frozen=True)
class Profile:
    """The conventions of one tool.

    Attributes
    ----------
    title : str
        The tool.
    weights : callable
        Takes latitudes (degrees, ascending), gives what rows count by.
    metrics : mapping of str to Metric
        What it has; those not named here as in the suite's own.
    quirks : mapping of str to str
        By metric, what is different from the suite's own; under ``weights`` for all.
    """

    title: str
    weights: Callable[[xr.DataArray], np.ndarray]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    quirks: Mapping[str, str] = field(default_factory=dict)

    def metric(self, name: str) -> Metric:
        """Return a metric as this tool has it."""
        return self.metrics[name] if name in self.metrics else find_metric(name)


def _batches(values: np.ndarray) -> np.ndarray:
    """Return means over batches of initial times, of shape (batch, ...); NaN are left out."""
    return np.stack([over_inits(values[i : i + BATCH]) for i in range(0, values.shape[0], BATCH)])


def _batch_roots(s: Means, members: int) -> Means:
    return {"root": np.sqrt(_batches(s["squared_error"]))}


def _by_batch(metric: Metric) -> Metric:
    """Return a metric that is linear in its statistics, averaged over batches."""
    return replace(metric, prepare=lambda s, members: {name: _batches(values) for name, values in s.items()})


def _batch_correlations(s: Means, members: int) -> Means:
    product, ours, theirs = (_batches(s[name]) for name in _WEIGHTED)
    return {"correlation": product / (np.sqrt(ours * theirs) + 1e-10)}


def _batch_spread_skill(s: Means, members: int) -> Means:
    return {"ratio": _batches(s["deviation"]) / np.sqrt(_batches(s["squared_error"]))}


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "standard": Profile("climbench", cell_area),
        "wb2": Profile(
            "WeatherBench 2",
            to_the_poles,
            {
                "acc": METRICS["acc_mean_of_inits"],
                "seeps": Metric(
                    ("seeps_penalty_wb2", "seeps_cells_wb2"),
                    lambda s, m: s["seeps_penalty_wb2"] / s["seeps_cells_wb2"],
                    units="1",
                ),
                "energy_score": Metric(("energy_score_adjacent",), lambda s, m: s["energy_score_adjacent"][..., 0]),
                "spread_skill": Metric(
                    ("squared_error", "variance"),
                    lambda s, m: np.sqrt(s["variance"]) / np.sqrt(s["squared_error"]),
                    units="1",
                    best="one",
                ),
            },
            {
                "weights": "the outermost rows reach to the poles, on a region too",
                "acc": "the correlation of each initial time, then their mean",
                "seeps": "a value equal to the dry threshold is in no category; dry shares on a bound do not count",
                "energy_score": "spread by differences of neighbouring members alone",
                "spread_skill": "over the ensemble mean's own error, which is too large by the variance over members",
            },
        ),
        "wbx": Profile("WeatherBench-X", cell_area),
        "chaosbench": Profile(
            "ChaosBench",
            cos_latitude,
            {
                "rmse": Metric(("squared_error",), lambda s, m: s["root"], _batch_roots),
                "ensemble_mean_rmse": Metric(("squared_error", "variance"), lambda s, m: s["root"], _batch_roots),
                "acc": Metric(_WEIGHTED, lambda s, m: s["correlation"], _batch_correlations, units="1", best="high"),
                "bias": _by_batch(METRICS["bias"]),
                "mae": _by_batch(METRICS["mae"]),
                "crps": _by_batch(METRICS["crps"]),
                "crps_fair": _by_batch(METRICS["crps"]),
                "ms_ssim": _by_batch(
                    Metric(
                        ("similarity_stretched",),
                        lambda s, m: s["similarity_stretched"][..., 0],
                        units="1",
                        best="high",
                    )
                ),
                "spread": _by_batch(Metric(("deviation",), lambda s, m: s["deviation"], best="none")),
                "spread_skill": Metric(
                    ("deviation", "squared_error"),
                    lambda s, m: s["ratio"],
                    _batch_spread_skill,
                    units="1",
                    best="one",
                ),
            },
            {
                "weights": "cosine of latitude: rows on the poles count nothing",
                "rmse": _ROOTS,
                "ensemble_mean_rmse": _ROOTS,
                "acc": f"weights enter squared, in batches of {BATCH} initial times",
                "ms_ssim": "each map stretched to its own range, so that a damped forecast looks perfect",
                "spectral_divergence": "not its own: it averages the maps of a batch first; here spectra are averaged",
                "bias": _MEANS,
                "mae": _MEANS,
                "crps": _MEANS,
                "crps_fair": f"not fair: all pairs of members, each with itself as well; in batches of {BATCH}",
                "spread": f"mean of the standard deviation, not root of the mean variance; in batches of {BATCH}",
                "spread_skill": f"mean standard deviation over rmse, in batches of {BATCH} initial times",
            },
        ),
    }
)
