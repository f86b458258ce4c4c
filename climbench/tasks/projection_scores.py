"""Scores of a projection: ClimateBench's errors, each with the target's noise floor and an interval beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from climbench.grids import latitude_weights
from climbench.metrics import errors as errors_
from climbench.metrics import noise_floor, significance
from climbench.metrics.base import area_mean
from climbench.metrics.significance import Interval
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.training_data import present_members

ONE_MEMBER = "the target has one member, so neither floor nor interval can be known"


@dataclass
class ModelScores:
    """All scores of one model, and what they were made from.

    Attributes
    ----------
    rows : list of dict
        Rows of the score table.
    why_null : dict of str to list of str
        Reasons why values or intervals are null, and what each holds for.
    details : list of dict
        Per variable and part: mean square, squared floor, unclipped debiased mean square and its interval.
    statistics : dict of str to DataArray
        Per-sample statistics, from which every spatial score and interval can be made again.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    why_null: dict[str, list[str]] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)
    statistics: dict[str, xr.DataArray] = field(default_factory=dict)

    def add_reason(self, what: str, reason: str) -> None:
        """Keep why something is null, once."""
        if reason and what not in self.why_null.get(reason, []):
            self.why_null.setdefault(reason, []).append(what)

    @property
    def reasons(self) -> list[str]:
        """Why values or intervals are null, a line a reason."""
        return [f"{', '.join(what)}: {reason}" for reason, what in self.why_null.items()]


@dataclass(frozen=True)
class Part:
    """The mean square of one part (spatial or global) of an error, its floor and the interval of their difference."""

    mean_square: float
    floor_square: float
    interval: Interval

    def rooted(self, norm: float = 1.0) -> dict[str, float | None]:
        """Return value, floor and interval of the root-mean-square error, root last."""
        low, high = self.interval.low, self.interval.high
        return {
            "value": float(np.sqrt(self.mean_square)) / norm,
            "floor": _finite(np.sqrt(self.floor_square) / norm),
            "low": None if low is None else _root(low + self.floor_square) / norm,
            "high": None if high is None else _root(high + self.floor_square) / norm,
        }

    def debiased(self) -> dict[str, float | None]:
        """Return the clipped debiased error and its interval."""
        low, high = self.interval.low, self.interval.high
        known = np.isfinite(self.floor_square)
        return {
            "value": noise_floor.debiased_rmse(self.mean_square, self.floor_square) if known else None,
            "floor": None,
            "low": None if low is None else _root(low),
            "high": None if high is None else _root(high),
        }

    def detail(self, **names: str) -> dict[str, Any]:
        """Return the squares, unclipped, for the record."""
        return {
            **names,
            "mean_square": self.mean_square,
            "floor_square": _finite(self.floor_square),
            "debiased_mean_square": _finite(self.mean_square - self.floor_square),
            "low": self.interval.low,
            "high": self.interval.high,
            "reason": self.interval.reason,
        }


