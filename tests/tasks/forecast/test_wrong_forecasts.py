"""Wrong input gets one clear error, and what is only partly there is scored and said."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import CardError, DataError, PredictionError
from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"


def rewritten(folder, name, data):
    made.written(folder / name, data)
    return name


def test_missing_values_in_a_forecast_are_an_error(folder, scores_of):
    data = made.made_forecast()
    data[NAME][3, 2, 4, 5] = np.nan
    with pytest.raises(PredictionError, match=r"2m_temperature: the forecast has missing .*found 1 .*--set nan=mask"):
        scores_of(folder, rewritten(folder, "holes.zarr", data), metrics=["rmse"])


def test_missing_values_are_left_out_and_counted_when_asked(folder, scores_of):
    data = made.made_forecast()
    data[NAME][3, 2, 4, 5] = np.nan
    data[NAME][3, 2, 0, :] = np.inf
    table, found = scores_of(folder, rewritten(folder, "holes.zarr", data), metrics=["mae"], nan="mask")
    assert any("2m_temperature: 9 cells with missing values left out" in note for note in found.notes)
    truth, rows, sums = made.made_truth(), made.cell_weights(), []
    for i in range(data.sizes["time"]):
        error = abs(data[NAME].values[i, 2].astype("float64") - made.at_valid(truth, data, NAME, i, 2))
        good = np.isfinite(error)
        weights = np.broadcast_to(rows[:, None], error.shape)
        sums.append((np.where(good, error, 0.0) * weights).sum() / (good * weights).sum())
    assert table[NAME, "mae", "global", 36] == pytest.approx(np.mean(sums), rel=1e-6)


def test_a_forecast_of_nothing_but_missing_values_is_an_error_even_when_masked(folder, scores_of):
    data = made.made_forecast() * np.nan
    name = rewritten(folder, "empty.zarr", data)
    with pytest.raises(PredictionError, match="no value that is not missing"):
        scores_of(folder, name, metrics=["rmse"], nan="mask")


def test_missing_values_in_one_of_the_members_are_an_error(folder, scores_of):
    data = made.made_forecast(members=3)
    data[NAME][1, 1, 2, 3, 3] = np.nan
    with pytest.raises(PredictionError, match="the forecast has missing"):
        scores_of(folder, rewritten(folder, "holes.zarr", data), metrics=["crps_fair"])


def test_missing_values_in_the_truth_are_told_as_the_truths(folder, scores_of):
    truth = made.made_truth()
    truth[NAME][4, 0, 0] = np.nan
    with pytest.raises(PredictionError, match="the truth or the climatology has missing"):
        scores_of(folder, truth=rewritten(folder, "holed-truth.zarr", truth), metrics=["rmse"])


def test_a_sea_surface_temperature_may_miss_the_land(tmp_path, scores_of):
    name = "sea_surface_temperature"
    truth, forecast = made.made_truth(variables=(name,)), made.made_forecast(variables=(name,))
    truth[name][:, 2, 3] = np.nan
    made.written(tmp_path / "truth.zarr", truth)
    made.written(tmp_path / "forecast.zarr", forecast)
    table, found = scores_of(tmp_path, targets=[name], metrics=["rmse"], use_climatology=None)
    assert table[name, "rmse", "global", 12] > 0.0
    assert any("36 cells" in note for note in found.notes)


def test_leads_that_are_missing_depart_from_the_task(folder, scores_of):
    data = made.made_forecast().isel(prediction_timedelta=[0, 3])
    table, found = scores_of(folder, rewritten(folder, "few.zarr", data), metrics=["rmse"])
    assert {lead for *_, lead in table} == {12.0, 48.0}
    assert "the lead times are not the task's" in found.matched.departures
    assert "2 lead times (12 to 48 h), 2 of the task's 4" in found.matched.coverage


def test_the_analysis_is_scored_and_no_departure(folder, scores_of):
    data = made.made_forecast()
    analysis = data.isel(prediction_timedelta=[0]).assign_coords(prediction_timedelta=[np.timedelta64(0, "ns")])
    data = xr.concat([analysis, data], "prediction_timedelta")
    table, found = scores_of(folder, rewritten(folder, "with-zero.zarr", data), metrics=["rmse"])
    assert (NAME, "rmse", "global", 0.0) in table
    assert "the lead times are not the task's" not in found.matched.departures


def test_inits_outside_the_truth_are_left_out_and_said(folder, scores_of):
    truth = made.made_truth(periods=6)  # the last valid time is 2020-02-22T12
    table, found = scores_of(folder, truth=rewritten(folder, "short.zarr", truth), metrics=["rmse"])
    assert found.matched.inits.size == 5
    assert "6 of 20 pairs have no truth" in found.matched.coverage
    assert "the initial times are not the task's" in found.matched.departures
    assert table[NAME, "rmse", "global", 48.0] is not None


def test_no_time_in_common_is_an_error(folder, scores_of):
    truth = made.made_truth(start="2019-02-20")
    with pytest.raises(PredictionError, match=r"No valid time of the forecast .*2020-02-20.*2019-02-20"):
        scores_of(folder, truth=rewritten(folder, "other-year.zarr", truth))


def test_inits_of_another_year_are_scored_and_depart_from_the_task(folder, scores_of):
    made.written(folder / "old.zarr", made.made_forecast(start="2018-02-20"))
    made.written(folder / "old-truth.zarr", made.made_truth(start="2018-02-20"))
    _, found = scores_of(folder, "old.zarr", truth="old-truth.zarr", metrics=["rmse"])
    assert "the initial times are not the task's" in found.matched.departures
    assert "0 of the task's 10" in found.matched.coverage


def test_only_the_tasks_inits_are_scored_where_there_are_some(folder, scores_of):
    made.written(folder / "long.zarr", made.made_forecast(inits=14))
    made.written(folder / "long-truth.zarr", made.made_truth(periods=30))
    _, found = scores_of(folder, "long.zarr", truth="long-truth.zarr", metrics=["rmse"])
    assert found.matched.inits.size == 10
    assert not found.matched.departures
    assert "4 further initial times of the store are not the task's" in found.matched.coverage


def test_swapped_dimensions_are_told(folder, scores_of):
    data = made.made_forecast().isel(longitude=slice(0, 7)).rename(latitude="longitude", longitude="latitude")
    with pytest.raises(DataError, match="Are latitude and longitude swapped"):
        scores_of(folder, rewritten(folder, "swapped.zarr", data))


def test_another_grid_is_told(folder, scores_of):
    data = made.made_forecast().isel(longitude=slice(None, None, 2))
    with pytest.raises(PredictionError, match="another grid than the truth: 7 x 4"):
        scores_of(folder, rewritten(folder, "coarse.zarr", data))


def test_missing_targets_are_all_named(folder, scores_of):
    with pytest.raises(PredictionError) as error:
        scores_of(folder, targets=["2m_temperatur", "geopotential_500"])
    assert "2m_temperatur" in str(error.value)
    assert "geopotential" in str(error.value)
    assert "Did you mean" in str(error.value)


LEVELS = xr.DataArray([500, 850], dims="level", name="level", coords={"level": [500, 850]})


def written_on_levels(folder, *flat):
    """Write stores of temperature on two levels, of which it is 10 K warmer at 850; those named have no level axis."""
    for name in ("truth", "forecast", "climatology"):
        data = getattr(made, f"made_{name}")(variables=("temperature",))
        attributes = data.attrs
        data = data if name in flat else data + xr.where(LEVELS == 850, 10.0, 0.0)
        made.written(folder / f"{name}.zarr", data.assign_attrs(attributes))


def test_a_level_that_is_not_there_is_told(tmp_path, scores_of):
    written_on_levels(tmp_path)
    with pytest.raises(PredictionError, match="temperature_700: the forecast has no level 700; it has 500, 850"):
        scores_of(tmp_path, targets=["temperature_700"])
    written_on_levels(tmp_path, "forecast")
    with pytest.raises(PredictionError, match="temperature_700: the truth has no level 700; it has 500, 850"):
        scores_of(tmp_path, targets=["temperature_700"])


@pytest.mark.parametrize("flat", [("forecast",), ("truth",), ("forecast", "truth")])
def test_several_levels_of_a_store_without_levels_are_told(tmp_path, scores_of, flat):
    written_on_levels(tmp_path, *flat)
    with pytest.raises(PredictionError, match=f"temperature_500, temperature_850: the {flat[0]} has no level axis"):
        scores_of(tmp_path, targets=["temperature_500", "temperature_850"])


def test_one_level_of_a_store_without_levels_is_scored(tmp_path, scores_of):
    written_on_levels(tmp_path, "forecast")
    biases = []
    for level in (500, 850):
        table, _ = scores_of(tmp_path, targets=[f"temperature_{level}"], metrics=["bias"])
        biases.append(table[f"temperature_{level}", "bias", "global", 12])
    assert biases[0] - biases[1] == pytest.approx(10.0, abs=1e-5)


def test_a_wind_with_one_component_on_levels_is_told(tmp_path, scores_of):
    winds = ("u_component_of_wind", "v_component_of_wind")
    for name, make in (("truth", made.made_truth), ("forecast", made.made_forecast)):
        data = make(variables=winds)
        made.written(tmp_path / f"{name}.zarr", data.assign({winds[0]: data[winds[0]].expand_dims(level=LEVELS)}))
    with pytest.raises(PredictionError, match=f"the forecast has {winds[0]} on levels, and {winds[1]} without"):
        scores_of(tmp_path, targets=["wind_vector"], use_climatology=None)


def test_a_forecast_that_is_observations_is_told(folder, scores_of):
    with pytest.raises(DataError, match="has no variable of dimensions"):
        scores_of(folder, "truth.zarr")


def test_a_truth_that_is_a_forecast_is_told(folder, scores_of):
    with pytest.raises(DataError, match="is a forecast"):
        scores_of(folder, truth="forecast.zarr")


def test_metrics_and_regions_that_do_not_exist(folder, scores_of):
    with pytest.raises(CardError, match=r"no metric 'rmsee'.*rmse"):
        scores_of(folder, metrics=["rmsee"])
    with pytest.raises(DataError, match="no region 'atlantis'"):
        scores_of(folder, regions=["atlantis"])


def test_scores_that_need_a_climatology_say_so(folder, scores_of):
    _, found = scores_of(folder, use_climatology=None, metrics=["rmse", "acc"])
    assert any("acc of 2m_temperature: needs a climatology" in note for note in found.notes)
    with pytest.raises(PredictionError, match=r"Nothing can be scored:\s+acc of 2m_temperature: needs a climatology"):
        scores_of(folder, use_climatology=None, metrics=["acc"])


def test_a_climatology_without_the_hours_that_are_needed(folder, scores_of):
    rewritten(folder, "daily.zarr", made.made_climatology().isel(hour=[0]))
    with pytest.raises(DataError, match="hour is 0, and 12 is wanted"):
        scores_of(folder, use_climatology="daily.zarr", metrics=["acc"])


@pytest.mark.parametrize(
    ("targets", "change", "why"),
    [
        (["temperature_850"], {"level": [0]}, "the climatology has no level 850 of 'temperature'; it has 500"),
        (["temperature"], {"level": 0}, "the climatology has no level axis for 'temperature', and several levels are"),
    ],
)
def test_a_climatology_without_the_level_that_is_needed(tmp_path, scores_of, targets, change, why):
    written_on_levels(tmp_path)
    climatology = xr.open_zarr(tmp_path / "climatology.zarr", consolidated=False).load().isel(change, drop=True)
    rewritten(tmp_path, "few.zarr", climatology)
    options = {"targets": targets, "use_climatology": "few.zarr"}
    table, found = scores_of(tmp_path, metrics=["rmse", "acc"], **options)
    assert {metric for _, metric, *_ in table} == {"rmse"}
    assert any(f"acc of temperature_850: {why}" in note for note in found.notes)
    with pytest.raises(PredictionError, match=f"Nothing can be scored:\\s+acc of temperature_.*{why}"):
        scores_of(tmp_path, metrics=["acc"], **options)


def test_a_climatology_on_levels_of_fields_that_name_none(tmp_path, scores_of):
    written_on_levels(tmp_path, "forecast", "truth")
    with pytest.raises(PredictionError, match="on levels 500, 850; name one, such as temperature_500"):
        scores_of(tmp_path, targets=["temperature"], metrics=["acc"])
    named = [scores_of(tmp_path, targets=[f"temperature_{n}"], metrics=["acc"])[0] for n in (500, 850)]
    assert len({round(value, 6) for table in named for value in table.values()}) == 8  # each level has its own


@pytest.mark.filterwarnings("ignore:Converting a CFTimeIndex")
def test_a_calendar_with_days_that_there_are_not_is_told(folder, scores_of):
    truth = made.made_truth()
    days = xr.date_range("2020-02-25", periods=truth.sizes["time"], freq="12h", calendar="360_day", use_cftime=True)
    name = rewritten(folder, "of-360-days.zarr", truth.assign_coords(time=days))
    with pytest.raises(PredictionError, match="times of the truth are on a calendar that has no dates"):
        scores_of(folder, truth=name)
