"""``climbench data climatology``: a store that says which years it knows, whole or not there."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.data.climatology import climatology, period_of
from climbench.tasks.forecast.stores import open_weather
from tests.models.forecast_states import series_of


@pytest.fixture
def series(tmp_path):
    """Four years in WeatherBench's layout: latitude descending and last but one, as a zarr 2 store."""
    values = np.random.default_rng(0).normal(280.0, 5.0, (1461, 4, 8))
    data = series_of(values, name="2m_temperature")
    data["2m_temperature"].attrs["units"] = "K"
    stored = data.isel(latitude=slice(None, None, -1)).transpose("time", "longitude", "latitude")
    stored.to_zarr(tmp_path / "era5.zarr", zarr_format=2, consolidated=True)
    return data


def test_the_store_is_the_climatology_of_the_years_asked_for(climbench, series, tmp_path):
    out = tmp_path / "climatology.zarr"
    options = ("--years", "2001:2003", "--statistics", "mean,std")
    done = climbench("data", "climatology", tmp_path / "era5.zarr", out, *options)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"The climatology of 2001:2003 is in {out}.\n"
    found = open_weather(out, "climatology", "weatherbench2-era5")  # as the scoring of forecasts opens it
    wanted = climatology(series.sel(time=slice("2001", "2003")), statistics=("mean", "std"))
    for name in ("2m_temperature", "2m_temperature_std"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-6)
        assert found[name].attrs["units"] == "K"
    first, last = period_of(found)
    assert (str(first), str(last)) == ("2001-01-01T00:00:00", "2003-12-31T00:00:00")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["climatology.zarr", "era5.zarr"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--years", "2011:2012"), "2011"),
        (("--years", "2001:2003", "--window", "60"), "A window of 60 days has no middle"),
        (("--years", "2001:2003", "--statistics", "median"), "no statistic 'median'"),
        (("--years", "2001:2003", "--statistics", "seeps"), "None of 2m_temperature is precipitation"),
        (("--years", "2001:2003", "--variables", "2m_temperatur"), "Did you mean '2m_temperature'"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(climbench, series, tmp_path, options, said):
    done = climbench("data", "climatology", tmp_path / "era5.zarr", tmp_path / "climatology.zarr", *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["era5.zarr"]


def test_a_store_that_is_there_is_not_written_over(climbench, series, tmp_path):
    where = tmp_path / "era5.zarr"
    before = xr.open_zarr(where).load()
    done = climbench("data", "climatology", where, where, "--years", "2001:2003")
    assert done.code == 2
    assert "exists already" in done.err
    xr.testing.assert_identical(xr.open_zarr(where).load(), before)
