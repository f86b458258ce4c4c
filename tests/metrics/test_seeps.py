"""SEEPS against its matrix worked by hand, another library, its expectation, and the rules for values on thresholds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from scores.categorical import seeps as their_seeps

from climbench.errors import DataError
from climbench.metrics.seeps import penalties, scored_cells, seeps, seeps_at_cells

DRY, LIGHT, HEAVY = 0.0, 1e-3, 9e-3  # metres; heavy begins at 5 mm
HALF = xr.DataArray(0.5)
THRESHOLD = xr.DataArray(5e-3)
SIZES = {"init_time": 5, "latitude": 4, "longitude": 6}


def rain(seed):
    """Rain in metres, half of it none."""
    rng = np.random.default_rng(seed)
    values = rng.exponential(4e-3, tuple(SIZES.values())) * (rng.random(tuple(SIZES.values())) > 0.5)
    return xr.DataArray(values, coords={dim: np.arange(n) for dim, n in SIZES.items()}, dims=tuple(SIZES))


def climatology(seed=3):
    """Return thresholds of heavy rain and shares of dry days, some of them out of bounds."""
    rng = np.random.default_rng(seed)
    like = rain(0).isel(init_time=0, drop=True)
    return like.copy(data=rng.uniform(2e-3, 8e-3, like.shape)), like.copy(data=rng.uniform(0.02, 0.98, like.shape))


@pytest.mark.parametrize("rule", ["weatherbench_x", "weatherbench2"])
def test_the_matrix_by_hand(rule):
    """With p1 = 1/2: 1/(1-p1) = 2, 4/(1-p1) = 8, 1/p1 = 2, 3/(1-p1) = 6, 3/(2+p1) = 6/5; half of each."""
    expected = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 3.0], [1.6, 0.6, 0.0]])
    values = np.array([DRY, LIGHT, HEAVY])
    found = penalties(values[:, None], values, np.float64(5e-3), np.float64(0.5), rule=rule)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # With p1 = 1/4: 4/3, 16/3, 4, 4, 4/3.
    expected = np.array([[0.0, 2 / 3, 8 / 3], [2.0, 0.0, 2.0], [2 + 2 / 3, 2 / 3, 0.0]])
    found = penalties(values[:, None], values, np.float64(5e-3), np.float64(0.25), rule=rule)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_another_library_agrees():
    """It puts the heavy threshold itself among the light values, which continuous values do not meet."""
    prediction, target = rain(1), rain(2)
    threshold, fraction = climatology()
    score, counts = seeps_at_cells(prediction, target, threshold, fraction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = their_seeps(
            prediction,
            target,
            fraction,
            light_heavy_threshold=threshold,
            dry_light_threshold=0.25e-3,
            preserve_dims="all",
        )
    assert 0 < int(counts.sum()) < counts.size
    xr.testing.assert_allclose(score.where(counts), theirs.transpose(*score.dims), rtol=1e-12)
    assert (score.where(~counts, 0.0) == 0.0).all()


@pytest.mark.parametrize("constant", [DRY, LIGHT, HEAVY])
@pytest.mark.parametrize("dry_fraction", [0.2, 0.5, 0.8])
def test_a_constant_forecast_scores_one_in_expectation(constant, dry_fraction):
    """The target's categories have the climatological shares p1, 2 (1 - p1) / 3 and (1 - p1) / 3."""
    shares = np.array([dry_fraction, 2 * (1 - dry_fraction) / 3, (1 - dry_fraction) / 3])
    target = np.array([DRY, LIGHT, HEAVY])
    found = penalties(np.full(3, constant), target, np.float64(5e-3), np.float64(dry_fraction))
    assert float(found @ shares) == pytest.approx(1.0)


def test_a_value_on_the_dry_threshold_is_dry_or_in_no_category():
    on, args = np.array([0.25e-3]), (np.float64(5e-3), np.float64(0.5))
    heavy, dry = np.array([HEAVY]), np.array([DRY])
    assert penalties(on, heavy, *args)[0] == pytest.approx(4.0)
    assert penalties(on, dry, *args)[0] == 0.0
    for other in (heavy, dry, on):
        assert penalties(on, other, *args, rule="weatherbench2")[0] == 0.0
        assert penalties(other, on, *args, rule="weatherbench2")[0] == 0.0


def test_a_value_on_the_heavy_threshold_is_heavy():
    for rule in ("weatherbench_x", "weatherbench2"):
        found = penalties(np.array([5e-3]), np.array([LIGHT]), np.float64(5e-3), np.float64(0.5), rule=rule)
        assert found[0] == pytest.approx(0.6)


