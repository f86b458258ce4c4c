"""A small simulated target and predictions of it, scored without any file, for tests of what rows there are."""

from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ProjectionScorer

VARIABLES = ("tas", "pr")
LATITUDE = np.linspace(-75.0, 75.0, 6)
LONGITUDE = np.arange(8) * 45.0


def fields(seed=0, *, members=0, years=21, level=None, variables=VARIABLES):
    """Return a warming with noise, of members or of one, in scoring units."""
    rng = np.random.default_rng(seed)
    sizes = {"member": members, "time": years, "latitude": 6, "longitude": 8}
    coords = {"member": np.arange(members) + 1, "time": np.arange(years) + 2080}
    coords |= {"latitude": LATITUDE, "longitude": LONGITUDE}
    kept = {dim: coords[dim] for dim, size in sizes.items() if size}
    noise = {name: rng.standard_normal(tuple(map(len, kept.values()))) for name in variables}
    made = xr.Dataset({name: (tuple(kept), values) for name, values in noise.items()}, coords=kept)
    mean = {"tas": 2.0, "pr": 0.1, "pr90": 0.2, "diurnal_temperature_range": -0.1} | (level or {})
    return made.map(lambda field: mean[field.name] * (1.0 + 0.02 * (field["time"] - 2090)) + 0.1 * field)


def scorer(target, **settings):
    """Return a scorer of the task without files; settings as on its card, a double underscore for a dot."""
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    card = with_settings(find_task("climatebench"), {"targets": list(target), **dotted})
    return ProjectionScorer(ProjectionTask(card, None, find_dataset("climatebench")), target)


def table(scores):
    """Return rows by variable, metric and region."""
    found = {(row["variable"], row["metric"], row["region"]): row for row in scores.rows}
    assert len(found) == len(scores.rows)
    return found
