"""Unit conversion against factors worked out by hand."""

from __future__ import annotations

import pytest

from climbench.errors import DataError
from climbench.units import conversion


@pytest.mark.parametrize(
    ("found", "wanted", "kind", "factor"),
    [
        ("kg m-2 s-1", "mm/day", "water", 86400.0),
        ("kg m^-2 s^-1", "mm/day", "water", 86400.0),
        ("mm day-1", "kg m-2 s-1", "water", 1 / 86400.0),
        ("m s-1", "mm/day", "water", 86400e3),
        ("mm", "kg m-2", "water", 1.0),
        ("cm", "m", "other", 0.01),
        ("1", "%", "other", 100.0),
        ("(0 - 1)", "%", "fraction", 100.0),
        ("GtCO2", "GtCO2", "other", 1.0),
        ("gpm", "m2 s-2", "geopotential", 9.80665),
        ("m**2 s**-2", "m", "geopotential", 1 / 9.80665),
        ("hPa", "Pa", "pressure", 100.0),
        ("millibars", "hPa", "pressure", 1.0),
        ("g kg-1", "kg kg-1", "humidity", 1e-3),
    ],
)
def test_factors(found, wanted, kind, factor):
    result = conversion(found, wanted, kind=kind)
    assert result.factor == pytest.approx(factor, rel=1e-12)
    assert result.offset == 0.0


@pytest.mark.parametrize(
    ("found", "wanted", "kind", "window", "factor"),
    [
        ("m", "mm/day", "water", 6.0, 4000.0),  # 1 m in 6 h is 4 m a day
        ("m", "kg m-2 s-1", "water", 1.0, 1000.0 / 3600.0),
        ("kg m-2 s-1", "m", "water", 6.0, 21.6),  # 21600 s at 1 mm/s
        ("J m-2", "W m-2", "energy", 1.0, 1 / 3600.0),
        ("J m**-2", "W m-2", "energy", 3.0, 1 / 10800.0),
    ],
)
def test_amounts_over_their_window_are_rates_and_that_is_said(found, wanted, kind, window, factor):
    result = conversion(found, wanted, kind=kind, window=window)
    assert result.factor == pytest.approx(factor, rel=1e-12)
    assert f"{window:g} h" in result.how


@pytest.mark.parametrize(("found", "wanted", "kind"), [("m", "mm/day", "water"), ("J m-2", "W m-2", "energy")])
def test_an_unknown_window_is_to_be_declared(found, wanted, kind):
    with pytest.raises(DataError, match=r"the hours it was accumulated over are not stated.*window: 6"):
        conversion(found, wanted, kind=kind)


@pytest.mark.parametrize("found", ["degC", "celsius", "degrees_celsius"])
def test_temperatures_have_an_offset_and_their_differences_none(found):
    absolute = conversion(found, "K", kind="temperature")
    assert (absolute.factor, absolute.offset) == (pytest.approx(1.0), pytest.approx(273.15))
    difference = conversion(found, "K", kind="temperature", difference=True)
    assert (difference.factor, difference.offset) == (1.0, 0.0)


def test_fahrenheit():
    result = conversion("degF", "K")
    assert 212.0 * result.factor + result.offset == pytest.approx(373.15)


@pytest.mark.parametrize(
    ("found", "wanted", "kind"),
    [("kg m-2 s-1", "mm/day", "other"), ("m", "m2 s-2", "other"), ("K", "mm/day", "water"), ("J m-2", "K", "energy")],
)
def test_things_that_differ_are_not_converted(found, wanted, kind):
    with pytest.raises(DataError, match="measure different things"):
        conversion(found, wanted, kind=kind)


@pytest.mark.parametrize("text", ["furlongz", "kg **", "K K-"])
def test_units_that_are_not_understood(text):
    with pytest.raises(DataError, match="is not understood"):
        conversion(text, "K")
