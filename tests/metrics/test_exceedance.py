"""Forecasts of exceeding thresholds against hand-worked numbers, two libraries, and their expectation."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import xarray as xr
import xskillscore
from scores.probability import brier_score_for_ensemble

from climbench.errors import DataError
from climbench.metrics import exceedance
from climbench.metrics.crps import crps, fair_crps
from climbench.metrics.exceedance import brier_score, exceedance_probability, rps
from tests.metrics.ensemble_examples import draw, line, target


def limits(*values):
    return line(*values, dim="threshold")


def threshold_field():
    return 280.0 + 0.3 * (target(9).isel(time=0, drop=True) - 280.0)


def test_by_hand():
    """Members 0, 1, 3, 5, two of four above 2, target 3: (1/2 - 1)^2 = 1/4, less (1/4) / 3.

    Above 4: (1/4)^2, less (3/16) / 3. Above 3: 3 is not above itself, so one member is and the target is not.
    """
    members, value = line(0, 1, 3, 5), xr.DataArray(3.0)
    assert float(exceedance_probability(members, 2.0)) == 0.5
    assert float(brier_score(members, value, 2.0)) == pytest.approx(1 / 4)
    assert float(brier_score(members, value, 2.0, debiased=True)) == pytest.approx(1 / 4 - 1 / 12)
    for limit in (3.0, 4.0):
        assert float(brier_score(members, value, limit)) == pytest.approx(1 / 16)
        assert float(brier_score(members, value, limit, debiased=True)) == pytest.approx(0.0)
    assert float(rps(members, value, limits(4.0, 2.0))) == pytest.approx(5 / 16)
    assert float(rps(members, value, limits(4.0, 2.0), fair=True)) == pytest.approx(1 / 6)


def test_a_deterministic_forecast_is_right_or_wrong():
    forecast, value = line(1.0, 3.0, 3.0, dim="x"), line(1.5, 1.5, 4.0, dim="x")
    np.testing.assert_array_equal(brier_score(forecast, value, 2.0, member=None), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(rps(forecast, value, limits(1.2, 2.0, 3.5), member=None), [1.0, 1.0, 1.0])
    with pytest.raises(DataError, match="A deterministic forecast cannot be debiased"):
        brier_score(forecast, value, 2.0, debiased=True, member=None)


@pytest.mark.parametrize("debiased", [True, False])
def test_other_libraries_agree_about_the_brier_score(debiased):
    members, value = draw(), target()
    options = {"preserve_dims": "all", "fair_correction": debiased, "event_threshold_operator": operator.gt}
    theirs = brier_score_for_ensemble(members, value, "member", [280.4], **options).isel(threshold=0, drop=True)
    xr.testing.assert_allclose(brier_score(members, value, 280.4, debiased=debiased), theirs, atol=1e-12)
    field = threshold_field()
    other = xskillscore.brier_score(value > field, members > field, fair=debiased, dim=[])
    xr.testing.assert_allclose(brier_score(members, value, field, debiased=debiased), other, atol=1e-12)


@pytest.mark.parametrize("fair", [True, False])
def test_another_library_agrees_about_the_rps(fair):
    """Its distribution functions leave their right ends out, which continuous values do not meet."""
    members, value = draw(), target()
    edges = line(279.3, 280.1, 281.0, dim="category_edge")
    theirs = xskillscore.rps(value, members, edges, dim=[], fair=fair)
    ours = rps(members, value, edges, fair=fair, dim="category_edge")
    np.testing.assert_allclose(ours, theirs.transpose(*ours.dims), atol=1e-12)


@pytest.mark.parametrize(("fair", "whole"), [(True, fair_crps), (False, crps)])
def test_over_many_thresholds_it_is_the_crps(fair, whole):
    """The CRPS is the integral of the Brier score over all thresholds."""
    members, value = draw(time=1, latitude=2, longitude=2), draw(1, member=0, time=1, latitude=2, longitude=2)
    edges = np.linspace(274.0, 286.0, 24_001)
    found = rps(members, value, limits(*edges), fair=fair) * (edges[1] - edges[0])
    xr.testing.assert_allclose(found, whole(members, value), atol=2e-3)


def test_the_expectation_of_the_debiased_score_does_not_depend_on_the_number_of_members():
    """Of the target's own distribution it is p (1 - p), that of the other p (1 - p) (1 + 1 / N)."""
    rng = np.random.default_rng(4)
    points, p = 200_000, 0.3
    value = xr.DataArray(rng.random(points), dims="x")
    for size in (2, 5):
        members = xr.DataArray(rng.random((size, points)), dims=("member", "x"))
        debiased, plain = (float(brier_score(members, value, 1 - p, debiased=d).mean()) for d in (True, False))
        assert debiased == pytest.approx(p * (1 - p), rel=0.015)
        assert plain == pytest.approx(p * (1 - p) * (1 + 1 / size), rel=0.015)


def test_a_value_on_the_threshold_does_not_exceed_it():
    assert float(exceedance_probability(line(1, 2, 2, 3), 2.0)) == 0.25
    assert float(brier_score(line(2, 2), xr.DataArray(2.0), 2.0)) == 0.0


def test_chunks_blocks_and_order_make_no_difference(monkeypatch):
    members, value, field = draw(), target(), threshold_field()
    several = xr.concat([field, field + 0.5], "threshold")
    for score, limit in ((brier_score, field), (rps, several)):
        whole = score(members, value, limit)
        turned = members.isel(member=[2, 0, 4, 1, 3]).transpose("longitude", "member", ...).chunk(member=2, time=3)
        lazy = score(turned, value.chunk(latitude=3), limit.chunk(latitude=1))
        assert lazy.chunks is not None
        xr.testing.assert_allclose(lazy.compute().transpose(*whole.dims), whole, rtol=1e-13)
        with monkeypatch.context() as patch:
            patch.setattr(exceedance, "BLOCK", 1)
            xr.testing.assert_identical(score(members, value, limit), whole)


@pytest.mark.parametrize("score", [brier_score, lambda m, v, t: rps(m, v, t.expand_dims("threshold"))])
def test_a_missing_value_is_passed_on(score):
    members, value, field = draw(), target(), threshold_field()
    members[2, 3, 1, 4] = np.nan
    value[5, 0, 0] = np.nan
    field[3, 3] = np.nan
    missing = score(members, value, field).isnull()
    assert int(missing.sum()) == 2 + 7
    assert bool(missing[2, 1, 4])
    assert bool(missing[5, 0, 0])
    assert bool(missing[:, 3, 3].all())


def test_wrong_use_is_refused():
    with pytest.raises(DataError, match="no dimension 'member'"):
        brier_score(target(), target(), 280.0)
    with pytest.raises(DataError, match="has 1 member; the score needs 2 at least"):
        brier_score(draw(member=1), target(), 280.0, debiased=True)
    with pytest.raises(DataError, match=r"needs thresholds along 'threshold'; found \{'edge': 2\}"):
        rps(draw(), target(), line(1, 2, dim="edge"))
