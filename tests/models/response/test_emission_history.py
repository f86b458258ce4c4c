"""Emissions from before industry on: totals of maps, the record before the inputs, land use, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.response import emission_history as history
from climbench.models.response.emission_history import after, emissions, global_past, global_series, global_total
from tests.models.emission_scenarios import inputs

PGC = 44.01 / 12.011  # GtCO2


def table(shared_data, scenario="ssp245"):
    return pd.read_csv(shared_data / "emissions" / f"{scenario}_emiss-constraints_rf.csv", comment=";", index_col=0)


def totals(first, co2, ch4=None, so2=None, bc=None):
    co2 = np.asarray(co2, "f8")
    others = {
        n: np.ones(co2.size) if v is None else np.asarray(v, "f8")
        for n, v in zip(("CH4", "SO2", "BC"), (ch4, so2, bc), strict=True)
    }
    series = {"CO2": co2, **others}
    return xr.Dataset({n: ("time", v) for n, v in series.items()}, coords={"time": np.arange(first, first + co2.size)})


def of_land_use(years):
    return np.interp(years, [*history.RECORD_YEARS, 2100], [*history.LAND_USE, 0.0])


def test_a_uniform_flux_adds_up_to_the_area_of_the_globe():
    flux = inputs("ssp126")["SO2"] * 0.0 + 1e-12
    expected = 1e-12 * 4.0 * np.pi * 6.371e6**2 * 365.0 * 86400.0 / 1e9
    np.testing.assert_allclose(global_total(flux), expected, rtol=1e-12)


def test_without_a_map_only_zero_has_a_total():
    assert not global_total(xr.DataArray(0.0, name="SO2")).any()
    with pytest.raises(ModelError, match="SO2 must be a map in kg m-2 s-1"):
        global_total(xr.DataArray([1e-12], dims="time", name="SO2"))


def test_cumulative_emissions_since_1850_become_yearly_ones():
    """By hand: 1, 2 and 3 PgC in 1850 to 1852."""
    made = emissions(totals(1850, np.cumsum([1.0, 2.0, 3.0]) * PGC))
    now = made.years >= 1850
    np.testing.assert_allclose((made.co2 - of_land_use(made.years))[now], [1.0, 2.0, 3.0], rtol=1e-12)
    assert made.years[0] == 1750


@pytest.mark.parametrize("first", [1900, 1990, 2015, 2030, 2080])
def test_the_past_adds_up_to_what_the_first_year_says(first):
    made = emissions(totals(first, (1500.0 + 36.0 * np.arange(10))))
    counted = (made.years >= 1850) & (made.years < first)
    fossil = made.co2 - of_land_use(made.years)
    assert fossil[counted].sum() == pytest.approx((1500.0 - 36.0) / PGC, rel=1e-12)
    np.testing.assert_allclose(fossil[made.years >= first], 36.0 / PGC, rtol=1e-9)


def test_the_record_of_other_species_meets_their_first_value():
    made = emissions(totals(1950, np.arange(1.0, 4.0), so2=[116.6, 120.0, 121.0]))
    record = np.interp(made.years, history.RECORD_YEARS, history.RECORD["SO2"])
    np.testing.assert_allclose(made.so2[made.years < 1950], 2.0 * record[made.years < 1950], rtol=1e-12)
    np.testing.assert_array_equal(made.so2[-3:], [116.6, 120.0, 121.0])


def test_long_after_the_record_the_years_between_are_a_straight_line():
    made = emissions(totals(2080, [2500.0, 2501.0], ch4=[107.9, 100.0]))
    middle = made.ch4[made.years == 2047][0]
    assert middle == pytest.approx(388.1 + (107.9 - 388.1) * 32 / 65)


def test_the_record_is_that_of_rcmip(shared_data):
    data = table(shared_data)
    years = list(history.RECORD_YEARS)
    columns = {
        "CO2": data.ffi_emissions,
        "CH4": data.CH4_emissions,
        "SO2": 2e-3 * data.SO2_emissions * 64.066 / 64.12,
        "BC": data.BC_emissions,
    }
    for name, column in columns.items():
        np.testing.assert_allclose(history.RECORD[name], column.loc[years], rtol=6e-3, atol=5e-4, err_msg=name)
    np.testing.assert_allclose(
        history.LAND_USE, (data.luc_emissions - data.luc_uptake).loc[years], rtol=2e-3, atol=5e-4
    )


def test_years_before_the_inputs_come_near_the_true_ones(cesm2, shared_data):
    data = table(shared_data)
    made = emissions(global_series(xr.load_dataset(cesm2 / "inputs_ssp245.nc")))
    years = np.arange(1900, 2015)
    now = np.isin(made.years, years)
    true, land_use = data.ffi_emissions.loc[years], (data.luc_emissions - data.luc_uptake).loc[years]
    cumulated = np.cumsum(made.co2[now])
    np.testing.assert_allclose(cumulated, np.cumsum(true + land_use), atol=0.02 * cumulated[-1])


def test_what_is_zero_throughout_was_never_emitted():
    made = emissions(totals(1900, np.zeros(5), ch4=np.zeros(5), so2=np.zeros(5)))
    assert not made.co2.any(), "no land use where there is no carbon dioxide"
    assert not made.ch4.any()
    assert not made.so2.any()
    assert made.bc.all()


def test_years_that_are_missing_are_interpolated():
    whole = global_series(inputs("ssp126"))
    gap = inputs("ssp126").isel(time=[*range(20), *range(30, 86)])
    filled = global_series(gap)
    np.testing.assert_array_equal(filled["time"], whole["time"])
    middle = 0.5 * (whole["SO2"].isel(time=19) + whole["SO2"].isel(time=30))
    assert float(filled["SO2"].isel(time=slice(24, 26)).mean()) == pytest.approx(float(middle))


def test_units_of_the_inputs():
    series = global_series(inputs("ssp585"))
    np.testing.assert_allclose(series["CH4"], 1e3 * inputs("ssp585")["CH4"])
    np.testing.assert_array_equal(series["CO2"], inputs("ssp585")["CO2"])


def test_a_past_that_reaches_the_scenario_goes_before_it():
    past, later = global_series(inputs("historical")), global_series(inputs("ssp126"))
    joined = after(past, later)
    np.testing.assert_array_equal(joined["time"], np.arange(1850, 2101))
    np.testing.assert_array_equal(joined["CO2"].sel(time=slice(1850, 2014)), past["CO2"])
    np.testing.assert_array_equal(joined["CO2"].sel(time=slice(2015, None)), later["CO2"])


@pytest.mark.parametrize("past", [None, slice(None, 2000)])
def test_a_past_that_does_not_reach_it_is_left_aside(past):
    before = None if past is None else global_series(inputs("historical")).sel(time=past)
    later = global_series(inputs("ssp126"))
    xr.testing.assert_identical(after(before, later), later)


def test_only_historical_is_a_past():
    assert global_past({"ssp126": inputs("ssp126"), "hist-aer": inputs("historical")}) is None
    xr.testing.assert_identical(global_past({"historical": inputs("historical")}), global_series(inputs("historical")))


def test_experiments_that_give_the_mass_in_the_air_are_refused():
    with pytest.raises(ModelError, match="1pctCO2 cannot be trained on: its input CO2 is the mass in the air"):
        global_past({"ssp126": inputs("ssp126"), "1pctCO2": inputs("ssp126")})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (inputs("ssp126").drop_vars(["SO2", "CH4"]), "The inputs lack CH4, SO2; emissions of CO2, CH4, SO2, BC"),
        (inputs("ssp126").isel(time=[0]), "two ascending years or more; found 1, first .2015"),
        (inputs("ssp126").isel(time=[1, 0]), "two ascending years or more"),
    ],
)
def test_inputs_that_do_not_serve(data, message):
    with pytest.raises(ModelError, match=message):
        global_series(data)
