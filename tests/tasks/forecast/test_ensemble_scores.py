"""Ensemble scores: the protocol's worked values, their formulas, and the libraries `scores` and `xskillscore`."""

from __future__ import annotations

import numpy as np
import pytest
import scores.probability
import xarray as xr
import xskillscore

from tests.tasks.forecast import made_stores as made

NAME = "2m_temperature"
ENSEMBLE = ["crps_fair", "crps", "crps_almost_fair", "ensemble_mean_rmse", "spread", "spread_skill", "rmse"]


def ensemble(folder, members=6):
    data = made.made_forecast(members=members, variables=(NAME,))
    made.written(folder / "ensemble.zarr", data)
    return data


def aligned(forecast, truth):
    """Forecast and truth of one shape, initial time called init."""
    valid = (forecast["time"] + forecast["prediction_timedelta"]).rename(time="init")
    observed = truth[NAME].sel(time=valid.assign_coords(init=forecast["time"].values)).drop_vars("time")
    predicted = forecast[NAME].rename(time="init", number="member").astype("float64")
    return predicted, observed.astype("float64").transpose("init", "prediction_timedelta", ...)


def test_the_worked_value_of_the_protocol(tmp_path, scores_of):
    # members 0, 1 and 3, truth 2: fair 1/3, classical 2/3
    truth = made.made_truth(variables=(NAME,)) * 0.0 + 2.0
    forecast = made.made_forecast(members=3, variables=(NAME,)) * 0.0
    forecast[NAME] += xr.DataArray(np.float32([0.0, 1.0, 3.0]), dims="number")
    made.written(tmp_path / "truth.zarr", truth)
    made.written(tmp_path / "ensemble.zarr", forecast)
    table, _ = scores_of(tmp_path, "ensemble.zarr", metrics=ENSEMBLE, targets=[NAME], use_climatology=None)
    value = {metric: table[NAME, metric, "global", 12] for metric in ENSEMBLE}
    assert value["crps_fair"] == pytest.approx(1 / 3, rel=1e-12)
    assert value["crps"] == pytest.approx(2 / 3, rel=1e-12)
    assert value["crps_almost_fair"] == pytest.approx(0.95 / 3 + 0.05 * 2 / 3, rel=1e-12)
    assert value["ensemble_mean_rmse"] == value["rmse"] == pytest.approx(2 / 3, rel=1e-12)
    assert value["spread"] == pytest.approx(np.sqrt(7 / 3), rel=1e-12)  # variance of 0, 1, 3 with ddof 1
    # squared error 4/9 less 7/9 is negative: no ensemble of this spread errs so little, and there is no ratio
    assert value["spread_skill"] is None


@pytest.mark.parametrize("fair", [True, False])
def test_crps_agrees_with_other_libraries(folder, scores_of, fair):
    forecast = ensemble(folder)
    table, _ = scores_of(folder, "ensemble.zarr", metrics=["crps", "crps_fair"], targets=[NAME], weights="cos_latitude")
    predicted, observed = aligned(forecast, made.made_truth())
    weights = np.cos(np.deg2rad(predicted["latitude"])).clip(min=0.0)
    ours = [table[NAME, "crps_fair" if fair else "crps", "global", hour] for hour in made.HOURS]
    theirs = scores.probability.crps_for_ensemble(
        predicted, observed, "member", method="fair" if fair else "ecdf", preserve_dims="all"
    )
    mean = theirs.mean(["init", "longitude"]).weighted(weights).mean("latitude")
    np.testing.assert_allclose(ours, mean.values, rtol=1e-6)
    if not fair:
        other = xskillscore.crps_ensemble(observed, predicted, dim=["init", "longitude"])
        np.testing.assert_allclose(ours, other.weighted(weights).mean("latitude").values, rtol=1e-6)


def test_spread_and_skill_are_those_of_their_formulas(folder, scores_of):
    forecast = ensemble(folder)
    table, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE, targets=[NAME])
    predicted, observed = aligned(forecast, made.made_truth())
    rows = xr.DataArray(made.cell_weights(), dims="latitude", coords={"latitude": made.LATITUDE})
    mean_of = lambda field: field.weighted(rows).mean(["latitude", "longitude"]).mean("init")  # noqa: E731
    variance = mean_of(predicted.var("member", ddof=1))
    square = mean_of((predicted.mean("member") - observed) ** 2)
    for metric, wanted in (
        ("spread", variance**0.5),
        ("ensemble_mean_rmse", square**0.5),
        ("spread_skill", (variance / (square - variance / 6)) ** 0.5),
    ):
        ours = [table[NAME, metric, "global", hour] for hour in made.HOURS]
        np.testing.assert_allclose(ours, wanted.values, rtol=1e-6)


def test_the_order_of_members_does_not_matter(folder, scores_of):
    forecast = ensemble(folder)
    made.written(folder / "shuffled.zarr", forecast.isel(number=[3, 0, 5, 1, 4, 2]))
    one, _ = scores_of(folder, "ensemble.zarr", metrics=ENSEMBLE, targets=[NAME])
    other, _ = scores_of(folder, "shuffled.zarr", metrics=ENSEMBLE, targets=[NAME])
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value == pytest.approx(other[key], rel=1e-12), key


def test_one_member_where_several_are_needed(folder, scores_of):
    from climbench.errors import PredictionError

    with pytest.raises(PredictionError, match="crps_fair of 2m_temperature: needs several members; the forecast has 1"):
        scores_of(folder, metrics=["crps_fair"], targets=[NAME])


def test_members_of_the_reanalysis_scored_against_one_another(shared_data, tmp_path, scores_of):
    """ERA5's ten members: each in turn is the truth for the other nine, and their own spread is the error to expect."""
    data = xr.open_dataset(shared_data / "era5" / "era5_eda_members_3deg.nc")
    data = data.rename(isobaricInhPa="level", t="temperature")[["temperature"]].isel(latitude=slice(None, None, -1))
    ratios = []
    for member in range(10):
        truth = data.isel(number=member, drop=True)
        others = data.isel(number=[n for n in range(10) if n != member]).expand_dims(
            prediction_timedelta=np.array([0], "timedelta64[ns]")
        )
        made.written(tmp_path / f"truth{member}.zarr", truth)
        made.written(tmp_path / f"others{member}.zarr", others.transpose("time", "prediction_timedelta", "number", ...))
        table, found = scores_of(
            tmp_path,
            f"others{member}.zarr",
            truth=f"truth{member}.zarr",
            targets=["temperature_850", "temperature_500"],
            metrics=["spread", "ensemble_mean_rmse", "crps_fair"],
            use_climatology=None,
        )
        assert found.members == {"temperature_850": 9, "temperature_500": 9}
        names = ("spread", "ensemble_mean_rmse", "crps_fair")
        ratios.append([table["temperature_850", name, "global", 0.0] for name in names])
    spread, error, crps = np.sqrt(np.mean(np.square(ratios), axis=0))
    # Exchangeable members: the mean square error of nine members' mean is their variance times 1 + 1/9. The first is
    # the control, which is not perturbed, so that this holds only about.
    assert error == pytest.approx(spread * np.sqrt(10 / 9), rel=0.1)
    assert 0.0 < crps < error
