"""Forcing: the assessed numbers it was made to give, methane at rest, and concentrations against those of CMIP6."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.response.emission_history import RECORD, RECORD_YEARS, Emissions, emissions, global_series
from climbench.models.response.forcing import CH4_LIFETIME, TG_CH4_PER_PPB, filtered, forcing, methane_concentration
from climbench.models.response.greenhouse_forcing import CH4_1750, CO2_1750, carbon_dioxide_forcing, methane_forcing

YEARS = np.arange(1750, 2016)


def record(**changed):
    series = {name.lower(): np.interp(YEARS, RECORD_YEARS, values) for name, values in RECORD.items()}
    return Emissions(YEARS, **{**series, **changed})


def at(year):
    return int(year - 1750)


def test_the_forcing_of_carbon_dioxide_that_ar6_assesses():
    """AR6 chapter 7: 3.93 W m-2 for a doubling, 2.16 W m-2 in 2019 at 409.9 ppm; it grows faster than the logarithm."""
    doubled, now, quadrupled = carbon_dioxide_forcing(np.array([2.0 * CO2_1750, 409.9, 4.0 * CO2_1750]))
    assert doubled == pytest.approx(3.93, abs=0.01)
    assert now == pytest.approx(2.16, abs=0.03)
    assert quadrupled > 2.0 * doubled + 0.2
    assert carbon_dioxide_forcing(np.array(CO2_1750)) == 0.0


def test_the_forcing_of_methane_that_ar6_assesses():
    """AR6 chapter 7: 0.54 W m-2 in 2019 at 1866.3 ppb."""
    assert methane_forcing(np.array(1866.3)) == pytest.approx(0.54, abs=0.01)
    assert methane_forcing(np.array(CH4_1750)) == 0.0


def test_methane_comes_to_rest_at_emission_times_lifetime():
    constant = np.full(200, 100.0)
    constant[0] = 0.0
    rise = methane_concentration(constant)[-1] - CH4_1750
    assert rise == pytest.approx(100.0 * CH4_LIFETIME / TG_CH4_PER_PPB, rel=1e-6)


def test_a_step_is_approached_exponentially():
    step = np.concatenate([[2.0], np.full(30, 5.0)])
    expected = 5.0 - 3.0 * np.exp(-np.arange(31) / 7.0)
    np.testing.assert_allclose(filtered(step, 7.0), expected, rtol=1e-12)


def test_aerosols_force_in_2014_as_models_do():
    """Thornhill et al. (2021): -1.03 W m-2 by SO2 and 0.15 W m-2 by soot, against 1850."""
    made = forcing(record())
    assert made.sulfate[at(2014)] - made.sulfate[at(1850)] == pytest.approx(-1.03, rel=1e-9)
    assert made.soot[at(2014)] - made.soot[at(1850)] == pytest.approx(0.15, rel=1e-9)
    np.testing.assert_allclose(made.aerosol, made.sulfate + made.soot)


def test_methane_forces_with_what_it_makes():
    """0.67 W m-2 between 808.2 and 1831.5 ppb, of which its own absorption is the share the formula gives."""
    made = forcing(record())
    own = np.diff(methane_forcing(np.array([808.2, 1831.5])))[0]
    np.testing.assert_allclose(made.methane * own / 0.67, made.absorbed_by_methane, rtol=1e-9)
    np.testing.assert_allclose(made.absorbed_by_methane, methane_forcing(made.ch4))
    np.testing.assert_allclose(made.greenhouse, made.carbon_dioxide + made.methane)


def test_values_of_the_years_of_a_data_set():
    made = forcing(record())
    data = xr.Dataset(coords={"time": [1850, 1999]})
    np.testing.assert_array_equal(made.now(made.years, data), [1850, 1999])


def test_taking_all_carbon_dioxide_out_of_the_air_is_refused():
    with pytest.raises(ModelError, match="leave no carbon dioxide in the air in 1753"):
        forcing(record(co2=np.where(YEARS == 1753, -5000.0, 0.0)))


@pytest.mark.parametrize("scenario", ["ssp126", "ssp245", "ssp370", "ssp585"])
@pytest.mark.parametrize(("gas", "within"), [("CO2", 0.07), ("CH4", 0.11)])
def test_concentrations_come_near_those_that_cmip6_models_were_given(cesm2, shared_data, scenario, gas, within):
    """Nothing here is fitted to climate data, so that CMIP6's own concentrations are an independent check."""
    file = shared_data / "emissions" / f"{scenario}_emiss-constraints_rf.csv"
    given = pd.read_csv(file, comment=";", index_col=0)[f"{gas}_constrain"]
    made = forcing(emissions(global_series(xr.load_dataset(cesm2 / f"inputs_{scenario}.nc"))))
    for year in (1900, 1950, 2000, 2015, 2050, 2100):
        assert getattr(made, gas.lower())[at(year)] == pytest.approx(given[year], rel=within), year