def _root(square: float) -> float:
    return float(np.sqrt(max(square, 0.0)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _masked(
    prediction: xr.DataArray, members: xr.DataArray, weights: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray, int]:
    """Return prediction, members and weights with the cells that lack any value weighing nothing, and their number."""
    bad = members.isnull().any(["member", "time"]) | prediction.isnull().any("time")
    count = int(bad.sum())
    if not count:
        return prediction, members, weights, 0
    return prediction.where(~bad, 0.0), members.where(~bad, 0.0), weights * (~bad).astype("float64"), count


def _row(model: str, variable: str, metric: str, units: str, values: dict[str, float | None]) -> dict[str, Any]:
    names = {"model": model, "variable": variable, "metric": metric, "region": "global", "lead_time": None}
    return {**names, **values, "units": units}


class ProjectionScorer:
    """Scores predictions of one projection task.

    Parameters
    ----------
    task : ProjectionTask
        Says what is scored and how.
    target : Dataset of shape (member, time, latitude, longitude)
        From ``task.target()``.
    """

    def __init__(self, task: ProjectionTask, target: xr.Dataset) -> None:
        self.task = task
        self.target = target
        self.weights = latitude_weights(target["latitude"], task.card.scoring.weights)

    def score(
        self, model: str, prediction: xr.Dataset, reference: xr.Dataset | None, *, why_no_skill: str = ""
    ) -> ModelScores:
        """Return all scores of one model.

        Parameters
        ----------
        model : str
            Its name.
        prediction : Dataset of shape ([member,] time, latitude, longitude)
            In scoring units; members are averaged.
        reference : Dataset or None
            The prediction that skill is stated against; None where there is none.
        why_no_skill : str
            The reason given where there is no reference.

        Returns
        -------
        ModelScores
        """
        scores = ModelScores()
        for variable in self.task.card.targets:
            mean = _members_averaged(prediction[variable])
            base = None if reference is None else _members_averaged(reference[variable])
            self._score_variable(scores, model, variable, mean, base, why_no_skill)
        return scores

    def _score_variable(
        self,
        scores: ModelScores,
        model: str,
        variable: str,
        prediction: xr.DataArray,
        reference: xr.DataArray | None,
        why_no_skill: str,
    ) -> None:
        members = present_members(self.target[variable]).astype("float64")
        prediction, members, weights, masked = _masked(prediction, members, self.weights)
        if masked:
            self.task.note(f"{variable}: {masked} cells with missing values left out of the scores")
        spatial = self._spatial(scores, variable, prediction, members, weights)
        globe = self._global(scores, variable, prediction, members, weights)
        norm = float(errors_.normaliser(members.mean("member"), weights))
        _append_errors(scores, model, variable, self.task, spatial, globe, norm)
        value, interval = None, Interval(reason=why_no_skill)
        if reference is not None:
            value, interval = _skill(prediction, reference, members, weights)
        self._append_skill(scores, model, variable, value, interval)

    def _append_skill(
        self, scores: ModelScores, model: str, variable: str, value: float | None, interval: Interval
    ) -> None:
        scores.add_reason(self._skill_name, interval.reason)
        values = {"value": value, "floor": None, "low": interval.low, "high": interval.high}
        scores.rows.append(_row(model, variable, self._skill_name, "1", values))

    @property
    def _skill_name(self) -> str:
        return f"skill_vs_{self.task.card.skill_against}"

    def _spatial(
        self, scores: ModelScores, variable: str, prediction: xr.DataArray, members: xr.DataArray, weights: xr.DataArray
    ) -> Part:
        square = float(errors_.rmse_spatial(prediction, members.mean("member"), weights)) ** 2
        gram = significance.error_gram(prediction - members, weights)
        scores.statistics[f"{variable}_error_gram"] = gram
        if members.sizes["member"] < 2:
            return Part(square, float("nan"), Interval(reason=ONE_MEMBER))
        interval = significance.debiased_interval(significance.resampling_spatial(gram))
        return Part(square, float(noise_floor.floor_square_spatial(members, weights)), interval)

    def _global(
        self, scores: ModelScores, variable: str, prediction: xr.DataArray, members: xr.DataArray, weights: xr.DataArray
    ) -> Part:
        square = float(errors_.rmse_global(prediction, members.mean("member"), weights)) ** 2
        error = area_mean(prediction, weights) - area_mean(members, weights)
        scores.statistics[f"{variable}_global_error"] = error
        if members.sizes["member"] < 2:
            return Part(square, float("nan"), Interval(reason=ONE_MEMBER))
        interval = significance.debiased_interval(significance.resampling_global(error))
        return Part(square, float(noise_floor.floor_square_global(members, weights)), interval)

    def score_leave_one_out(self, model: str, predictions: xr.Dataset) -> ModelScores:
        """Return the scores of a reference in which each member is held against the mean of the others.

        Parameters
        ----------
        model : str
            Its name.
        predictions : Dataset of shape (member, time, latitude, longitude)
            One prediction for each member of the target.

        Returns
        -------
        ModelScores
            Roots of mean squares over the members; the floor is that of the mean over the other members.
        """
        scores = ModelScores()
        reason = f"{model}: its members are the target's own, so its error is no independent sample"
        for variable in self.task.card.targets:
            members = present_members(self.target[variable]).astype("float64")
            ours = predictions[variable].sel(member=members["member"])
            parts = [self._left_out(ours.sel(member=m), members.drop_sel(member=m)) for m in members["member"].values]
            spatial, globe = (
                Part(
                    float(np.mean([p[0] for p in part])), float(np.mean([p[1] for p in part])), Interval(reason=reason)
                )
                for part in zip(*parts, strict=True)
            )
            norm = float(errors_.normaliser(members.mean("member"), self.weights))
            _append_errors(scores, model, variable, self.task, spatial, globe, norm)
            self._append_skill(scores, model, variable, None, Interval(reason=reason))
        return scores

    def _left_out(
        self, prediction: xr.DataArray, others: xr.DataArray
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        prediction, others, weights, _ = _masked(prediction, others, self.weights)
        mean = others.mean("member")
        return (
            (
                float(errors_.rmse_spatial(prediction, mean, weights)) ** 2,
                float(noise_floor.floor_square_spatial(others, weights)),
            ),
            (
                float(errors_.rmse_global(prediction, mean, weights)) ** 2,
                float(noise_floor.floor_square_global(others, weights)),
            ),
        )


def _members_averaged(prediction: xr.DataArray) -> xr.DataArray:
    return prediction.mean("member", skipna=False) if "member" in prediction.dims else prediction


def _skill(
    prediction: xr.DataArray, reference: xr.DataArray, members: xr.DataArray, weights: xr.DataArray
) -> tuple[float | None, Interval]:
    """Return the skill against a reference and the interval that the paired difference of mean squares gives it."""
    target = members.mean("member")
    value, base = (float(errors_.rmse_spatial(p, target, weights)) for p in (prediction, reference))
    if not base > 0.0:
        return None, Interval(reason="the reference has no error")
    _, interval = significance.paired_interval(prediction - members, reference - members, weights)
    if interval.low is None or interval.high is None:
        return errors_.skill(value, base), interval
    worst, best = (_root(base**2 + change) / base for change in (interval.high, interval.low))
    return errors_.skill(value, base), Interval(1.0 - worst, 1.0 - best)


def _append_errors(
    scores: ModelScores, model: str, variable: str, task: ProjectionTask, spatial: Part, globe: Part, norm: float
) -> None:
    units = task.units(variable)
    relative = [part.rooted(norm) for part in (spatial, globe)]
    factor = task.card.scoring.global_factor
    total = {
        key: None if any(r[key] is None for r in relative) else relative[0][key] + factor * relative[1][key]  # type: ignore[operator]
        for key in ("value", "floor")
    }
    for metric, unit, values in (
        ("nrmse_spatial", "1", relative[0]),
        ("nrmse_global", "1", relative[1]),
        ("nrmse_total", "1", {**total, "low": None, "high": None}),
        ("rmse_spatial", units, spatial.rooted()),
        ("rmse_global", units, globe.rooted()),
        ("rmse_spatial_debiased", units, spatial.debiased()),
    ):
        scores.rows.append(_row(model, variable, metric, unit, values))
    scores.add_reason("nrmse_total", "a sum of two roots that share their noise; read the intervals of its parts")
    for name, part in (("spatial", spatial), ("global", globe)):
        scores.details.append(part.detail(model=model, variable=variable, part=name))
        scores.add_reason(f"{name} intervals", part.interval.reason)
