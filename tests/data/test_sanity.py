"""Sanity ranges: units that cannot be right are refused, with what they look like."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import DatasetCard, VariableEntry
from climbench.data.sanity import complaint, sane_range, verify
from climbench.errors import DataError


def field(name, values, units):
    values = np.broadcast_to(np.asarray(values, "f4"), (2, 3, 4))
    return xr.Dataset({name: (("time", "latitude", "longitude"), values, {"units": units})})


def card(**entry):
    return DatasetCard(
        name="mine", title="Mine", reader="plain", licence="none", variables={"tas": VariableEntry(units="K", **entry)}
    )


@pytest.mark.parametrize(
    ("name", "value", "units", "looks"),
    [
        ("tas", 15.0, "K", "degC"),
        ("2m_temperature", 59.0, "K", "degC"),
        ("mean_sea_level_pressure", 1013.0, "Pa", "hPa"),
        ("geopotential", 5500.0 * 400, "m2 s-2", None),
        ("specific_humidity", 8.0, "kg kg-1", "g kg-1"),
        ("total_precipitation_6hr", 12.0, "m", "mm"),
        ("sftlf", 3000.0, "%", None),
    ],
)
def test_what_is_out_of_range_looks_like_another_unit(name, value, units, looks):
    said = complaint(value, value, name, units, "file")
    assert name in said
    assert ("They look like" in said) is (looks is not None)
    assert looks is None or f"stored_units: {looks}" in said


@pytest.mark.parametrize(
    ("name", "low", "high", "units"),
    [
        ("tas", 185.0, 325.0, "K"),
        ("tas", -80.0, 50.0, "degC"),
        ("pr", 0.0, 0.02, "kg m-2 s-1"),
        ("geopotential", 4.5e4, 5.9e4, "m2 s-2"),
        ("geopotential", 4600.0, 6000.0, "gpm"),
        ("psl", 920.0, 1080.0, "hPa"),
        ("unheard_of", -1e30, 1e30, "?"),
    ],
)
def test_what_is_sane_passes(name, low, high, units):
    assert complaint(low, high, name, units, "file") is None


def test_the_card_has_the_last_word():
    assert sane_range("tas", "K", VariableEntry(units="K", anomaly=True)) is None
    assert sane_range("tas", "K", VariableEntry(units="K", sane=(0.0, 1.0))) == (0.0, 1.0)


def test_a_celsius_field_labelled_kelvin_is_refused():
    with pytest.raises(DataError, match=r"tas runs from 14 to 14 K, outside 170 to 350. They look like degC"):
        verify(field("tas", 14.0, "K"), "file", None, [])


def test_anomalies_that_are_declared_pass():
    verify(field("tas", 0.4, "K"), "file", card(anomaly=True), [])


def test_a_field_without_values_is_refused_by_name():
    with pytest.raises(DataError, match=r"tas has no value at its first time.*missing: true"):
        verify(field("tas", np.nan, "K"), "file", None, [])
    verify(field("tas", np.nan, "K"), "file", card(missing=True), [])


def test_gaps_in_a_field_are_noted_unless_they_are_meant():
    data = field("tas", 280.0, "K").where(xr.DataArray([True, True, False], dims="latitude"))
    data["tas"].attrs["units"] = "K"
    notes = []
    verify(data, "file", None, notes)
    assert notes == ["file: tas lacks 33% of its values at the first time"]
    notes.clear()
    verify(data, "file", card(missing=True), notes)
    assert notes == []


def test_only_the_first_time_is_looked_at():
    data = field("tas", [[[280.0]], [[1e9]]], "K")
    verify(data, "file", None, [])


def test_a_first_time_without_values_is_passed_over_and_said():
    """Lead 0 of an accumulation is empty; what follows is looked at in its place."""
    data = field("tas", [[[np.nan]], [[280.0]]], "K")
    notes = []
    verify(data, "file", None, notes)
    assert notes == ["file: tas has no value at its first time"]
    with pytest.raises(DataError, match="They look like degC"):
        verify(field("tas", [[[np.nan]], [[14.0]]], "K"), "file", None, [])


def test_a_field_without_values_at_many_times_is_refused_after_a_few_looks():
    data = field("tas", np.nan, "K").isel(time=np.zeros(100, dtype=int))
    with pytest.raises(DataError, match="tas has no value at its first time, nor at 9 others that were looked at"):
        verify(data, "file", None, [])


def test_an_amount_over_unstated_hours_has_no_range():
    entry = VariableEntry(units="J m-2")
    assert sane_range("toa_incident_solar_radiation", "J m-2", entry) is None
    known = VariableEntry(units="J m-2", window=2)
    assert sane_range("toa_incident_solar_radiation", "J m-2", known) == pytest.approx((-7200.0, 1500 * 7200.0))
