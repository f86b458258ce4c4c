"""What long roll-outs are judged by: blow-up, range, drift and power, each held against the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from climbench.experiments.long_rollout_truth import Truth
from climbench.metrics.autoregression import fit_ar2, variance_inflation

DAYS_A_YEAR = 365.2425
DEGREES = (2, 18)
JUDGED = 100
WITHIN, FACTOR = 1.5, 2.0  # of the truth's half range; of the truth's power
Measured = Mapping[str, np.ndarray]


def drift(series: np.ndarray, days: np.ndarray) -> tuple[float, float]:
    """Return the trend of series a day, averaged over series, and its standard error.

    The slope is that of least squares; the variance of its error is that of independent residuals times what an AR(2)
    process fitted to them adds to the variance of a mean (`climbench.metrics.autoregression`). Series are taken as
    independent of one another.

    Parameters
    ----------
    series : ndarray of shape (step, series)
        Without gaps.
    days : ndarray of shape (step,)
        When.

    Returns
    -------
    slope, error : float
        In the unit a day; the error is NaN where series are too short for the process or do not vary.
    """
    if len(days) < 3 or not series.shape[1]:
        return float("nan"), float("nan")
    centred = days - days.mean()
    spread = (centred**2).sum()
    slopes = centred @ series / spread
    residuals = series - series.mean(0) - centred[:, None] * slopes
    with np.errstate(invalid="ignore", divide="ignore"):
        inflation = variance_inflation(fit_ar2(residuals), np.ones((len(days), 1), bool))
        errors = (residuals**2).sum(0) / (len(days) - 2) / spread * inflation
    return float(slopes.mean()), float(np.sqrt(errors.sum()) / series.shape[1])


def summary_table(
    runs: Mapping[str, Measured], truth: Truth, hours: float, units: Sequence[str], powers_at: Sequence[int]
) -> pd.DataFrame:
    """Return one row a run and field.

    Parameters
    ----------
    runs : mapping of str to mapping
        What `climbench.experiments.long_rollout_steps.Rollout.into` gave, by the name of the run.
    truth : Truth
        What it is held against.
    hours : float
        Of a step.
    units : sequence of str
        By field.
    powers_at : sequence of int
        Steps whose power was kept.

    Returns
    -------
    DataFrame
        ``excursion`` is the farthest reach from the middle of the truth's range, in its half widths; ``power_low`` and
        ``power_high`` are the least and the largest ratio to the truth's power over degrees 2 to 18 at step
        ``power_step``, in the mean over starts that last so long; ``stable`` is the issue's rule: no start blew up,
        excursion within 1.5, ratios within a factor of 2 (where the grid has a transform).
    """
    rows = []
    for run, found in runs.items():
        blown = found["blown"]
        last = blown == 0
        days = np.arange(1, len(found["low"]) + 1) * hours / 24.0
        step, ratios = _ratios(found, truth, powers_at)
        with np.errstate(invalid="ignore"):
            reach = np.fmax.reduce(truth.excursion(found["low"], found["high"]), axis=(0, 1))
        for place, name in enumerate(truth.names):
            mean, mean_error = drift(found["mean"][:, last, place], days)
            variance, variance_error = drift(found["variance"][:, last, place], days)
            low, high = (
                (float(ratios[place].min()), float(ratios[place].max())) if ratios is not None else (np.nan,) * 2
            )
            unblown = bool(last.all())
            power_fits = np.isnan(low) if ratios is None else (low >= 1.0 / FACTOR and high <= FACTOR)
            yearly = DAYS_A_YEAR if days[-1] >= 365.0 else np.nan
            rows.append(
                {
                    "run": run,
                    "variable": name,
                    "units": units[place],
                    "starts": blown.size,
                    "blown": int((~last).sum()),
                    "first_blow_up": None if unblown else int(blown[~last].min()),
                    "excursion": float(reach[place]),
                    "drift_a_day": mean,
                    "drift_error_a_day": mean_error,
                    "drift_a_year": mean * yearly,
                    "drift_error_a_year": mean_error * yearly,
                    "variance_drift_a_day": variance,
                    "variance_drift_error_a_day": variance_error,
                    "variance_ratio": float(_tail(found["variance"][:, last, place]) / truth.variance[place]),
                    "power_step": step,
                    "power_low": low,
                    "power_high": high,
                    "hit_rate": _hit_rate(found, place, blown, len(days)),
                    "stable": bool(unblown and reach[place] <= WITHIN and power_fits),
                }
            )
    return pd.DataFrame(rows).sort_values("variable", key=lambda v: v.map(truth.names.index), kind="stable")


def _tail(series: np.ndarray) -> float:
    """Return the mean over the last tenth of the steps; NaN where no start lasts."""
    return float(series[-max(1, len(series) // 10) :].mean()) if series.size else float("nan")


def _hit_rate(found: Measured, place: int, blown: np.ndarray, steps: int) -> float:
    """Return the share of degrees and states that a limiter acted on; NaN without one."""
    if not found["hits"].shape[1]:
        return float("nan")
    return float(found["hits"][place].mean() / lasted(blown, steps).sum())


def lasted(blown: np.ndarray, steps: int) -> np.ndarray:
    """Return how many states each start made, the last of which may have blown up."""
    return np.where(blown == 0, steps, blown)


def _ratios(found: Measured, truth: Truth, powers_at: Sequence[int]) -> tuple[int | None, np.ndarray | None]:
    """Return the step at which power is judged and ratios of shape (field, degree); None without a transform."""
    if truth.power is None or not len(found["power"]):
        return None, None
    kept = list(powers_at)[: len(found["power"])]
    place = kept.index(JUDGED) if JUDGED in kept else len(kept) - 1
    power = starts_mean(found["power"][place])
    degrees = slice(DEGREES[0], DEGREES[1] + 1)
    return kept[place], power[:, degrees] / truth.power[:, degrees]


def starts_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over starts, the first axis, of those that are finite; NaN where none is."""
    finite = np.isfinite(values)
    total = np.where(finite, values, 0.0).sum(0)
    return np.divide(total, finite.sum(0), out=np.full(total.shape, np.nan), where=finite.any(0))


