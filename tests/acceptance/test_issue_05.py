"""What issue 5 asks to be shown: forecasts scored exactly, whatever their store looks like, and wrong ones refused.

Single metrics are held against worked values and other libraries in tests/tasks/forecast and tests/metrics; here the
installed command does it all at once, on stores at the size of the task's coarse grid.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scores.probability
import xarray as xr
import xskillscore
import zarr

CLIMBENCH = str(Path(sys.executable).with_name("climbench"))
NAME = "2m_temperature"
LATITUDE = np.linspace(-87.1875, 87.1875, 32)
LONGITUDE = np.arange(64) * 5.625
LEADS = np.arange(24, 241, 24)


def command(*arguments, cwd):
    return subprocess.run([CLIMBENCH, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=600)


def scored(*arguments, cwd, **settings):
    """Return rows by (variable, metric, region, lead), and the whole of the printed JSON."""
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    done = command("score", "--task", "weatherbench", *arguments, *options, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    return {(r["variable"], r["metric"], r["region"], r["lead_time"]): r["value"] for r in result["scores"]}, result


def refused(*arguments, cwd, **settings):
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    done = command("score", "--task", "weatherbench", *arguments, *options, cwd=cwd)
    assert done.returncode == 2, done.stdout
    assert done.stdout == "" or "Data:" in done.stdout
    assert "Traceback" not in done.stderr
    print(done.stderr)
    return done.stderr


def fields(rng, shape, anomaly=0.0):
    season = 280.0 + 25.0 * np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(64)
    return (season + 4.0 * rng.standard_normal((*shape, 32, 64)) + anomaly).astype("float32")


def write(path, data, zarr_format=3, **chunks):
    stored = data.chunk(chunks) if chunks else data
    with zarr.config.set({"array.write_empty_chunks": True}):
        stored.drop_encoding().to_zarr(path, mode="w", zarr_format=zarr_format, consolidated=zarr_format == 2)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A year's quarter of noise about a climatology, with a forecast that knows less the farther it looks."""
    made = tmp_path_factory.mktemp("weather")
    rng = np.random.default_rng(0)
    grid = {"latitude": LATITUDE, "longitude": LONGITUDE}
    times = pd.date_range("2020-01-01", periods=120, freq="12h")
    truth = fields(rng, (120,))
    leads = LEADS.astype("timedelta64[h]").astype("timedelta64[ns]")
    inits = times[:90]
    forecast = np.empty((90, LEADS.size, 32, 64), "float32")
    members = np.empty((90, LEADS.size, 6, 32, 64), "float32")
    for j, hours in enumerate(LEADS):
        known = np.exp(-hours / 96.0)
        valid = truth[np.arange(90) + hours // 12]
        for k in range(6):
            members[:, j, k] = known * valid + (1 - known) * fields(rng, (90,))
        forecast[:, j] = members[:, j, 0]
    lead = ("prediction_timedelta", leads)
    dims = ("time", "prediction_timedelta", "latitude", "longitude")
    axes = {"time": inits, "prediction_timedelta": leads, **grid}
    data = xr.Dataset({NAME: (dims, forecast)}, axes)
    ensemble = xr.Dataset({NAME: ((*dims[:2], "number", *dims[2:]), members)}, {**axes, "number": np.arange(6)})
    climatology = fields(rng, (2, 366)).mean(axis=(0, 1), keepdims=True) * np.ones((2, 366, 1, 1), "float32")
    clim = xr.Dataset({NAME: (("hour", "dayofyear", "latitude", "longitude"), climatology)})
    clim = clim.assign_coords(hour=[0, 12], dayofyear=np.arange(1, 367), **grid)
    write(made / "truth.zarr", xr.Dataset({NAME: (("time", "latitude", "longitude"), truth)}, {"time": times, **grid}))
    write(made / "forecast.zarr", data)
    write(made / "ensemble.zarr", ensemble, time=10)
    write(made / "1990-2019_6h_64x32.zarr", clim)
    assert lead[1].size == LEADS.size
    return made


COMMON = {"targets": f"[{NAME}]", "climatology": "1990-2019_6h_64x32.zarr", "regions": "[global, tropics]"}
USUAL = "[rmse, rmse_mean_of_roots, mae, bias, acc, acc_mean_of_inits, activity]"


def aligned(folder, store):
    forecast = xr.open_zarr(folder / store, consolidated=False, decode_timedelta=True)[NAME]
    truth = xr.open_zarr(folder / "truth.zarr", consolidated=False)[NAME]
    valid = (forecast["time"] + forecast["prediction_timedelta"]).rename(time="init")
    observed = truth.sel(time=valid.assign_coords(init=forecast["time"].values)).drop_vars("time")
    predicted = forecast.rename(time="init").astype("float64").load()
    return predicted, observed.astype("float64").load().transpose("init", "prediction_timedelta", ...)


def test_scores_agree_with_other_libraries(folder):
    rows, result = scored("forecast.zarr", "--data", "truth.zarr", cwd=folder, metrics=USUAL, **COMMON)
    assert result["modified"] is True
    assert any("coverage: 90 initial times" in note for note in result["notes"])
    assert {lead for *_, lead in rows} == set(map(float, LEADS))
    predicted, observed = aligned(folder, "forecast.zarr")
    weights = np.cos(np.deg2rad(predicted["latitude"]))  # of cell-centred rows these are areas
    for metric, theirs in (("rmse", xskillscore.rmse), ("mae", xskillscore.mae), ("bias", xskillscore.me)):
        expected = theirs(
            predicted,
            observed,
            dim=["init", "latitude", "longitude"],
            weights=weights * xr.ones_like(predicted[:, 0]),
        )
        ours = [rows[NAME, metric, "global", hour] for hour in LEADS]
        np.testing.assert_allclose(ours, expected.values, rtol=1e-6, atol=1e-6)
    assert all(rows[NAME, "rmse_mean_of_roots", "global", h] < rows[NAME, "rmse", "global", h] for h in LEADS)


def test_an_ensemble_agrees_with_other_libraries(folder):
    metrics = "[crps_fair, crps, spread, ensemble_mean_rmse, spread_skill, rank_histogram_deviation]"
    rows, _ = scored("ensemble.zarr", "--data", "truth.zarr", cwd=folder, metrics=metrics, **COMMON)
    predicted, observed = aligned(folder, "ensemble.zarr")
    weights = np.cos(np.deg2rad(predicted["latitude"]))
    for metric, method in (("crps_fair", "fair"), ("crps", "ecdf")):
        theirs = scores.probability.crps_for_ensemble(predicted, observed, "number", method=method, preserve_dims="all")
        expected = theirs.weighted(weights).mean(["latitude", "longitude"]).mean("init")
        ours = [rows[NAME, metric, "global", hour] for hour in LEADS]
        np.testing.assert_allclose(ours, expected.values, rtol=1e-6)
    spread = predicted.var("number", ddof=1).weighted(weights).mean(["latitude", "longitude"]).mean("init") ** 0.5
    np.testing.assert_allclose([rows[NAME, "spread", "global", h] for h in LEADS], spread.values, rtol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, -1])
