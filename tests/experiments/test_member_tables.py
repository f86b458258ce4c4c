"""The tables of a members experiment, from statistics whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.experiments.kept_results import Kept
from climbench.experiments.member_tables import (
    Grid,
    crossover_table,
    draw_table,
    score_table,
    verdict_of,
    verdict_table,
)
from climbench.experiments.subset_scores import TargetFrame
from climbench.metrics.significance import Interval

LATITUDE = np.array([-45.0, 45.0])
WEIGHTS = xr.DataArray([1.0, 1.0], coords={"latitude": LATITUDE}, dims="latitude")
PLACES = {(1, 42): [0], (1, 43): [2], (3, 42): [0, 1, 2], (3, 43): [1, 2, 3]}
PAIRS = [("mine", "base")]


def fields(values):
    """Return fields (member, time, latitude, longitude) from one number a member, the same everywhere."""
    values = np.asarray(values, "float64")[:, None, None, None] * np.ones((1, 5, 2, 4))
    coords = {"time": range(5), "latitude": LATITUDE, "longitude": np.arange(4) * 90.0}
    return xr.DataArray(values, coords=coords, dims=("member", *coords))


MEMBERS = fields([1.0, -1.0, 2.0, -2.0])
FRAME = TargetFrame(MEMBERS, WEIGHTS, fields([0.0]).isel(member=0))


def kept(value):
    return Kept({"tas": FRAME.of_prediction(fields([value]).isel(member=0))})


@pytest.fixture
def grid():
    """``mine`` errs by 0.5 with one member and is right with three; ``base`` errs by 0.3 always."""
    found = {
        "base": {place: kept(0.3) for place in PLACES},
        "mine": {(n, seed): kept(0.5 if n == 1 else 0.0) for n, seed in PLACES if seed == 42},
    }
    return Grid({"tas": FRAME}, {"tas": "K"}, PLACES, found)


def test_errors_are_against_all_members_or_the_subsets_own(grid):
    table = draw_table(grid).set_index(["model", "metric", "target", "n", "memberseed"])["value"]
    assert table["base", "rmse_spatial", "all", 1, 42] == pytest.approx(0.3)  # the mean over all is zero
    assert table["base", "rmse_spatial", "same", 1, 43] == pytest.approx(2.0 - 0.3)
    assert table["mine", "rmse_spatial", "same", 3, 42] == pytest.approx(2.0 / 3.0)
    assert table["base", "rmse_global", "same", 3, 43] == pytest.approx(1.0 / 3.0 + 0.3)


def test_scores_are_means_over_draws_with_their_spread(grid):
    table = score_table(grid, draw_table(grid)).set_index(["model", "metric", "target", "n"])
    row = table.loc[("base", "rmse_spatial", "same", 1)]
    values = [0.7, 1.7]
    assert (row["value"], row["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert (row["lowest"], row["highest"], row["draws"]) == pytest.approx((0.7, 1.7, 2))
    variance = 10.0 / 3.0  # of 1, -1, 2, -2
    assert row["floor"] == pytest.approx(np.sqrt(variance))
    assert row["ratio"] == pytest.approx(np.mean(np.square(values)) / variance)
    assert table.loc[("base", "rmse_global", "all", 3)]["floor"] == pytest.approx(np.sqrt(variance / 4.0))
    assert table.loc[("base", "rmse_spatial", "all", 1)]["true_value"] == pytest.approx(0.3)
    assert np.isnan(table.loc[("mine", "rmse_spatial", "all", 1)]["sd"])


def test_verdicts_are_on_the_draws_both_have_and_know_the_truth(grid):
    table = verdict_table(grid, PAIRS).set_index(["metric", "n"])
    one, three = (table.loc[("rmse_spatial", n)] for n in (1, 3))
    assert (one["draws"], three["draws"]) == (1, 1)
    assert one["difference"] == pytest.approx(0.5**2 - 0.3**2)
    assert three["difference"] == pytest.approx(-(0.3**2))
    assert (one["truth"], three["truth"]) == ("worse", "better")
    assert one["low"] < one["difference"] < one["high"]


def test_with_one_member_no_verdict_is_seen(grid):
    table = verdict_table(grid, PAIRS).set_index(["metric", "n"])
    assert table.loc[("rmse_spatial", 1)][["seen_better", "seen_tie", "seen_worse"]].isna().all()
    shares = table.loc[("rmse_spatial", 3)][["seen_better", "seen_tie", "seen_worse"]]
    assert shares.sum() == pytest.approx(1.0)


def test_a_verdict_against_the_truth_is_wrong_and_a_tie_is_neither():
    quiet = TargetFrame(1.0 + 0.001 * MEMBERS, WEIGHTS, fields([0.0]).isel(member=0))
    right, wrong = (Kept({"tas": quiet.of_prediction(fields([v]).isel(member=0))}) for v in (0.0, 1.0))
    grid = Grid(
        {"tas": quiet}, {"tas": "K"}, {(4, 42): [0, 1, 2, 3]}, {"base": {(4, 42): wrong}, "mine": {(4, 42): right}}
    )
    row = verdict_table(grid, PAIRS).iloc[0]
    assert (row["verdict"], row["truth"], row["right"]) == ("worse", "better", False)
    tie = Grid(grid.frames, grid.units, grid.places, {"base": {(4, 42): wrong}, "mine": {(4, 42): wrong}})
    row = verdict_table(tie, PAIRS).iloc[0]
    assert (row["verdict"], row["truth"], row["right"]) == ("tie", None, None)


def test_crossovers_use_the_draws_both_have(grid):
    table = crossover_table(grid, draw_table(grid), PAIRS).set_index(["metric", "target"])
    row = table.loc[("rmse_spatial", "all")]
    assert (row["n"], row["low"], row["high"], row["stays"], row["draws"]) == (3, 3, 3, True, 1)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-2.0, -1.0, "better"), (-1.0, 1.0, "tie"), (1.0, 2.0, "worse"), (0.0, 1.0, "tie"), (None, None, None)],
)
def test_an_interval_that_holds_zero_is_a_tie(low, high, verdict):
    assert verdict_of(Interval(low, high)) == verdict
