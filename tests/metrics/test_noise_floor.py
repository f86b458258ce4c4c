"""The noise floor against hand-worked numbers and against many drawn ensembles."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.grids import latitude_weights
from climbench.metrics import errors, noise_floor

COORDS = {"latitude": [-60.0, 0.0], "longitude": [0.0]}


def test_spatial_floor_by_hand():
    # Time means: cell one 0, 2 (variance 2), cell two 1, 1 (variance 0); weights 1/2, 1; two members.
    values = np.array([[[[0.0], [1.0]], [[0.0], [1.0]]], [[[1.0], [0.0]], [[3.0], [2.0]]]])
    members = xr.DataArray(values, coords=COORDS, dims=("member", "time", "latitude", "longitude"))
    weights = latitude_weights(members["latitude"], "cos_latitude")
    assert float(noise_floor.floor_square_spatial(members, weights)) == pytest.approx((0.5 * 2) / 1.5 / 2)


def test_global_floor_by_hand():
    # One cell: annual means (0, 0) and (1, 3): variances 0.5 and 4.5, mean 2.5, over two members 1.25.
    members = xr.DataArray(
        np.array([[[[0.0]], [[0.0]]], [[[1.0]], [[3.0]]]]),
        coords={"latitude": [0.0], "longitude": [0.0]},
        dims=("member", "time", "latitude", "longitude"),
    )
    assert float(noise_floor.floor_square_global(members, xr.DataArray([1.0], dims="latitude"))) == pytest.approx(1.25)


def test_debiased_error_is_clipped_at_zero():
    assert noise_floor.debiased_rmse(1.25, 0.25) == 1.0
    assert noise_floor.debiased_rmse(0.2, 0.25) == 0.0


def test_a_perfect_emulator_scores_the_floor_and_one_member_the_floor_of_the_others():
    rng = np.random.default_rng(0)
    coords = {"latitude": np.linspace(-80, 80, 8), "longitude": np.arange(10) * 36.0}
    weights = latitude_weights(xr.DataArray(coords["latitude"], dims="latitude"), "cos_latitude")
    squares, floors, left_out = [], [], []
    for _ in range(200):
        draw = rng.standard_normal((3, 5, 8, 10)) * np.linspace(0.5, 2, 8)[:, None]
        members = xr.DataArray(draw, coords=coords, dims=("member", "time", "latitude", "longitude"))
        truth = xr.zeros_like(members.isel(member=0))
        squares.append(float(errors.rmse_spatial(truth, members.mean("member"), weights)) ** 2)
        floors.append(float(noise_floor.floor_square_spatial(members, weights)))
        others = members.isel(member=[1, 2]).mean("member")
        left_out.append(float(errors.rmse_spatial(members.isel(member=0), others, weights)) ** 2)
    assert np.mean(squares) / np.mean(floors) == pytest.approx(1.0, abs=0.03)
    # Section 2.9 (iii): one member against the mean of two others has S2 (1 + 1/2), and the floor above is S2 / 3.
    assert np.mean(left_out) / np.mean(floors) == pytest.approx(4.5, rel=0.04)


def test_one_member_has_no_floor():
    members = xr.DataArray(np.ones((1, 2, 2, 1)), coords=COORDS, dims=("member", "time", "latitude", "longitude"))
    weights = latitude_weights(members["latitude"], "cos_latitude")
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning):
        assert np.isnan(float(noise_floor.floor_square_spatial(members, weights)))
