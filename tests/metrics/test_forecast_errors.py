"""Forecast scores against hand-worked numbers that show the order of means and roots, and against other libraries."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import xskillscore
from scores.continuous import additive_bias
from scores.continuous import mae as their_mae
from scores.continuous import rmse as their_rmse

from climbench.errors import DataError
from climbench.metrics import forecast_kernels as kernels
from climbench.metrics.forecast_errors import (
    acc,
    acc_mean_of_inits,
    activity,
    bias,
    mae,
    rmse,
    rmse_mean_of_roots,
    wind_vector_rmse,
)

SIZES = {"init_time": 6, "lead_time": 3, "latitude": 4, "longitude": 5}
COORDS = {dim: np.arange(size) for dim, size in SIZES.items()}
WEIGHTS = xr.DataArray([1.0, 3.0, 2.0, 0.5], coords={"latitude": COORDS["latitude"]}, dims="latitude")
SPACE = ("latitude", "longitude")


def field(seed, dtype="float64"):
    values = np.random.default_rng(seed).standard_normal(tuple(SIZES.values())) + 280.0
    return xr.DataArray(values.astype(dtype), coords=COORDS, dims=tuple(SIZES))


def climatology():
    return 280.0 + 0.3 * (field(7).isel(init_time=0, drop=True) - 280.0)


def as_map(weights):
    return (weights * xr.ones_like(field(0).isel(init_time=0, lead_time=0, drop=True))).transpose(*SPACE)


def two_inits(first, second):
    """Two maps of two cells in one row."""
    return xr.DataArray([[first], [second]], coords={"latitude": [0.0]}, dims=("init_time", "latitude", "longitude"))


CELLS = xr.DataArray([[3.0, 1.0]], coords={"latitude": [0.0]}, dims=SPACE)
ZERO = two_inits([0.0, 0.0], [0.0, 0.0])


def test_errors_by_hand():
    """Weights 3 and 1. Errors 2, -2 and 0, 4: area means 1 and 1, of sizes 2 and 1, of squares 4 and 4.

    With 0, 8 in place of 0, 4: squares 4 and 16, their mean 10; roots 2 and 4, their mean 3.
    """
    errors = two_inits([2.0, -2.0], [0.0, 4.0])
    assert float(bias(errors, ZERO, CELLS)) == pytest.approx(1.0)
    assert float(mae(errors, ZERO, CELLS)) == pytest.approx(1.5)
    assert float(rmse(errors, ZERO, CELLS)) == pytest.approx(2.0)
    errors = two_inits([2.0, -2.0], [0.0, 8.0])
    assert float(rmse(errors, ZERO, CELLS)) == pytest.approx(10**0.5)
    assert float(rmse_mean_of_roots(errors, ZERO, CELLS)) == pytest.approx(3.0)
    assert float(activity(errors, CELLS, ZERO)) == pytest.approx(10**0.5)


def test_correlations_by_hand():
    """Climatology 1, weights 1 and 1. Anomalies 2, 0 and 1, 1 of the forecast; 1, 1 and 3, 3 of the target.

    Products 1 and 3, squares 2 and 1, 1 and 9. Each init's: 1 / sqrt(2) and 1, their mean. Of means: 2 / sqrt(1.5 * 5).
    """
    even = xr.ones_like(CELLS)
    forecast, target = two_inits([3.0, 1.0], [2.0, 2.0]), two_inits([2.0, 2.0], [4.0, 4.0])
    normal = xr.ones_like(ZERO)
    assert float(acc_mean_of_inits(forecast, target, even, normal)) == pytest.approx((2**-0.5 + 1.0) / 2)
    assert float(acc(forecast, target, even, normal)) == pytest.approx(2.0 / 7.5**0.5)


def test_the_anomalies_keep_their_means():
    """A forecast that is 2 where the target is 1 has a correlation of 1, though neither varies."""
    forecast, target = two_inits([2.0, 2.0], [2.0, 2.0]), two_inits([1.0, 1.0], [1.0, 1.0])
    assert float(acc(forecast, target, CELLS, ZERO)) == pytest.approx(1.0)
    assert float(acc(-forecast, target, CELLS, ZERO)) == pytest.approx(-1.0)


def test_a_wind_by_hand():
    """Errors 3, 4 in one cell and 0, 0 in the other, of weights 3 and 1: the mean square is 75 / 4; then none."""
    east, north = two_inits([3.0, 0.0], [0.0, 0.0]), two_inits([4.0, 0.0], [0.0, 0.0])
    assert float(wind_vector_rmse((east, north), (ZERO, ZERO), CELLS)) == pytest.approx((75 / 8) ** 0.5)
    assert float(wind_vector_rmse((ZERO, north), (ZERO, north + 2.0), CELLS)) == pytest.approx(2.0)


def test_other_libraries_agree():
    """Their means are over inits and cells at once, which makes no difference before the root."""
    forecast, target = field(1), field(2)
    keep = {"preserve_dims": ["lead_time"], "weights": WEIGHTS}
    xr.testing.assert_allclose(rmse(forecast, target, WEIGHTS), their_rmse(forecast, target, **keep), rtol=1e-10)
    xr.testing.assert_allclose(mae(forecast, target, WEIGHTS), their_mae(forecast, target, **keep), rtol=1e-10)
    found = bias(forecast, target, WEIGHTS)
    xr.testing.assert_allclose(found, additive_bias(forecast, target, **keep), rtol=1e-9)
    options = {"dim": list(SPACE), "weights": as_map(WEIGHTS)}
    xr.testing.assert_allclose(found, xskillscore.me(forecast, target, **options).mean("init_time"), rtol=1e-9)
    each = xskillscore.rmse(target, forecast, **options).mean("init_time")
    xr.testing.assert_allclose(rmse_mean_of_roots(forecast, target, WEIGHTS), each, rtol=1e-10)


def test_with_anomalies_of_mean_zero_the_correlation_is_pearsons():
    """Another library takes means off first; on anomalies without any it is the same number."""
    weights = as_map(WEIGHTS)

    def without_mean(f):
        return f - f.weighted(weights).mean(SPACE)

    forecast, target = without_mean(field(1)), without_mean(field(1) + field(2))
    theirs = xskillscore.pearson_r(target, forecast, dim=list(SPACE), weights=weights).mean("init_time")
    found = acc_mean_of_inits(forecast, target, WEIGHTS, xr.zeros_like(target))
    xr.testing.assert_allclose(found, theirs, rtol=1e-9)


FACES = {
    "rmse": lambda f, o, w, c: rmse(f, o, w),
    "rmse_mean_of_roots": lambda f, o, w, c: rmse_mean_of_roots(f, o, w),
    "mae": lambda f, o, w, c: mae(f, o, w),
    "bias": lambda f, o, w, c: bias(f, o, w),
    "wind_vector_rmse": lambda f, o, w, c: wind_vector_rmse((f, f + o), (o, o + 1.0), w),
    "acc": acc,
    "acc_mean_of_inits": acc_mean_of_inits,
    "activity": lambda f, o, w, c: activity(f, w, c),
}


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("chunks", [1, 7, -1])
def test_chunks_and_the_order_of_dimensions_make_no_difference(name, chunks):
    arguments = field(1), field(2), WEIGHTS, climatology()
    whole = FACES[name](*arguments)
    assert set(whole.dims) == {"lead_time"}
    turned = [array.transpose(*reversed(array.dims)).chunk(chunks) for array in arguments]
    lazy = FACES[name](*turned)
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FACES)
def test_regions_are_scored_each_by_its_own_cells(name):
    masks = xr.DataArray([[1.0, 1, 0, 0], [0, 0, 1, 1]], coords={"latitude": np.arange(4)}, dims=("region", "latitude"))
    both = FACES[name](field(1), field(2), WEIGHTS * masks, climatology())
    for region, rows in enumerate((slice(0, 2), slice(2, 4))):
        alone = [array.isel(latitude=rows) for array in (field(1), field(2), WEIGHTS, climatology())]
        xr.testing.assert_allclose(both.isel(region=region), FACES[name](*alone), rtol=1e-12)


@pytest.mark.parametrize("name", FACES)
def test_a_missing_value_is_noticed(name):
    forecast = field(1)
    forecast[2, 1, 3, 0] = np.nan
    found = FACES[name](forecast, field(2), WEIGHTS, climatology())
    assert found.isnull().values.tolist() == [False, True, False]


def test_single_precision_is_summed_in_double():
    forecast, target = (field(seed, "float32") + np.float32(5e4) for seed in (1, 2))
    exact = (forecast.astype("float64") - target.astype("float64")) ** 2
    expected = exact.weighted(WEIGHTS).mean(("init_time", *SPACE)) ** 0.5
    found = rmse(forecast, target, WEIGHTS)
    assert found.dtype == "float64"
    xr.testing.assert_allclose(found, expected, rtol=1e-12)


def test_kernels_take_maps_or_cells_and_leave_them_as_they_are():
    maps = [np.random.default_rng(seed).standard_normal((2, 3, 4)).astype("float32") for seed in range(3)]
    cells = [values.reshape(2, 12) for values in maps]
    copies = [values.copy() for values in maps]
    of_maps, of_cells = kernels.anomaly_products(*maps), kernels.anomaly_products(*cells)
    for one, other in zip(of_maps, of_cells, strict=True):
        assert one.dtype == "float64"
        np.testing.assert_array_equal(one.reshape(2, 12), other)
    kernels.vector_squared_error(*maps, maps[0])
    kernels.absolute_error(maps[0], maps[1])
    for values, copy in zip(maps, copies, strict=True):
        np.testing.assert_array_equal(values, copy)


def test_one_target_may_serve_several_leads():
    target = field(2).isel(lead_time=0, drop=True)
    for name, score in FACES.items():
        found = score(field(1), target, WEIGHTS, climatology().isel(lead_time=0, drop=True))
        alone = score(field(1).isel(lead_time=[2]), target, WEIGHTS, climatology().isel(lead_time=0, drop=True))
        assert found.sizes == {"lead_time": 3}, name
        assert float(found[2]) == pytest.approx(float(alone[0])), name


def test_a_forecast_without_anomalies_has_no_correlation():
    normal = climatology()
    same = normal.expand_dims(init_time=COORDS["init_time"])
    assert acc(same, field(2), WEIGHTS, normal).isnull().all()
    assert acc_mean_of_inits(same, field(2), WEIGHTS, normal).isnull().all()


def test_wrong_use_is_refused():
    with pytest.raises(
        DataError, match="averaged over 'init_time', and there is no such dimension; there is lead_time"
    ):
        rmse(field(1).isel(init_time=0), field(2).isel(init_time=0), WEIGHTS)
    with pytest.raises(DataError, match="weights have different coordinates along latitude"):
        mae(field(1), field(2), WEIGHTS.assign_coords(latitude=WEIGHTS.latitude + 0.1))
    with pytest.raises(ValueError, match=r"cannot align.*lead_time"):
        bias(field(1), field(2).assign_coords(lead_time=[1, 2, 3]), WEIGHTS)
