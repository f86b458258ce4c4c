"""Dry air and water by CREDIT's and ACE's formulas, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.physics import (
    dry_air_mass,
    dry_air_pressure,
    evaporation_of,
    hybrid_layers,
    pressure_levels,
    water_path,
    water_residual,
)

# Layers of 24500 and 75000 Pa below 500 Pa, over a ground of 1000 hPa.
LAYERS = hybrid_layers(np.array([500.0, 15000.0, 0.0]), np.array([0.0, 0.1, 1.0]))
SURFACE = np.full((1, 1), 1e5)
HUMIDITY = np.array([0.001, 0.01])[:, None, None]


def test_credit_dry_air_by_hybrid_midpoint():
    """(0.999 * 24500 + 0.99 * 75000) / 9.80665 = 98725.5 / 9.80665."""
    found = dry_air_mass(HUMIDITY, LAYERS.thickness(SURFACE)).item()
    assert found == pytest.approx(98725.5 / 9.80665, rel=1e-14)


def test_credit_dry_air_by_trapezoid_on_pressure_levels():
    """q 0.001 and 0.003 at 500 and 700, 0.002 at 1000 hPa: 0.998 * 20000 + 0.9975 * 30000 = 49885 Pa."""
    q = np.array([0.001, 0.003, 0.002])[:, None, None]
    found = dry_air_mass(q, pressure_levels(np.array([5e4, 7e4, 1e5])).thickness()).item()
    assert found == pytest.approx(49885.0 / 9.80665, rel=1e-14)


def test_ace_dry_air_and_water_path():
    """Water 0.001 * 24500 + 0.01 * 75000 = 774.5 Pa of 100000 Pa."""
    thickness = LAYERS.thickness(SURFACE)
    assert water_path(HUMIDITY, thickness).item() == pytest.approx(774.5 / 9.80665, rel=1e-14)
    assert dry_air_pressure(SURFACE, HUMIDITY, thickness).item() == pytest.approx(99225.5, rel=1e-14)


def test_the_two_definitions_differ_by_what_is_above_the_top():
    thickness = LAYERS.thickness(SURFACE)
    mass, pressure = dry_air_mass(HUMIDITY, thickness), dry_air_pressure(SURFACE, HUMIDITY, thickness)
    assert (pressure - 9.80665 * mass).item() == pytest.approx(500.0, rel=1e-10)


def test_ace_moisture_residual_by_hand():
    """30 to 30.54 kg m-2 in 21600 s is 2.5e-5; E 250 W m-2 / 2.5e6 = 1e-4, P 9e-5, convergence 1.2e-5: 3e-6 is left."""
    evaporation = evaporation_of(np.array([250.0]), vaporisation=2.5e6)
    np.testing.assert_allclose(evaporation, [1e-4], rtol=1e-14)
    change = np.array([(30.54 - 30.0) / 21600.0])
    found = water_residual(change, evaporation, np.array([9e-5]), np.array([1.2e-5]))
    np.testing.assert_allclose(found, [3e-6], rtol=1e-9)


def test_float32_humidity_keeps_its_digits():
    """1 - q of q = 1e-9 is 1 in float32."""
    q = np.full((2, 1, 1), 1e-9, dtype="float32")
    thickness = LAYERS.thickness(SURFACE)
    short = 99500.0 / 9.80665 - dry_air_mass(q, thickness).item()
    assert short == pytest.approx(1e-9 * 99500.0 / 9.80665, rel=1e-5)
