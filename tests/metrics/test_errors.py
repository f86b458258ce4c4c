"""ClimateBench's errors against hand-worked numbers and xskillscore."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore
from hypothesis import given, settings
from hypothesis import strategies as st

from climbench.grids import latitude_weights
from climbench.metrics import errors
from climbench.metrics.base import area_mean, weighted_sum


def field(values, latitude=(-60.0, 0.0), time=None):
    values = np.asarray(values, "float64")
    coords = {"latitude": list(latitude), "longitude": np.arange(values.shape[-1]) * 90.0}
    dims = ("time", "latitude", "longitude")[-values.ndim :]
    if values.ndim == 3:
        coords["time"] = np.arange(values.shape[0])
    return xr.DataArray(values, coords=coords, dims=dims)


@pytest.fixture
def two_by_two():
    """Weights 1/2 and 1 (latitudes -60 and 0): every number below can be worked by hand."""
    target = field([[[1.0, 3.0], [2.0, 2.0]], [[3.0, 5.0], [4.0, 2.0]]])  # two years; mean map [[2, 4], [3, 2]]
    prediction = field([[[2.0, 4.0], [3.0, 4.0]], [[2.0, 4.0], [3.0, 4.0]]])  # constant map [[2, 4], [3, 4]]
    return prediction, target, latitude_weights(target["latitude"], "cos_latitude")


def test_spatial_error_squares_the_difference_of_time_means(two_by_two):
    # Mean maps differ by 2 in one cell of weight 1; weights sum to 2 * (0.5 + 1) = 3: mean square 4 / 3.
    assert float(errors.rmse_spatial(*two_by_two)) == pytest.approx(np.sqrt(4.0 / 3.0))


def test_global_error_squares_the_difference_of_annual_means(two_by_two):
    # Target's global means: (0.5 * (1 + 3) + 2 + 2) / 3 = 2 and (0.5 * 8 + 6) / 3 = 10 / 3; prediction's (3 + 7) / 3.
    expected = np.sqrt(((10 / 3 - 2) ** 2 + (10 / 3 - 10 / 3) ** 2) / 2)
    assert float(errors.rmse_global(*two_by_two)) == pytest.approx(expected)


def test_normaliser_is_the_absolute_value_of_the_targets_mean(two_by_two):
    prediction, target, weights = two_by_two
    assert float(errors.normaliser(target, weights)) == pytest.approx((2 + 10 / 3) / 2)
    assert float(errors.normaliser(-target, weights)) == pytest.approx((2 + 10 / 3) / 2)
    assert float(errors.normaliser(prediction, weights)) != pytest.approx((2 + 10 / 3) / 2)


def test_total_is_spatial_plus_five_times_global():
    assert float(errors.nrmse_total(xr.DataArray(0.1), xr.DataArray(0.02))) == pytest.approx(0.2)


def test_skill():
    assert errors.skill(0.5, 1.0) == 0.5
    assert errors.skill(1.0, 1.0) == 0.0


@pytest.fixture
def random_fields():
    rng = np.random.default_rng(1)
    shape = (21, 9, 16)
    coords = {"time": np.arange(2080, 2101), "latitude": np.linspace(-90, 90, 9), "longitude": np.arange(16) * 22.5}
    make = lambda: xr.DataArray(rng.standard_normal(shape) + 2, coords=coords, dims=tuple(coords))  # noqa: E731
    prediction, target = make(), make()
    return prediction, target, latitude_weights(target["latitude"], "cos_latitude")


def test_agrees_with_xskillscore(random_fields):
    prediction, target, weights = random_fields
    space = ["latitude", "longitude"]
    spread = weights.broadcast_like(target.isel(time=0, drop=True))
    spatial = xskillscore.rmse(prediction.mean("time"), target.mean("time"), dim=space, weights=spread)
    assert float(errors.rmse_spatial(*random_fields)) == pytest.approx(float(spatial), rel=1e-12)
    means = [f.weighted(weights).mean(space) for f in (prediction, target)]
    assert float(errors.rmse_global(*random_fields)) == pytest.approx(
        float(xskillscore.rmse(*means, dim="time")), rel=1e-12
    )


def test_spatial_error_is_not_the_mean_of_temporal_errors(random_fields):
    """A public re-implementation averages per-cell errors over time: it scores annual noise (protocol 1.6, trap 7)."""
    prediction, target, weights = random_fields
    wrong = float(area_mean(((prediction - target) ** 2).mean("time") ** 0.5, weights))
    assert wrong > 3 * float(errors.rmse_spatial(*random_fields))


def test_order_of_root_and_mean_matters_for_the_global_error(random_fields):
    prediction, target, weights = random_fields
    wrong = float(abs(area_mean(prediction - target, weights)).mean())
    assert float(errors.rmse_global(*random_fields)) > wrong


def test_weights_lie_along_latitude(random_fields):
    prediction, target, _ = random_fields
    on_wrong_axis = xr.DataArray(np.cos(np.deg2rad(np.linspace(-90, 90, 16))), dims="longitude")
    wrong = float(((prediction - target).mean("time") ** 2).weighted(on_wrong_axis).mean()) ** 0.5
    assert abs(wrong - float(errors.rmse_spatial(*random_fields))) > 1e-3


def test_poles_weigh_nothing_under_cosine(random_fields):
    prediction, target, weights = random_fields
    spoiled = prediction.where(abs(prediction["latitude"]) < 90, 1e3)
    assert float(errors.rmse_spatial(spoiled, target, weights)) == pytest.approx(
        float(errors.rmse_spatial(prediction, target, weights)), rel=1e-5
    )


@pytest.mark.parametrize("score", [errors.rmse_spatial, errors.rmse_global])
def test_invariances(random_fields, score):
    prediction, target, weights = random_fields
    value = float(score(prediction, target, weights))
    rolled = [f.roll(longitude=5, roll_coords=False) for f in (prediction, target)]
    assert float(score(*rolled, weights)) == pytest.approx(value, rel=1e-12)
    flipped = [f.isel(latitude=slice(None, None, -1)) for f in (prediction, target)]
    assert float(score(*flipped, weights)) == pytest.approx(value, rel=1e-12)
    single = [f.astype("float32") for f in (prediction, target)]
    assert float(score(*single, weights)) == pytest.approx(value, rel=1e-5)
    turned = [f.transpose("longitude", "time", "latitude") for f in (prediction, target)]
    assert float(score(*turned, weights)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_scores_do_not_depend_on_chunks(random_fields, chunk):
    prediction, target, weights = random_fields
    chunked = [f.chunk(time=chunk, latitude=chunk) for f in (prediction, target)]
    for score in (errors.rmse_spatial, errors.rmse_global):
        assert float(score(*chunked, weights)) == pytest.approx(float(score(prediction, target, weights)), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, 20))
def test_statistics_add_up(cut):
    rng = np.random.default_rng(cut)
    values = xr.DataArray(rng.standard_normal((21, 4)), dims=("time", "latitude"))
    weights = xr.DataArray(rng.random(4) + 0.1, dims="latitude")
    whole = weighted_sum(values, weights, ("time", "latitude"))
    parts = [values.isel(time=slice(None, cut)), values.isel(time=slice(cut, None))]
    first, second = (weighted_sum(p, weights, ("time", "latitude")) for p in parts)
    assert float((first + second).mean()) == pytest.approx(float(whole.mean()), rel=1e-12)


def test_nan_is_not_skipped(random_fields):
    prediction, target, weights = random_fields
    prediction = prediction.copy()
    prediction[3, 4, 5] = np.nan
    assert np.isnan(float(errors.rmse_spatial(prediction, target, weights)))
    assert np.isnan(float(errors.rmse_global(prediction, target, weights)))
