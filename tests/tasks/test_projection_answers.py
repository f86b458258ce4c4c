"""What an emulator answers is taken only if it lies on exactly the target's years and cells."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.errors import PredictionError
from tests.tasks.on_folder import task_on


@pytest.fixture
def asked(whole):
    task = task_on(whole)
    target = task.target()
    return task, target, target.mean("member")


def test_a_right_answer_passes_in_canonical_order_with_units(asked):
    task, target, prediction = asked
    given = prediction.transpose("longitude", "time", "latitude").assign(extra=prediction["tas"]).drop_attrs()
    checked = task.check_prediction(given, target, "mine")
    assert list(checked) == list(task.card.targets)
    assert checked["tas"].dims == ("time", "latitude", "longitude")
    assert checked["pr"].attrs["units"] == "mm/day"
    np.testing.assert_array_equal(checked["pr"], prediction["pr"])
    ensemble = task.check_prediction(target, target, "mine")
    assert ensemble["tas"].dims == ("member", "time", "latitude", "longitude")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda p: p.drop_vars("pr90"), r"^'mine' did not predict pr90; it gave tas, diurnal"),
        (
            lambda p: p.isel(longitude=0, drop=True),
            r"'mine' predicts tas with dimensions \('time', 'latitude'\); wanted",
        ),
        (lambda p: p.expand_dims(level=[1]), r"predicts tas with dimensions \('level', 'time'"),
        (
            lambda p: p.isel(time=slice(1, None)),
            r"another time than the target: 20 values 2081\.\.2100 against 21 values",
        ),
        (
            lambda p: p.isel(latitude=slice(None, None, -1)),
            r"another latitude than the target: 6 values 75\.0\.\.-75\.0",
        ),
        (lambda p: p.assign_coords(longitude=p["longitude"] + 1), r"another longitude than the target: 8 values 1\.0"),
        (lambda p: p.where(p["time"] != 2090), r"'mine' predicts values of tas that are not finite"),
        (lambda p: p.assign(pr=p["pr"] / 0.0), r"'mine' predicts values of pr that are not finite"),
        (lambda p: p.assign(pr=0 * p["pr"]), r"'mine' predicts zero throughout for pr; that is refused, not scored"),
    ],
)
def test_wrong_answers_are_refused(asked, edit, message):
    task, target, prediction = asked
    with pytest.raises(PredictionError, match=message):
        task.check_prediction(edit(prediction), target, "mine")


def test_zeros_pass_where_they_are_meant(asked):
    task, target, prediction = asked
    checked = task.check_prediction(0 * prediction, target, "no-change", zero_by_design=True)
    assert not checked["tas"].values.any()
