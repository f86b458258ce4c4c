"""Scores of a projection: ClimateBench's errors, each with the target's noise floor and an interval beside it."""

from __future__ import annotations

import xarray as xr

from climbench.grids import latitude_weights
from climbench.metrics.resampling import error_gram
from climbench.tasks.budget_rows import append_budgets
from climbench.tasks.change_rows import append_changes
from climbench.tasks.comparison import Comparison, aligned, compare
from climbench.tasks.consistency_rows import append_consistency, regions_needed
from climbench.tasks.ensemble_rows import append_ensemble
from climbench.tasks.error_parts import global_parts, left_out_parts, skills, spatial_parts
from climbench.tasks.error_rows import append_errors, append_skill, near_zero
from climbench.tasks.fixed_fields import control_climatology, land_of
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_metrics import CONTRACT, check_scoring, metrics_of, regions_of
from climbench.tasks.reductions import Reductions
from climbench.tasks.score_regions import stack_regions
from climbench.tasks.score_rows import GLOBE, ModelScores
from climbench.tasks.training_data import present_members

__all__ = ["ModelScores", "ProjectionScorer"]


class ProjectionScorer:
    """Scores predictions of one projection task.

    Parameters
    ----------
    task : ProjectionTask
        Says what is scored and how.
    target : Dataset of shape (member, time, latitude, longitude)
        From ``task.target()``.

    Raises
    ------
    CardError
        If the task's card names a metric or region that there is not.
    """

    def __init__(self, task: ProjectionTask, target: xr.Dataset) -> None:
        check_scoring(task.card)
        self.task = task
        self.target = target
        self.wanted = metrics_of(task.card)
        area = latitude_weights(target["latitude"], task.card.scoring.weights)
        shown, needed = regions_of(task.card), regions_needed(self.wanted)
        self.regions = stack_regions(area, target, shown, needed, lambda: land_of(task, target))
        self.control = control_climatology(task, target)
        self._targets: dict[str, Reductions] = {}

    def score(
        self, model: str, prediction: xr.Dataset, reference: xr.Dataset | None, *, why_no_skill: str = ""
    ) -> ModelScores:
        """Return all scores of one model.

        Parameters
        ----------
        model : str
            Its name.
        prediction : Dataset of shape ([member,] time, latitude, longitude)
            In scoring units; errors are those of the mean over its members.
        reference : Dataset or None
            The prediction that skill is stated against; None where there is none.
        why_no_skill : str
            The reason given where there is no reference.

        Returns
        -------
        ModelScores
            The globe's rows first, those that every projection has before all others.
        """
        scores = ModelScores()
        with xr.set_options(arithmetic_join="exact"):  # type: ignore[no-untyped-call]  # of xarray; else what differs is lost
            compared = {v: self._compared(model, v, prediction[v]) for v in self.task.card.targets}
            for variable, c in compared.items():
                base = None if reference is None else reference[variable]
                self._score_variable(scores, c, base, why_no_skill)
            append_consistency(scores, compared, self.wanted, self.control)
            append_budgets(scores, compared, self.target)
        return self._finished(scores)

    def _compared(self, model: str, variable: str, prediction: xr.DataArray) -> Comparison:
        if variable not in self._targets:
            members = present_members(self.target[variable]).astype("float64")
            self._targets[variable] = Reductions(members, self.regions.weights, members.sizes["member"])
        target = self._targets[variable]
        c = compare(model, variable, self.task.units(variable), prediction, target, self.regions)
        if c.masked:
            self.task.note(f"{variable}: {c.masked} cells with missing values left out of the scores")
        return c

    def _score_variable(
        self, scores: ModelScores, c: Comparison, reference: xr.DataArray | None, why_no_skill: str
    ) -> None:
        spatial, globe = spatial_parts(c), global_parts(c)
        append_errors(scores, c, spatial, globe, self.task.card)
        warning = near_zero(c, globe)
        if warning:
            self.task.note(warning)
        found = {}
        if reference is not None:
            base = aligned(_members_averaged(reference), c.target, c.regions)
            found = skills(c, Reductions(base, c.weights, c.members))
        append_skill(scores, c, self._skill_name, found, why_no_skill)
        append_changes(scores, c, self.wanted)
        append_ensemble(scores, c, spatial, self.wanted)
        errors = c.prediction.field - c.target.field
        scores.statistics[f"{c.variable}_error_gram"] = error_gram(errors, c.globe)
        errors = c.prediction.series - c.target.series
        scores.statistics[f"{c.variable}_global_error"] = errors.isel(region=0, drop=True)

    @property
    def _skill_name(self) -> str:
        return f"skill_vs_{self.task.card.skill_against}"

    def _finished(self, scores: ModelScores) -> ModelScores:
        """Return scores with their rows in order: the contract's for the globe, then its others, then the regions."""
        for region, reason in self.regions.left_out.items():
            if region in regions_of(self.task.card):
                scores.add_reason(f"region {region}", reason)
        order = {name: place for place, name in enumerate(self.regions.shown, start=1)}
        first = {*CONTRACT, self._skill_name}
        scores.rows.sort(
            key=lambda row: 0 if row["region"] == GLOBE and row["metric"] in first else order[row["region"]]
        )
        return scores

    def score_leave_one_out(self, model: str, predictions: xr.Dataset) -> ModelScores:
        """Return the errors of a reference in which each member is held against the mean of the others.

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
            present = present_members(self.target[variable])["member"]
            c = self._compared(model, variable, predictions[variable].sel(member=present))
            if c.members < 3:
                scores.add_reason(f"floors of {variable}", f"{model}: {c.members} members are too few")
            spatial, globe = left_out_parts(c, reason)
            append_errors(scores, c, spatial, globe, self.task.card)
            append_skill(scores, c, self._skill_name, {}, reason)
        return self._finished(scores)


def _members_averaged(prediction: xr.DataArray) -> xr.DataArray:
    return prediction.mean("member", skipna=False) if "member" in prediction.dims else prediction