def spectra_table(runs: Mapping[str, Measured], truth: Truth, powers_at: Sequence[int]) -> pd.DataFrame:
    """Return power by run, field, step and degree, in the mean over starts that last, beside the truth's mean power."""
    if truth.power is None:
        return pd.DataFrame(columns=["run", "variable", "step", "degree", "power", "truth", "ratio"])
    rows = [
        (run, name, step, degree, float(mean[degree]), float(true), float(mean[degree] / true))
        for run, found in runs.items()
        for step, values in zip(powers_at, found["power"], strict=False)
        for place, name in enumerate(truth.names)
        for mean in (starts_mean(values)[place],)
        for degree, true in enumerate(truth.power[place])
    ]
    return pd.DataFrame(rows, columns=["run", "variable", "step", "degree", "power", "truth", "ratio"])


def steps_table(runs: Mapping[str, Measured], truth: Truth) -> pd.DataFrame:
    """Return by run, step and field: extremes over starts, and means over starts of area mean and variance."""
    frames = []
    for run, found in runs.items():
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(found["low"], axis=1), np.fmax.reduce(found["high"], axis=1)
        count = len(low)
        frames.append(
            pd.DataFrame(
                {
                    "run": run,
                    "step": np.repeat(np.arange(1, count + 1), len(truth.names)),
                    "variable": truth.names * count,
                    "low": low.ravel(),
                    "high": high.ravel(),
                    "mean": starts_mean(found["mean"].swapaxes(0, 1)).ravel(),
                    "variance": starts_mean(found["variance"].swapaxes(0, 1)).ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