def test_a_cell_on_a_bound_counts_or_does_not():
    fraction = np.array([0.05, 0.1, 0.5, 0.85, 0.9, np.nan])
    assert scored_cells(fraction).tolist() == [False, True, True, True, False, False]
    assert scored_cells(fraction, rule="weatherbench2").tolist() == [False, False, True, False, False, False]
    assert scored_cells(fraction, bounds=(0.0, 0.88)).tolist() == [True, True, True, True, False, False]


def test_cells_that_do_not_count_are_left_out_of_the_mean():
    """Two of three cells count, with weights 1 and 3: penalties 1 and 3, mean (1 + 9) / 4; the other init scores 0."""
    prediction = xr.DataArray([[[DRY, LIGHT, DRY]], [[DRY] * 3]], dims=("init_time", "latitude", "longitude"))
    target = xr.DataArray([[[LIGHT, HEAVY, HEAVY]], [[DRY] * 3]], dims=("init_time", "latitude", "longitude"))
    fraction = xr.DataArray([[0.5, 0.5, 0.99]], dims=("latitude", "longitude"))
    weights = xr.DataArray([[1.0, 3.0, 7.0]], dims=("latitude", "longitude"))
    assert float(seeps(prediction, target, THRESHOLD, fraction, weights)) == pytest.approx(2.5 / 2)
    none = fraction.copy(data=[[0.99] * 3])
    assert np.isnan(float(seeps(prediction, target, THRESHOLD, none, weights)))


def test_regions_are_scored_each_by_its_own_cells():
    masks = xr.DataArray([[1.0, 1, 0, 0], [0, 0, 1, 3]], coords={"latitude": np.arange(4)}, dims=("region", "latitude"))
    prediction, target, (threshold, fraction) = rain(1), rain(2), climatology()
    both = seeps(prediction, target, threshold, fraction, masks)
    for region, rows in enumerate((slice(0, 2), slice(2, 4))):
        fields = [array.isel(latitude=rows) for array in (prediction, target, threshold, fraction)]
        alone = seeps(*fields, masks.isel(region=region, latitude=rows))
        assert float(both[region]) == pytest.approx(float(alone), rel=1e-12)


def test_shares_of_nought_and_one_are_no_division_by_zero():
    score, counts = seeps_at_cells(xr.DataArray([DRY, HEAVY]), xr.DataArray([HEAVY, DRY]), THRESHOLD, line(0.0, 1.0))
    assert not counts.any()
    assert (score == 0.0).all()


def line(*values):
    return xr.DataArray(np.array(values), dims="dim_0")


def test_a_missing_value_is_passed_on_only_where_the_cell_counts():
    prediction, target = line(np.nan, LIGHT, np.nan), line(LIGHT, np.nan, LIGHT)
    score, _ = seeps_at_cells(prediction, target, THRESHOLD, line(0.5, 0.5, 0.95))
    assert np.isnan(score.values).tolist() == [True, True, False]


def test_where_it_never_rains_a_wet_value_has_no_category():
    never = xr.DataArray(np.nan)
    score, _ = seeps_at_cells(line(HEAVY, DRY, DRY), line(DRY, LIGHT, DRY), never, line(0.5, 0.5, 0.5))
    assert (score == 0.0).all()


@pytest.mark.parametrize("rule", ["weatherbench_x", "weatherbench2"])
def test_chunks_and_the_order_of_dimensions_make_no_difference(rule):
    prediction, target = rain(1), rain(2)
    threshold, fraction = climatology()
    weights = xr.DataArray([1.0, 2.0, 2.0, 1.0], coords={"latitude": np.arange(4)}, dims="latitude")
    whole = seeps(prediction, target, threshold, fraction, weights, rule=rule)
    lazy = seeps(
        prediction.chunk(init_time=2, longitude=4).transpose("longitude", "init_time", "latitude"),
        target.chunk(latitude=3),
        threshold.transpose("longitude", "latitude").chunk(),
        fraction.chunk(),
        weights,
        rule=rule,
    )
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-13)


def test_wrong_use_is_refused():
    with pytest.raises(DataError, match=r"no SEEPS rule 'weatherbench'\. Did you mean 'weatherbench"):
        scored_cells(np.array([0.5]), rule="weatherbench")
    with pytest.raises(DataError, match=r"between 0 and 1; found 20 to 37.*not in percent"):
        scored_cells(np.array([20.0, 37.0]))
    with pytest.raises(DataError, match="averaged over 'init_time', and there is no such dimension"):
        seeps(*(rain(n).isel(init_time=0) for n in (1, 2)), *climatology(), xr.ones_like(rain(1).latitude, float))