def test_chunks_change_nothing(folder, chunk, tmp_path):
    data = xr.open_zarr(folder / "forecast.zarr", consolidated=False, decode_timedelta=True)
    size = chunk if chunk > 0 else data.sizes["time"]
    write(tmp_path / "cut.zarr", data, time=size, prediction_timedelta=min(size, LEADS.size))
    one, _ = scored("forecast.zarr", "--data", "truth.zarr", cwd=folder, metrics=USUAL, **COMMON)
    other, _ = scored(tmp_path / "cut.zarr", "--data", "truth.zarr", cwd=folder, metrics=USUAL, **COMMON)
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value == pytest.approx(other[key], rel=1e-12, abs=1e-12), key


def test_a_flipped_renamed_transposed_copy_in_zarr_2_scores_the_same(folder, tmp_path):
    data = xr.open_zarr(folder / "forecast.zarr", consolidated=False, decode_timedelta=True).load()
    turned = data.isel(latitude=slice(None, None, -1)).rename(
        latitude="lat", longitude="lon", prediction_timedelta="step"
    )
    turned = turned.rename({NAME: "t2m"}).transpose("step", "lon", "lat", "time")
    write(tmp_path / "turned.zarr", turned, zarr_format=2)
    one, _ = scored("forecast.zarr", "--data", "truth.zarr", cwd=folder, metrics=USUAL, **COMMON)
    other, _ = scored(tmp_path / "turned.zarr", "--data", "truth.zarr", cwd=folder, metrics=USUAL, **COMMON)
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value == pytest.approx(other[key], rel=1e-12, abs=1e-12), key


def test_members_of_the_reanalysis_scored_against_one_another(shared_data, tmp_path):
    """Each of ERA5's ten members in turn is the truth for the other nine."""
    data = xr.open_dataset(shared_data / "era5" / "era5_eda_members_3deg.nc")
    data = data.rename(isobaricInhPa="level", t="temperature", z="geopotential")[["temperature", "geopotential"]]
    found = []
    for member in range(1, 10):  # member 0 is the control, which is not perturbed
        rest = [n for n in range(1, 10) if n != member]
        others = data.isel(number=rest).expand_dims(prediction_timedelta=np.array([0], "timedelta64[ns]"))
        write(tmp_path / f"others{member}.zarr", others)
        write(tmp_path / f"truth{member}.zarr", data.isel(number=member, drop=True))
        rows, _ = scored(
            f"others{member}.zarr",
            "--data",
            f"truth{member}.zarr",
            cwd=tmp_path,
            targets="[temperature_850, geopotential_500]",
            metrics="[spread, ensemble_mean_rmse, crps_fair]",
        )
        found.append(rows)
    for name in ("temperature_850", "geopotential_500"):
        spread, error, crps = (
            np.sqrt(np.mean([rows[name, m, "global", 0.0] ** 2 for rows in found]))
            for m in ("spread", "ensemble_mean_rmse", "crps_fair")
        )
        print(f"{name}: spread {spread:.4g}, error of the mean {error:.4g}, fair CRPS {crps:.4g}")
        # nine members of one distribution: the mean square error of eight is their variance times 1 + 1/8
        assert error == pytest.approx(spread * np.sqrt(9 / 8), rel=1e-6)
        assert 0.0 < crps < error


