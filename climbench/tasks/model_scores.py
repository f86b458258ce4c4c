"""Scores of several Earth system models: those of each, in rows whose variable bears the model's name."""

from __future__ import annotations

import xarray as xr

from climbench.models.one_each import part_of
from climbench.tasks.earth_system_models import EarthSystemModelsTask
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ModelScores, ProjectionScorer
from climbench.variables import of_model


def scorer_of(task: ProjectionTask, target: xr.Dataset) -> ProjectionScorer | EarthSystemModelsScorer:
    """Return what scores predictions of a task.

    Parameters
    ----------
    task : ProjectionTask
        On one climate model or several.
    target : Dataset of shape (member, time, latitude, longitude)
        From ``task.target()``.
    """
    if isinstance(task, EarthSystemModelsTask):
        return EarthSystemModelsScorer(task, target)
    return ProjectionScorer(task, target)


class EarthSystemModelsScorer:
    """Scores predictions of a task on several climate models; each is scored by its own target, land and control.

    Parameters
    ----------
    task : EarthSystemModelsTask
        Says what is scored and how.
    target : Dataset of shape (member, time, latitude, longitude)
        From ``task.target()``.
    """

    def __init__(self, task: EarthSystemModelsTask, target: xr.Dataset) -> None:
        self.scorers = {m: ProjectionScorer(part, _own_members(target, m)) for m, part in task.parts.items()}

    def score(
        self, model: str, prediction: xr.Dataset, reference: xr.Dataset | None, *, why_no_skill: str = ""
    ) -> ModelScores:
        """Return all scores of one emulator; see `ProjectionScorer.score`."""
        found = {}
        for name, scorer in self.scorers.items():
            base = None if reference is None else part_of(reference, name)
            found[name] = scorer.score(model, part_of(prediction, name), base, why_no_skill=why_no_skill)
        return joined(found)

    def score_leave_one_out(self, model: str, predictions: xr.Dataset) -> ModelScores:
        """Return the errors of a reference; see `ProjectionScorer.score_leave_one_out`."""
        found = {}
        for name, scorer in self.scorers.items():
            if scorer.target.sizes["member"] > 1:
                found[name] = scorer.score_leave_one_out(model, _own_members(predictions, name))
            else:
                found[name] = ModelScores()
                found[name].add_reason("scores", f"{model}: needs two members in the target")
        return joined(found)


def _own_members(data: xr.Dataset, model: str) -> xr.Dataset:
    """Return a model's part, with the members that it has."""
    own = part_of(data, model)
    absent = own.to_dataarray().isnull().all(["variable", "time", "latitude", "longitude"])
    return own.isel(member=(~absent).values) if bool(absent.any()) else own


def joined(found: dict[str, ModelScores]) -> ModelScores:
    """Return the scores of several climate models as one table.

    Parameters
    ----------
    found : dict of str to ModelScores
        By climate model.

    Returns
    -------
    ModelScores
        Rows of the globe first, by model; variables, and what statistics and reasons are of, bear the model's name.
    """
    whole = ModelScores()
    for name, scores in found.items():
        whole.rows += [{**row, "variable": _labelled(row["variable"], name)} for row in scores.rows]
        whole.details += [{**detail, "variable": _labelled(detail["variable"], name)} for detail in scores.details]
        variables = {str(row["variable"]) for row in scores.rows}
        whole.impossible |= {f"{metric} ({name})": what for metric, what in scores.impossible.items()}
        whole.statistics |= {_labelled_statistic(k, name, variables): v for k, v in scores.statistics.items()}
        for reason, what in scores.why_null.items():
            for item in what:
                of_all = all(item in other.why_null.get(reason, ()) for other in found.values())
                whole.add_reason(item if of_all else f"{item} ({name})", reason)
    whole.rows.sort(key=lambda row: row["region"] != "global")
    return whole


def _labelled(variable: str, model: str) -> str:
    return of_model(variable, model) if variable else variable


def _labelled_statistic(name: str, model: str, variables: set[str]) -> str:
    """Return ``tas.MODEL_error_gram`` for ``tas_error_gram``: a statistic's name begins with its variable."""
    variable = max((v for v in variables if name.startswith(f"{v}_")), key=len)
    return of_model(variable, model) + name.removeprefix(variable)
