"""Unit conversion against factors worked out by hand."""

from __future__ import annotations

import pytest

from climbench.errors import DataError
from climbench.units import conversion_factor


@pytest.mark.parametrize(
    ("found", "wanted", "water", "factor"),
    [
        ("kg m-2 s-1", "mm/day", True, 86400.0),
        ("kg m^-2 s^-1", "mm/day", True, 86400.0),
        ("mm day-1", "kg m-2 s-1", True, 1 / 86400.0),
        ("m s-1", "mm/day", True, 86400e3),
        ("cm", "m", False, 0.01),
        ("degC", "K", False, 1.0),
        ("celsius", "K", False, 1.0),
        ("K", "K", False, 1.0),
        ("1", "%", False, 100.0),
        ("GtCO2", "GtCO2", False, 1.0),
    ],
)
def test_factors(found, wanted, water, factor):
    assert conversion_factor(found, wanted, water=water) == pytest.approx(factor, rel=1e-12)


def test_a_mass_flux_is_a_depth_only_where_it_is_water():
    with pytest.raises(DataError, match="measure different things"):
        conversion_factor("kg m-2 s-1", "mm/day")


@pytest.mark.parametrize("text", ["furlongz", "kg **", "K K-"])
def test_units_that_are_not_understood(text):
    with pytest.raises(DataError, match="is not understood"):
        conversion_factor(text, "K")