def test_wrong_input_is_refused_or_said(folder, tmp_path):
    data = xr.open_zarr(folder / "forecast.zarr", consolidated=False, decode_timedelta=True).load()
    holes = data.copy(deep=True)
    holes[NAME][5, 3, 10, 20] = np.nan
    write(tmp_path / "holes.zarr", holes)
    truth = ("--data", folder / "truth.zarr")
    just = {"targets": f"[{NAME}]", "metrics": "[rmse]"}
    assert "missing" in refused(tmp_path / "holes.zarr", *truth, cwd=tmp_path, **just)
    _, masked = scored(tmp_path / "holes.zarr", *truth, cwd=tmp_path, nan="mask", **just)
    assert any("1 cells with missing values left out" in note for note in masked["notes"])
    write(tmp_path / "nothing.zarr", data * np.nan)
    refused(tmp_path / "nothing.zarr", *truth, cwd=tmp_path, **just)
    refused(tmp_path / "nothing.zarr", *truth, cwd=tmp_path, nan="mask", **just)
    write(tmp_path / "few.zarr", data.isel(prediction_timedelta=[0, 4]))
    rows, result = scored(tmp_path / "few.zarr", *truth, cwd=tmp_path, **just)
    assert {lead for *_, lead in rows} == {24.0, 120.0}
    assert result["modified"] is True
    write(tmp_path / "later.zarr", data.assign_coords(time=data["time"] + np.timedelta64(400, "D")))
    assert "No valid time of the forecast is in the truth" in refused(
        tmp_path / "later.zarr", *truth, cwd=tmp_path, **just
    )
    swapped = data.isel(longitude=slice(0, 32)).rename(latitude="longitude", longitude="latitude")
    write(tmp_path / "swapped.zarr", swapped)
    assert "swapped" in refused(tmp_path / "swapped.zarr", *truth, cwd=tmp_path, **just)
    several = {"targets": f"[{NAME}]", "metrics": "[crps_fair]"}
    assert "several members" in refused(folder / "forecast.zarr", *truth, cwd=tmp_path, **several)
    level = data.rename({NAME: "temperature_850"})
    write(tmp_path / "suffix.zarr", level)
    observed = xr.open_zarr(folder / "truth.zarr", consolidated=False).rename({NAME: "temperature"})
    write(tmp_path / "levels.zarr", observed.expand_dims(level=[850]))
    rows, _ = scored(
        tmp_path / "suffix.zarr", "--data", tmp_path / "levels.zarr", cwd=tmp_path, targets="[temperature_850]"
    )
    assert ("temperature_850", "rmse", "global", 24.0) in rows


def test_climatologies_that_saw_the_test_or_do_not_say(folder, tmp_path):
    clim = xr.open_zarr(folder / "1990-2019_6h_64x32.zarr", consolidated=False).load()
    write(tmp_path / "1990-2020_6h_64x32.zarr", clim)
    write(tmp_path / "climatology.zarr", clim)
    common = {"targets": f"[{NAME}]", "metrics": "[acc]"}
    truth = ("--data", folder / "truth.zarr")
    seen = {"climatology": str(tmp_path / "1990-2020_6h_64x32.zarr")}
    assert "it has seen the test" in refused(folder / "forecast.zarr", *truth, cwd=tmp_path, **common, **seen)
    _, result = scored(
        folder / "forecast.zarr", *truth, cwd=tmp_path, climatology=tmp_path / "climatology.zarr", **common
    )
    assert any("does not say from which years" in note for note in result["notes"])


def test_regional_pressure_with_its_baselines(shared_data, tmp_path):
    done = command(
        "run", "--task", "regional-slp", "--data", shared_data / "ncep", "--json", "--out", "run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows = {(r["model"], r["metric"], r["lead_time"]): r["value"] for r in json.loads(done.stdout)["scores"]}
    print({m: round(rows[m, "rmse", 24.0], 1) for m in ("persistence", "climatology")})
    assert rows["persistence", "rmse", 24.0] == pytest.approx(643.0, rel=0.005)
    assert 907.0 <= rows["climatology", "rmse", 24.0] <= 938.0
    compared = command("compare", "run", "run", cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert "better" in compared.stdout
    assert (tmp_path / "run" / "report.html").is_file()
