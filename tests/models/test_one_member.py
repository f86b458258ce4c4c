"""One member against the mean of the others: algebra that holds for any draw, and the expectation over many.

With n of m members left out, x_n less the mean of the others is m / (m - 1) (x_n - mean): the mean over n of its square
is exactly S2 (1 + 1 / (m - 1)), with S2 the unbiased variance across members.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.errors import ModelError
from climbench.models.one_member import OneMember
from climbench.tasks.projection import ProjectionTask
from climbench.tasks.projection_scores import ProjectionScorer

LATITUDE = np.linspace(-75.0, 75.0, 6)
WEIGHTS = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(8)


def ensemble(rng, members, years=5, deviation=1.0):
    shape = (members, years, LATITUDE.size, 8)
    coords = {
        "member": np.arange(1, members + 1),
        "time": np.arange(2080, 2080 + years),
        "latitude": LATITUDE,
        "longitude": np.arange(8) * 45.0,
    }
    return xr.Dataset({"tas": (tuple(coords), 2.0 + deviation * rng.standard_normal(shape))}, coords=coords)


def score(target):
    card = with_settings(find_task("climatebench"), {"targets": ["tas"]})
    scorer = ProjectionScorer(ProjectionTask(card, None, find_dataset("climatebench")), target)
    scores = scorer.score_leave_one_out("one-member", OneMember().leave_one_out(target))
    return {row["metric"]: row for row in scores.rows if row["region"] == "global"}


@pytest.mark.parametrize("members", [2, 3, 7])
def test_the_mean_square_is_the_variance_times_one_and_the_share_of_the_others(members):
    target = ensemble(np.random.default_rng(members), members)
    values = target["tas"].values
    spatial = np.average(values.mean(axis=1).var(axis=0, ddof=1), weights=WEIGHTS)
    annual = (values * WEIGHTS).sum(axis=(2, 3)) / WEIGHTS.sum()
    rows = score(target)
    share = 1.0 + 1.0 / (members - 1)
    assert rows["rmse_spatial"]["value"] ** 2 == pytest.approx(spatial * share, rel=1e-12)
    assert rows["rmse_global"]["value"] ** 2 == pytest.approx(annual.var(axis=0, ddof=1).mean() * share, rel=1e-12)


@pytest.mark.parametrize("members", [3, 7])
def test_its_floor_is_that_of_the_mean_over_the_others(members):
    target = ensemble(np.random.default_rng(members), members)
    variance = target["tas"].values.mean(axis=1).var(axis=0, ddof=1)
    floor = np.average(variance, weights=WEIGHTS) / (members - 1)
    rows = score(target)
    assert rows["rmse_spatial"]["floor"] ** 2 == pytest.approx(floor, rel=1e-12)
    # What exceeds the floor is the variability that the one member carries itself.
    assert rows["rmse_spatial_debiased"]["value"] ** 2 == pytest.approx(np.average(variance, weights=WEIGHTS), rel=1e-9)


def test_expectation_over_drawn_ensembles():
    """Known noise: a deviation of 0.5 a year over 5 years has S2 = 0.25 / 5, so three members give 1.5 S2."""
    rng = np.random.default_rng(0)
    squares = [score(ensemble(rng, 3, deviation=0.5))["rmse_spatial"]["value"] ** 2 for _ in range(60)]
    expected = 1.5 * 0.25 / 5
    error = (np.mean(squares) - expected) / (np.std(squares, ddof=1) / np.sqrt(len(squares)))
    assert abs(error) < 3.0
    assert np.mean(squares) == pytest.approx(expected, rel=0.05)


def test_two_members_have_an_error_but_no_floor():
    rows = score(ensemble(np.random.default_rng(1), 2))
    assert rows["rmse_spatial"]["value"] > 0.0
    assert rows["rmse_spatial"]["floor"] is None
    assert rows["rmse_spatial_debiased"]["value"] is None


@pytest.mark.parametrize("target", [ensemble(np.random.default_rng(0), 1), ensemble(np.random.default_rng(0), 1)[[]]])
def test_a_single_member_is_refused(target):
    with pytest.raises(ModelError, match=r"'one-member' needs at least two members in the target; leave it out"):
        OneMember().leave_one_out(target)
