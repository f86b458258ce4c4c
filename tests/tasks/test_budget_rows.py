"""Budgets of projections: closures of fields whose means are known, and what is missing for others."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import VariableEntry, find_dataset, find_task, with_settings
from climbench.tasks.budget_rows import BUDGETS
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ProjectionScorer
from tests.tasks.scored_fields import LATITUDE, LONGITUDE, table

UNITS = {"pr": "mm/day", "evspsbl": "mm/day", "rsdt": "W m-2", "rsut": "W m-2", "rlut": "W m-2"}
AREA = np.diff(np.sin(np.deg2rad(np.linspace(-90.0, 90.0, 7))))
SETTINGS = {"scoring.regions": [], "scoring.metrics": []}


def made(means, members=0, latitude=LATITUDE):
    """Fields of which each row's deviation from the mean is known; members differ by a tenth of their number."""
    axes = {"member": np.arange(members) + 1} if members else {}
    axes |= {"time": np.arange(2080, 2101), "latitude": latitude, "longitude": LONGITUDE}
    rows = np.arange(6.0)[-latitude.size :]
    shape = tuple(map(len, axes.values()))
    fields = {}
    for name, mean in means.items():
        values = np.broadcast_to(mean + rows[:, None], shape).copy()
        if members and name == "rlut":
            values += 0.1 * np.arange(members)[:, None, None, None]
        fields[name] = (tuple(axes), values)
    return xr.Dataset(fields, axes)


def scored(target, prediction):
    variables = {name: VariableEntry(units=units) for name, units in UNITS.items()}
    dataset = find_dataset("climatebench").model_copy(update={"variables": variables})
    card = with_settings(find_task("climatebench"), {"targets": list(target), **SETTINGS})
    return ProjectionScorer(ProjectionTask(card, None, dataset), target).score("mine", prediction, None)


TARGET = {"pr": 3.0, "evspsbl": 3.0, "rsdt": 340.0, "rsut": 100.0, "rlut": 239.0}


def test_budgets_are_those_of_the_means():
    """Every field has the same rows, so that of three fluxes one set of them is left, weighed by area."""
    scores = scored(made(TARGET, 4), made({**TARGET, "evspsbl": 3.25, "rlut": 238.0}))
    rows = table(scores)
    row = -float(AREA @ np.arange(6.0) / AREA.sum())
    assert rows["pr", "water_closure", "global"]["value"] == pytest.approx(0.25, rel=1e-9)
    assert rows["pr", "toa_net", "global"]["value"] == pytest.approx(2.0 + row, rel=1e-9)
    error = rows["pr", "toa_net_error", "global"]
    assert error["value"] == pytest.approx(1.15, rel=1e-9)  # of the target, members' rlut is 0.15 above
    assert error["floor"] == pytest.approx(np.std([0.0, 0.1, 0.2, 0.3], ddof=1) / 2.0, rel=1e-9)
    assert rows["pr", "toa_net", "global"]["units"] == "W m-2"
    assert list(scores.impossible) == ["surface_net", "energy_closure"]
    assert any(text.startswith("net solar radiation at the surface") for text in scores.impossible["energy_closure"])


def test_what_is_missing_is_named_and_no_row_made_up():
    scores = scored(made({"pr": 3.0}, 4), made({"pr": 3.1}))
    assert set(scores.impossible) == set(BUDGETS)
    assert scores.impossible["water_closure"] == (
        next(text for text in scores.impossible["water_closure"] if text.startswith("evaporation")),
    )
    assert not {"toa_net", "water_closure"} & {row["metric"] for row in scores.rows}


def test_a_part_of_the_globe_is_refused():
    north = LATITUDE[3:]
    scores = scored(made(TARGET, 4, north), made(TARGET, 0, north))
    assert scores.impossible["toa_net"] == (
        "the whole globe: the grid covers a part of it, whose budget is not closed",
    )
