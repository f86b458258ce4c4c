"""WeatherBench 2's stores as its bucket has them: observations, forecasts and climatologies, in all their spellings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.data.layouts import recognise
from climbench.data.readers.weatherbench import WeatherBenchReader, store_kind
from climbench.data.stores import open_store
from climbench.errors import DataError
from tests.data.readers.known_fields import assert_expected, expected

TIME = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[ns]")
LATITUDE = np.array([-60.0, 0.0, 60.0])
LONGITUDE = np.array([0.0, 90.0, 180.0, 270.0])
LEVEL = np.array([500, 850])
LEADS = np.array([6, 12, 18, 24]) * np.timedelta64(1, "h")
CANONICAL = {"latitude": LATITUDE, "longitude": LONGITUDE, "level": LEVEL, "time": TIME}


def field(dims, base, units, **coords):
    """A variable of given dimension order whose values follow `known_fields.expected`."""
    known = {name: xr.DataArray(values, dims=name) for name, values in {**CANONICAL, **coords}.items()}
    values = expected({d: known[d] for d in dims}, base)
    return (tuple(dims), values.transpose(*dims).values.astype("f4"), {"units": units} if units else {})


def observations(order=("time", "level", "longitude", "latitude"), units=True):
    flat = tuple(d for d in order if d != "level")
    return xr.Dataset(
        {
            "geopotential": field(order, 5e4, "m**2 s**-2" if units else None),
            "2m_temperature": field(flat, 280.0, "K" if units else None),
            "land_sea_mask": (flat[1:], np.zeros([{"latitude": 3, "longitude": 4}[d] for d in flat[1:]], "f4")),
        },
        CANONICAL,
    )


def forecast(leads=LEADS, member=None):
    dims = ("time", "prediction_timedelta", "level", "longitude", "latitude")
    sizes = {"time": TIME, "lead_time": leads}
    extra = () if member is None else ("member",)
    order = ("init_time", *extra, "lead_time", "level", "longitude", "latitude")
    coords = {"init_time": TIME, "lead_time": leads, "member": np.arange(2)}
    _, values, attrs = field(order, 280.0, "K", **coords)
    named = {"init_time": "time", "lead_time": "prediction_timedelta", "member": member}
    dims = tuple(named.get(d, d) for d in order)
    data = {"temperature": (dims, values, attrs)}
    return xr.Dataset(data, {**CANONICAL, "prediction_timedelta": sizes["lead_time"]})


def written(data, path, **options):
    data.to_zarr(path, **{"zarr_format": 3, "consolidated": False, **options})
    return path


@pytest.mark.parametrize(
    "order", [("time", "level", "longitude", "latitude"), ("time", "level", "latitude", "longitude")]
)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("names", [("latitude", "longitude"), ("lat", "lon")])
def test_observations_leave_in_one_order_whatever_theirs(tmp_path, order, turned, names):
    source = observations(order)
    source = source.isel(latitude=slice(None, None, -1)) if turned else source
    source = source.rename(dict(zip(("latitude", "longitude"), names, strict=True)))
    path = written(source, tmp_path / "obs.zarr")
    assert recognise(path) == "weatherbench"
    data = WeatherBenchReader(path).open()
    assert data["geopotential"].dims == ("time", "level", "latitude", "longitude")
    assert data["2m_temperature"].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(data["latitude"], LATITUDE)
    assert_expected(data["geopotential"], 5e4, tolerance=1e-2)
    assert_expected(data["2m_temperature"], 280.0)
    turned_note = [n for n in data.attrs["climbench_changes"] if "latitude was not ascending" in n]
    assert len(turned_note) == turned


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("consolidated", [False, True])
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_both_formats_of_zarr_open_lazily_consolidated_or_not(tmp_path, zarr_format, consolidated):
    path = written(observations(), tmp_path / "o.zarr", zarr_format=zarr_format, consolidated=consolidated)
    data = WeatherBenchReader(path).open()
    assert not isinstance(data["geopotential"].variable._data, np.ndarray)
    assert_expected(data["geopotential"], 5e4, tolerance=1e-2)


def test_units_come_from_the_name_where_a_store_states_none(tmp_path):
    data = WeatherBenchReader(written(observations(units=False), tmp_path / "o.zarr")).open()
    assert data["geopotential"].attrs["units"] == "m2 s-2"
    assert any("2m_temperature states no units; taken as K" in note for note in data.attrs["climbench_changes"])


def test_levels_as_suffixes_become_levels_lazily(tmp_path):
    whole = observations(("time", "level", "latitude", "longitude"))["geopotential"]
    split = {f"geopotential_{p}": whole.sel(level=p, drop=True) for p in (850, 500)}
    data = WeatherBenchReader(written(xr.Dataset(split), tmp_path / "o.zarr")).open(variables=["geopotential"])
    assert data["geopotential"].dims == ("time", "level", "latitude", "longitude")
    assert_expected(data["geopotential"], 5e4, tolerance=1e-2)


@pytest.mark.parametrize("kind", ["observations", "forecast"])
def test_levels_as_suffixes_keep_the_chunks_of_the_store(tmp_path, kind):
    whole = forecast() if kind == "forecast" else observations().rename(geopotential="temperature") - 4.97e4
    split = {
        f"temperature_{p}": whole["temperature"].sel(level=p, drop=True).assign_attrs(units="K") for p in (850, 500)
    }
    chunks = {"time": 1, "prediction_timedelta": 2, "latitude": 3, "longitude": 2}
    stored = xr.Dataset(split).isel(latitude=slice(None, None, -1)).rename(latitude="lat", longitude="lon")
    stored = stored.chunk(
        {
            d: n
            for d, n in zip(("time", "prediction_timedelta", "lat", "lon"), chunks.values(), strict=True)
            if d in stored.dims
        }
    )
    data = WeatherBenchReader(written(stored, tmp_path / "o.zarr")).open()["temperature"]
    found = dict(zip(data.dims, data.chunks, strict=True))
    assert found["level"] == (1, 1)
    assert found["longitude"] == (2, 2)
    assert found["latitude"] == (3,)
    assert found["init_time" if kind == "forecast" else "time"] == (1, 1, 1)
    assert found.get("lead_time", (2, 2)) == (2, 2)


def test_a_forecast_without_lead_0(tmp_path):
    path = written(forecast(), tmp_path / "f.zarr")
    assert recognise(path) == "weatherbench"
    assert store_kind(open_store(path)) == "forecast"
    data = WeatherBenchReader(path).open()
    assert data["temperature"].dims == ("init_time", "lead_time", "level", "latitude", "longitude")
    np.testing.assert_array_equal(data["lead_time"], LEADS)
    assert_expected(data["temperature"], 280.0)
    assert store_kind(data) == "forecast"


@pytest.mark.parametrize(
    ("numbers", "units"),
    [
        ([6, 12, 18, 24], "hours"),
        ([0.25, 0.5, 0.75, 1.0], "days"),
        ([6 * 3600 * 10**9, 12 * 3600 * 10**9, 18 * 3600 * 10**9, 24 * 3600 * 10**9], "nanoseconds"),
        ([6 * 3600 * 10**9, 12 * 3600 * 10**9, 18 * 3600 * 10**9, 24 * 3600 * 10**9], None),
    ],
)
def test_lead_times_leave_as_durations_however_they_are_counted(tmp_path, numbers, units):
    source = forecast().assign_coords(
        prediction_timedelta=("prediction_timedelta", np.array(numbers), {"units": units} if units else {})
    )
    data = WeatherBenchReader(written(source, tmp_path / "f.zarr")).open()
    assert data["lead_time"].dtype.kind == "m"
    np.testing.assert_array_equal(data["lead_time"], LEADS)
    assert "units" not in data["lead_time"].attrs
    assumed = [note for note in data.attrs["climbench_changes"] if "taken as nanoseconds" in note]
    assert len(assumed) == (units is None)


@pytest.mark.parametrize(("units", "message"), [(None, "numbers with no units"), ("parsecs", "the unit 'parsecs'")])
def test_lead_times_in_doubt_are_refused(tmp_path, units, message):
    leads = ("prediction_timedelta", [6, 12, 18, 24], {"units": units} if units else {})
    path = written(forecast().assign_coords(prediction_timedelta=leads), tmp_path / "f.zarr")
    with pytest.raises(DataError, match=rf"f\.zarr: the lead times are numbers with|{message}"):
        WeatherBenchReader(path).open()


def test_lead_times_out_of_order_are_sorted_with_their_values(tmp_path):
    source = forecast().isel(prediction_timedelta=[2, 0, 3, 1])
    data = WeatherBenchReader(written(source, tmp_path / "f.zarr")).open()
    np.testing.assert_array_equal(data["lead_time"], LEADS)
    assert_expected(data["temperature"], 280.0)
    assert any("lead times were put in ascending order" in note for note in data.attrs["climbench_changes"])


@pytest.mark.parametrize("member", ["number", "realization", "sample"])
def test_members_bear_one_name(tmp_path, member):
    data = WeatherBenchReader(written(forecast(member=member), tmp_path / "f.zarr")).open()
    assert data["temperature"].dims[:3] == ("member", "init_time", "lead_time")
    assert data.sizes["member"] == 2


def test_a_single_forecast_keeps_its_initial_time(tmp_path):
    source = forecast().isel(time=1)
    data = WeatherBenchReader(written(source, tmp_path / "f.zarr")).open()
    assert data["temperature"].dims == ("init_time", "lead_time", "level", "latitude", "longitude")
    np.testing.assert_array_equal(data["init_time"], TIME[1:2])
    assert_expected(data["temperature"], 280.0)


def climatology():
    order = ("hour", "dayofyear", "level", "longitude", "latitude")
    coords = {"hour": np.array([0, 6, 12, 18]), "dayofyear": np.arange(1, 367)}
    flat = ("hour", "dayofyear", "longitude", "latitude")
    rain = np.full((4, 366, 4, 3), 5e-4, "f4")
    quantiles = np.array([0.1, 0.9])
    return xr.Dataset(
        {
            "temperature": field(order, 270.0, "K", **coords),
            "temperature_std": field(order, 1.0, "K", **coords),
            "2m_temperature": field(flat, 280.0, "K", **coords),
            "2m_temperature_quantile": (
                ("quantile", *flat),
                np.stack([field(flat, b, "K", **coords)[1] for b in (1, 2)]),
            ),
            "total_precipitation_6hr": (flat, rain, {"units": "m"}),
            "total_precipitation_6hr_seeps_threshold": (flat, rain * 2, {"units": "m"}),
            "total_precipitation_6hr_seeps_dry_fraction": (flat, rain * 1e3),
        },
        {**{k: v for k, v in CANONICAL.items() if k != "time"}, **coords, "quantile": quantiles},
    )


def test_a_climatology_runs_over_hours_and_days_of_the_year_and_keeps_its_statistics(tmp_path):
    path = written(climatology(), tmp_path / "c.zarr")
    assert recognise(path) == "weatherbench"
    assert store_kind(open_store(path)) == "climatology"
    data = WeatherBenchReader(path).open()
    assert set(data) == set(climatology())
    assert data["temperature"].dims == ("hour", "dayofyear", "level", "latitude", "longitude")
    assert_expected(data["temperature"], 270.0)
    assert_expected(data["temperature_std"], 1.0)
    assert set(data["2m_temperature_quantile"].dims) == {"quantile", "hour", "dayofyear", "latitude", "longitude"}
    assert float(data["total_precipitation_6hr_seeps_threshold"].max()) == pytest.approx(1e-3)


def test_a_variable_without_any_value_is_refused_by_name(tmp_path):
    source = observations()
    source["2m_temperature"] = source["2m_temperature"] * np.nan
    source["2m_temperature"].attrs["units"] = "K"
    with pytest.raises(DataError, match=r"o\.zarr: 2m_temperature has no value at its first time, nor at 2 others"):
        WeatherBenchReader(written(source, tmp_path / "o.zarr", write_empty_chunks=True)).open()


def test_a_forecast_that_only_lacks_its_first_lead_opens_and_says_so(tmp_path):
    source = forecast()
    source["temperature"] = source["temperature"].where(source["prediction_timedelta"] > LEADS[0])
    source["temperature"].attrs["units"] = "K"
    data = WeatherBenchReader(written(source, tmp_path / "f.zarr")).open()
    assert any("temperature has no value at its first time" in n for n in data.attrs["climbench_changes"])


def test_energy_in_a_window_becomes_a_flux_and_precipitation_stays_an_amount(tmp_path):
    dims = ("time", "latitude", "longitude")
    source = xr.Dataset(
        {
            "2m_temperature": field(dims, 280.0, "K"),
            "toa_incident_solar_radiation": (dims, np.full((3, 3, 4), 3.6e6, "f4"), {"units": "J m**-2"}),
            "toa_incident_solar_radiation_6hr": (dims, np.full((3, 3, 4), 3.6e6, "f4"), {"units": "J m**-2"}),
            "total_precipitation_6hr": (dims, np.full((3, 3, 4), 0.01, "f4"), {"units": "m"}),
        },
        {k: v for k, v in CANONICAL.items() if k != "level"},
    )
    data = WeatherBenchReader(written(source, tmp_path / "o.zarr")).open()
    np.testing.assert_allclose(data["toa_incident_solar_radiation"], 1000.0)  # 3.6 MJ in an hour
    np.testing.assert_allclose(data["toa_incident_solar_radiation_6hr"], 1000.0 / 6.0, rtol=1e-6)
    np.testing.assert_allclose(data["total_precipitation_6hr"], 0.01)
    assert data["toa_incident_solar_radiation"].attrs["units"] == "W m-2"


def test_other_stores_are_not_taken_for_weatherbench(tmp_path):
    plain = xr.Dataset({"temperature": ("time", [1.0, 2.0])}, {"time": pd.date_range("2020", periods=2)})
    assert recognise(written(plain, tmp_path / "p.zarr")) == "plain"
