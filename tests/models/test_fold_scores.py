"""Scores of folds: worked by hand, over the years that are judged, pooled so that units do not count."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.models.fold_scores import errors_by_fold, fold_errors, judged_years, pooled, target_names, total_error
from tests.models.emission_scenarios import LATITUDE, LONGITUDE, MAPS, SPACE, area_mean, noisy

YEARS = np.arange(2000, 2040)


def field(values, name="tas"):
    full = np.broadcast_to(np.asarray(values, "f8"), (YEARS.size, LATITUDE.size, LONGITUDE.size)).copy()
    return xr.DataArray(
        full, dims=MAPS, coords={"time": YEARS, "latitude": LATITUDE, "longitude": LONGITUDE}, name=name
    )


class Offset:
    """Predicts the target of its training data's first scenario plus a number that depends on the fold."""

    def fit(self, train, validation=None, *, seed):
        self.offset = float(next(iter(train.values()))["offset"])

    def predict(self, inputs, *, members=1, seed):
        return inputs[["tas"]].fillna(0.0) + self.offset


def test_an_offset_counts_once_in_space_and_five_times_in_the_global_mean():
    assert total_error(field(3.0), field(1.0)) == pytest.approx(2.0 + 5 * 2.0)


def test_a_pattern_without_global_mean_counts_in_space_alone():
    wave = np.array([1.0, -1.0, 1.0, -1.0])
    assert total_error(field(wave), field(0.0)) == pytest.approx(1.0)


def test_noise_from_year_to_year_counts_in_the_global_mean_alone():
    swing = np.where(YEARS % 2, 1.0, -1.0)[:, None, None]
    expected = abs(swing[-21:].mean()) + 5.0 * 1.0
    assert total_error(field(swing), field(0.0)) == pytest.approx(expected)


def test_the_last_21_years_with_targets_are_judged():
    target = field(0.0)
    assert judged_years(target).tolist() == list(range(2019, 2040))
    assert judged_years(target.where(target["time"] < 2010)).tolist() == list(range(2000, 2010))
    early_error = field(np.where(YEARS < 2019, 100.0, 0.0)[:, None, None])
    assert total_error(early_error, target) == 0.0


def test_folds_are_pooled_by_their_geometric_mean():
    def fold(offset):
        data = xr.Dataset({"tas": field(0.0), "offset": offset})
        return {"a": data}, {"b": data.drop_vars("offset")}

    folds = [fold(1.0), fold(4.0)]
    assert errors_by_fold(Offset(), folds, seed=0) == {"tas": pytest.approx([6.0, 24.0])}
    assert fold_errors(Offset(), folds, seed=0) == {"tas": pytest.approx(12.0)}


def test_units_do_not_count_in_a_comparison():
    assert pooled([2.0, 8.0]) == pytest.approx(4.0)
    assert pooled([2000.0, 8.0]) / pooled([1000.0, 8.0]) == pytest.approx(pooled([2.0, 8.0]) / pooled([1.0, 8.0]))


def test_targets_are_the_maps_that_are_no_inputs():
    assert target_names(noisy("ssp126"), ("CO2", "CH4", "SO2", "BC")) == ["tas", "pr"]


def test_global_means_weigh_by_latitude():
    values = field(np.abs(LATITUDE)[:, None])
    assert total_error(values, field(0.0)) > 5.0 * area_mean(values.values)[0]
    assert float(values.mean(SPACE)[0]) != pytest.approx(area_mean(values.values)[0])
