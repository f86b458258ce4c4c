r"""Scores of forecasts, made from the means of statistics: the order of means and roots is a part of each.

A score sees statistics as area means for each initial time. `prepare` may turn these into others, one for each initial
time or batch of them; then the mean over initial times is taken; then `score` takes roots and ratios. So `rmse` is
:math:`\sqrt{\overline{\langle e^2 \rangle}}` and `rmse_mean_of_roots` is :math:`\overline{\sqrt{\langle e^2 \rangle}}`.

References
----------
Rasp et al. (2023), WeatherBench 2, arXiv:2308.15560. Ferro (2014), doi:10.1002/qj.2270. Lang et al. (2024), AIFS-CRPS,
arXiv:2412.15832. Nathaniel et al. (2024), ChaosBench, arXiv:2402.00712.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from climbench.constants import EARTH_RADIUS
from climbench.metrics.spectral_divergence import divergence, residual, smallest_scales
from climbench.metrics.spectral_kernels import effective_degree

Means = Mapping[str, np.ndarray]
ALMOST_FAIR = 0.95  # of Lang et al. (2024)


@dataclass(frozen=True)
class Metric:
    """A score.

    Attributes
    ----------
    statistics : tuple of str
        What it is made from.
    score : callable
        Takes means over initial times by statistic, and the number of members; gives the score.
    prepare : callable or None
        Takes statistics of shape (init, ...), and gives those that are averaged, of shape (init or batch, ...).
    units : str
        ``own`` for the variable's own unit, otherwise a unit; 1 where there is none.
    best : {"low", "high", "zero", "one", "none"}
        Which value is best; ``none`` where neither more nor less is better by itself.
    definition : str
        In words.
    """

    statistics: tuple[str, ...]
    score: Callable[[Means, int], np.ndarray]
    prepare: Callable[[Means, int], Means] | None = None
    units: str = "own"
    best: Literal["low", "high", "zero", "one", "none"] = "low"
    definition: str = ""

    def prepared(self, statistics: Means, members: int) -> dict[str, np.ndarray]:
        """Return what is averaged over initial times, of shape (init or batch, ...)."""
        chosen = {name: statistics[name] for name in self.statistics}
        return dict(self.prepare(chosen, members) if self.prepare is not None else chosen)

    def of(self, statistics: Means, members: int) -> np.ndarray:
        """Return the score.

        Parameters
        ----------
        statistics : mapping of str to ndarray of shape (init, ...)
            Area means; NaN where a pair was not scored.
        members : int
            Members of the forecast.

        Returns
        -------
        ndarray of shape (...)
        """
        means = {name: over_inits(values) for name, values in self.prepared(statistics, members).items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.score(means, members)


def over_inits(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(there, values, 0.0).sum(axis=0) / there.sum(axis=0)


def _crps(alpha: float) -> Callable[[Means, int], np.ndarray]:
    def score(s: Means, members: int) -> np.ndarray:
        share = alpha + (1.0 - alpha) * (members - 1.0) / members  # over all pairs the mean difference is smaller
        return s["member_absolute_error"] - 0.5 * share * s["pair_difference"]

    return score


def _roots(s: Means, members: int) -> Means:
    return {"root": np.sqrt(s["squared_error"])}


def _correlations(s: Means, members: int) -> Means:
    scale = np.sqrt(s["forecast_anomaly_square"] * s["truth_anomaly_square"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"correlation": s["anomaly_product"] / scale}


def _acc(s: Means, members: int) -> np.ndarray:
    return s["anomaly_product"] / (np.sqrt(s["forecast_anomaly_square"]) * np.sqrt(s["truth_anomaly_square"]))


def _unbiased(s: Means, members: int) -> np.ndarray:
    return s["squared_error"] - s["variance"] / members


def _spread_skill(s: Means, members: int) -> np.ndarray:
    return np.sqrt(s["variance"]) / np.sqrt(_unbiased(s, members))


def _seeps(suffix: str) -> Callable[[Means, int], np.ndarray]:
    return lambda s, m: s[f"seeps_penalty{suffix}"] / s[f"seeps_cells{suffix}"]


def _wavelength(ours: str, theirs: str) -> Callable[[Means, int], np.ndarray]:
    return lambda s, m: 2.0e-3 * np.pi * EARTH_RADIUS / effective_degree(s[ours], s[theirs])


def _of_smallest(compare: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Means, int], np.ndarray]:
    return lambda s, m: compare(smallest_scales(s["power"]), smallest_scales(s["truth_power"]))


_ANOMALIES = ("anomaly_product", "forecast_anomaly_square", "truth_anomaly_square")
_ENSEMBLE = ("member_absolute_error", "pair_difference")

METRICS: dict[str, Metric] = {
    "rmse": Metric(
        ("squared_error",),
        lambda s, m: np.sqrt(s["squared_error"]),
        definition="root of the mean over initial times of the area mean of the squared error (root last)",
    ),
    "rmse_mean_of_roots": Metric(
        ("squared_error",),
        lambda s, m: s["root"],
        _roots,
        definition="mean over initial times of the root of the area mean of the squared error (root first)",
    ),
    "mae": Metric(("absolute_error",), lambda s, m: s["absolute_error"], definition="mean absolute error"),
    "bias": Metric(("error",), lambda s, m: s["error"], best="zero", definition="mean of forecast less truth"),
    "acc": Metric(
        _ANOMALIES,
        _acc,
        units="1",
        best="high",
        definition="correlation of anomalies from the climatology, not centred, over all initial times (ratio last)",
    ),
    "acc_mean_of_inits": Metric(
        _ANOMALIES,
        lambda s, m: s["correlation"],
        _correlations,
        units="1",
        best="high",
        definition="mean over initial times of the correlation of anomalies, not centred (ratio first)",
    ),
    "activity": Metric(
        ("forecast_anomaly_square",),
        lambda s, m: np.sqrt(s["forecast_anomaly_square"]),
        best="none",
        definition="root of the mean square of the forecast's anomalies: blurred forecasts have little",
    ),
    "activity_ratio": Metric(
        ("forecast_anomaly_square", "truth_anomaly_square"),
        lambda s, m: np.sqrt(s["forecast_anomaly_square"] / s["truth_anomaly_square"]),
        units="1",
        best="one",
        definition="activity of the forecast over that of the truth",
    ),
    "wind_vector_rmse": Metric(
        ("vector_squared_error",),
        lambda s, m: np.sqrt(s["vector_squared_error"]),
        definition="root of the mean of the squared length of the vector difference",
    ),
    "crps_fair": Metric(
        _ENSEMBLE, _crps(1.0), definition="mean absolute error of members less half their mean difference (Ferro 2014)"
    ),
    "crps": Metric(_ENSEMBLE, _crps(0.0), definition="the same with all pairs of members, each with itself as well"),
    "crps_almost_fair": Metric(
        _ENSEMBLE, _crps(ALMOST_FAIR), definition=f"{ALMOST_FAIR:g} of crps_fair and the rest of crps"
    ),
    "ensemble_mean_rmse": Metric(
        ("squared_error", "variance"),
        lambda s, m: np.sqrt(s["squared_error"]),
        definition="rmse of the mean over members",
    ),
    "ensemble_mean_rmse_unbiased": Metric(
        ("squared_error", "variance"),
        lambda s, m: np.sqrt(np.maximum(_unbiased(s, m), 0.0)),
        definition="the same less what the finite number of members adds to its square; 0 where that is more",
    ),
    "spread": Metric(
        ("variance",),
        lambda s, m: np.sqrt(s["variance"]),
        best="none",
        definition="root of the mean unbiased variance across members",
    ),
    "spread_skill": Metric(
        ("squared_error", "variance"),
        _spread_skill,
        units="1",
        best="one",
        definition="spread over ensemble_mean_rmse_unbiased: 1 for a perfect ensemble of any size",
    ),
    "seeps": Metric(
        ("seeps_penalty", "seeps_cells"),
        _seeps(""),
        units="1",
        definition="of precipitation: penalties for the wrong one of dry, light and heavy (Rodwell et al. 2010)",
    ),
    "rank_histogram_deviation": Metric(
        ("rank_histogram",),
        lambda s, m: np.abs(s["rank_histogram"] - 1.0 / (m + 1.0)).sum(axis=-1),
        units="1",
        definition="sum over ranks of the distance of their shares from equal ones (Delle Monache et al. 2006)",
    ),
    "energy_score": Metric(
        ("energy_score",),
        lambda s, m: s["energy_score"][..., 0],
        definition="crps_fair of whole maps, with the root of the area mean square in place of the absolute difference",
    ),
    "variogram_score": Metric(
        ("variogram_score",),
        lambda s, m: s["variogram_score"][..., 0],
        definition=(
            "mean over pairs of boxes of 20 degrees of the squared error of the root of their absolute difference, its "
            "mean over members less what their finite number adds (Scheuerer and Hamill 2015)"
        ),
    ),
    "ms_ssim": Metric(
        ("similarity",),
        lambda s, m: s["similarity"][..., 0],
        units="1",
        best="high",
        definition="structural similarity over five scales, in the range of the truth's map (Wang et al. 2003)",
    ),
    "effective_resolution": Metric(
        ("power", "truth_power"),
        _wavelength("power", "truth_power"),
        units="km",
        definition="wavelength down to which every degree has at least half of the truth's power",
    ),
    "wind_effective_resolution": Metric(
        ("kinetic_energy", "truth_kinetic_energy"),
        _wavelength("kinetic_energy", "truth_kinetic_energy"),
        units="km",
        definition="the same of kinetic energy",
    ),
    "spectral_divergence": Metric(
        ("power", "truth_power"),
        _of_smallest(divergence),
        units="1",
        definition="relative entropy of the power of the smallest tenth of scales, the truth's to the forecast's",
    ),
    "spectral_residual": Metric(
        ("power", "truth_power"),
        _of_smallest(residual),
        units="1",
        definition="root mean square difference of the shares of power of the smallest tenth of scales",
    ),
}
