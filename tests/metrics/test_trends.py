"""Trends against lines that are known, NumPy's and SciPy's fits, and their noise floor in expectation."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from climbench.errors import DataError
from climbench.grids import latitude_weights
from climbench.metrics.trends import trend, trend_floor_square, trend_rmse

YEARS = np.arange(2080, 2101)


def field(values, years=YEARS):
    values = np.asarray(values, "float64")
    return xr.DataArray(values, coords={"time": years[: values.shape[-1]]}, dims=("x", "time")[-values.ndim :])


def maps(seed=0, members=3, years=YEARS, slope=0.0):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((members, years.size, 4, 5)) + slope * (years - 2090)[:, None, None]
    coords = {"member": np.arange(members), "time": years, "latitude": [-60.0, -20.0, 20.0, 60.0]}
    return xr.DataArray(values, coords={**coords, "longitude": np.arange(5) * 72.0}, dims=(*coords, "longitude"))


def test_by_hand():
    """Years 0, 1, 3: mean 4/3; values 1, 2, 6: slope (-4/3 - 2/3 + 10) / (16/9 + 1/9 + 25/9) = 8 / (14/3)."""
    assert float(trend(field([1, 2, 6], np.array([0, 1, 3])))) == pytest.approx(10 * 8 / (14 / 3))


def test_a_line_has_its_slope_per_decade():
    assert float(trend(field(280.0 + 0.03 * (YEARS - 2000)))) == pytest.approx(0.3)
    assert float(trend(field(np.full(21, 5.0)))) == pytest.approx(0.0, abs=1e-12)


def test_other_libraries_agree():
    values = np.random.default_rng(1).standard_normal((4, 21)) + 280.0
    found = trend(field(values))
    for row, value in zip(values, found.values, strict=True):
        assert value == pytest.approx(10 * stats.linregress(YEARS, row).slope, rel=1e-9)
    fitted = field(values).polyfit("time", 1)["polyfit_coefficients"].sel(degree=1)
    np.testing.assert_allclose(found, 10 * fitted, rtol=1e-6)


def test_the_rmse_of_local_trends_by_hand():
    """Two rows of weights 1/2 and 1; trends differ by 2 and 1 per decade: (0.5 * 4 + 1) / 1.5 = 2."""
    coords = {"latitude": [-60.0, 0.0], "longitude": [0.0, 180.0]}
    slopes = xr.DataArray([[0.2, 0.2], [0.1, 0.1]], coords=coords, dims=tuple(coords))
    years = xr.DataArray(YEARS - 2090.0, coords={"time": YEARS}, dims="time")
    prediction, target = slopes * years, 0.0 * slopes * years
    weights = latitude_weights(slopes["latitude"], "cos_latitude")
    assert float(trend_rmse(prediction, target, weights)) == pytest.approx(2**0.5)


def test_a_perfect_emulator_scores_the_floor():
    """Over many draws the mean square of the true trend against the mean over members is the mean squared floor."""
    weights = latitude_weights(maps()["latitude"])
    truth = maps().isel(member=0, drop=True) * 0.0
    squares, floors = [], []
    for seed in range(300):
        members = maps(seed)
        squares.append(float(trend_rmse(truth, members.mean("member"), weights)) ** 2)
        floors.append(float(trend_floor_square(members, weights)))
    assert np.mean(squares) == pytest.approx(np.mean(floors), rel=0.06)
    # White noise of variance 1 over 21 years: the variance of a slope per decade is 100 / 770, over three members.
    assert np.mean(floors) == pytest.approx(100 / 770 / 3, rel=0.05)


def test_regions_are_scored_together():
    weights = xr.DataArray(np.random.default_rng(2).random((3, 4, 5)), dims=("region", "latitude", "longitude"))
    weights = weights.assign_coords({d: maps()[d] for d in ("latitude", "longitude")})
    members = maps()
    prediction, target = members.isel(member=0, drop=True), members.mean("member")
    together = trend_rmse(prediction, target, weights)
    assert together.dims == ("region",)
    for n in range(3):
        assert float(together[n]) == pytest.approx(float(trend_rmse(prediction, target, weights[n])), rel=1e-12)


def test_chunks_make_no_difference():
    members = maps(slope=0.1)
    lazy = trend(members.chunk(time=4, latitude=3))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), trend(members), rtol=1e-12)


def test_wrong_use_is_refused():
    with pytest.raises(DataError, match="two years at least; 'time' has 1"):
        trend(field([1.0]))
    dates = xr.DataArray([1.0, 2.0], coords={"time": np.array(["2000", "2001"], "datetime64[ns]")}, dims="time")
    with pytest.raises(DataError, match="years as numbers; 'time' holds datetime64"):
        trend(dates)


def test_a_missing_value_is_passed_on():
    values = np.ones((2, 21))
    values[1, 4] = np.nan
    np.testing.assert_array_equal(np.isnan(trend(field(values))), [False, True])
