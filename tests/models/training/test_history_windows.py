"""Windows of years, hand-made: every value of an input tells its scenario and year, so that nothing can be mixed up."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.training.history_windows import continued, extended_back, records, window_ends

LATITUDE, LONGITUDE = [-45.0, 45.0], [0.0, 90.0, 180.0, 270.0]
CODES = {"historical": 1, "ssp126": 2, "ssp585": 3, "hist-aer": 4}
GRID = {"latitude": LATITUDE, "longitude": LONGITUDE}


def scenario(name, first, last, *, known=None):
    """CO2 is the scenario's code and the year, such as 2_2015; tas the year, NaN before the first `known`."""
    years = np.arange(first, last + 1)
    tas = np.where(years < (known or first), np.nan, years)[:, None, None] * np.ones((2, 4))
    return xr.Dataset(
        {
            "CO2": ("time", 10_000.0 * CODES[name] + years),
            "SO2": (("time", "latitude", "longitude"), (CODES[name] + 0.0 * tas)),
            "tas": (("time", "latitude", "longitude"), tas),
        },
        coords={"time": years, **GRID},
    ).assign(SO2=(("time", "latitude", "longitude"), np.full(tas.shape, float(CODES[name]))))


def found(scenarios, length=3, past=None):
    return records(scenarios, ["CO2", "SO2"], ["tas"], length, past)


def shown(record, length=3):
    """Return, for each label, the CO2 of its window."""
    carbon, years = record.inputs["CO2"].values, record.targets["time"].values
    windows = [carbon[end - length + 1 : end + 1].astype(int).tolist() for end in record.ends]
    return dict(zip(years[record.labels].tolist(), windows, strict=True))


def test_a_window_ends_where_so_many_consecutive_years_do():
    years = np.array([2000, 2001, 2002, 2004, 2005, 2006, 2007])
    assert window_ends(years, 3).tolist() == [2, 5, 6]
    assert window_ends(years, 1).tolist() == list(range(7))
    assert window_ends(years, 8).tolist() == []


def test_a_scenario_goes_on_from_historical_and_each_year_is_a_sample_once():
    made = found({"historical": scenario("historical", 2010, 2014), "ssp126": scenario("ssp126", 2015, 2017)})
    assert shown(made["historical"]) == {
        2012: [12010, 12011, 12012],
        2013: [12011, 12012, 12013],
        2014: [12012, 12013, 12014],
    }
    assert shown(made["ssp126"]) == {
        2015: [12013, 12014, 22015],
        2016: [12014, 22015, 22016],
        2017: [22015, 22016, 22017],
    }
    assert made["ssp126"].inputs["SO2"].values[:, 0, 0].tolist() == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_without_historical_a_scenario_begins_with_its_own_first_whole_window():
    made = found({"ssp126": scenario("ssp126", 2015, 2018), "ssp585": scenario("ssp585", 2015, 2018)})
    assert shown(made["ssp126"]) == {2017: [22015, 22016, 22017], 2018: [22016, 22017, 22018]}
    assert shown(made["ssp585"]) == {2017: [32015, 32016, 32017], 2018: [32016, 32017, 32018]}


def test_only_historical_is_a_past_and_only_of_what_goes_on_from_it():
    made = found(
        {
            "hist-aer": scenario("hist-aer", 2010, 2014),
            "historical": scenario("historical", 2010, 2014),
            "ssp126": scenario("ssp126", 2016, 2018),
        }
    )
    assert shown(made["hist-aer"])[2012] == [42010, 42011, 42012]
    assert min(shown(made["hist-aer"])) == 2012
    assert shown(made["ssp126"]) == {2018: [22016, 22017, 22018]}
    lone = found({"hist-aer": scenario("hist-aer", 2010, 2014), "ssp126": scenario("ssp126", 2015, 2017)})
    assert shown(lone["ssp126"]) == {2017: [22015, 22016, 22017]}


def test_a_past_from_elsewhere_is_history_but_gives_no_samples():
    past = scenario("historical", 2010, 2014)
    made = found({"ssp585": scenario("ssp585", 2015, 2016)}, past=past)
    assert list(made) == ["ssp585"]
    assert shown(made["ssp585"]) == {2015: [12013, 12014, 32015], 2016: [12014, 32015, 32016]}


def test_a_gap_in_the_past_takes_away_the_windows_across_it():
    past = scenario("historical", 2010, 2014).drop_sel(time=2013)
    made = found({"historical": past, "ssp126": scenario("ssp126", 2015, 2017)})
    assert list(shown(made["ssp126"])) == [2016, 2017]
    assert list(shown(made["historical"])) == [2012]


def test_years_without_targets_are_history_only():
    made = found({"ssp126": scenario("ssp126", 2015, 2020, known=2019)})
    assert shown(made["ssp126"]) == {2019: [22017, 22018, 22019], 2020: [22018, 22019, 22020]}


def test_scenarios_too_short_for_a_window_are_left_out():
    assert found({"ssp126": scenario("ssp126", 2015, 2016)}) == {}


def test_disorder_and_missing_inputs_are_named():
    data = scenario("ssp126", 2015, 2020)
    with pytest.raises(ModelError, match="years of ssp126 must ascend"):
        found({"ssp126": data.isel(time=[1, 0, 2, 3])})
    data["SO2"][2, 0, 0] = np.nan
    with pytest.raises(ModelError, match="ssp126: the input SO2 has values that are not finite"):
        found({"ssp126": data})


def test_history_takes_the_scenarios_own_coordinates():
    """Regridded inputs may differ from one another in the last digits; joining must not lose rows to that."""
    past = scenario("historical", 2010, 2014)
    past = past.assign_coords(latitude=past["latitude"] + 1e-9)
    joined = continued(scenario("ssp126", 2015, 2016)[["CO2", "SO2"]], past, 2)
    assert joined.sizes == {"time": 4, "latitude": 2, "longitude": 4}
    assert joined["latitude"].values.tolist() == LATITUDE


def test_years_before_the_inputs_are_assumed_by_a_stated_rule():
    inputs = scenario("ssp126", 2015, 2017)[["CO2", "SO2"]].assign(CO2=("time", [25.0, 35.0, 60.0]))
    longer, words = extended_back(inputs, 4)
    assert longer["time"].values.tolist() == list(range(2011, 2018))
    assert longer["CO2"].values.tolist() == [0.0, 0.0, 5.0, 15.0, 25.0, 35.0, 60.0]
    assert longer["SO2"].dims == ("time", "latitude", "longitude")
    assert bool((longer["SO2"] == 2.0).all())
    assert words == "4 years before 2015 assumed: CO2 growing as in the first two years, others constant"


def test_where_no_year_is_wanted_nothing_is_assumed():
    inputs = scenario("ssp126", 2015, 2017)[["CO2"]]
    longer, words = extended_back(inputs, 0)
    xr.testing.assert_equal(longer, inputs)
    assert words == ""
