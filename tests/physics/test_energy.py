"""Energy by CREDIT's and ACE's formulas, worked by hand, heights against an isothermal atmosphere, and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.physics import ace_energy, column_integral, credit_energy, energy_residual, hybrid_layers, sigma_layers
from climbench.physics.diagnosis import diagnose
from climbench.physics.energy import (
    ace_column_energy,
    from_below,
    layer_depths,
    layer_heights,
    virtual_temperature,
)

LAYERS = hybrid_layers(np.array([500.0, 15000.0, 0.0]), np.array([0.0, 0.1, 1.0]))
SURFACE = np.full((1, 1), 1e5)
TEMPERATURE = np.array([220.0, 280.0])[:, None, None]
HUMIDITY = np.array([0.001, 0.01])[:, None, None]


def test_credit_energy_by_hand():
    """cp is 0.999 * 1004.64 + 0.001 * 1810 = 1005.44536 and 0.99 * 1004.64 + 0.01 * 1810 = 1012.6936 J kg-1 K-1.

    With 2.501e6 q = 2501 and 25010, ground 500, and half of 10^2 + 20^2 and of 3^2 + 4^2, 250 and 12.5: upper layer
    221197.9792 + 2501 + 500 + 250 = 224448.9792, lower 283554.208 + 25010 + 500 + 12.5 = 309076.708.
    """
    u, v = np.array([10.0, 3.0])[:, None, None], np.array([20.0, 4.0])[:, None, None]
    ground = np.full((1, 1), 500.0)
    found = credit_energy(TEMPERATURE, HUMIDITY, ground, u, v)
    np.testing.assert_allclose(found.ravel(), [224448.9792, 309076.708], rtol=1e-14)
    still = credit_energy(TEMPERATURE, HUMIDITY, ground)
    np.testing.assert_allclose((found - still).ravel(), [250.0, 12.5], rtol=1e-9)
    column = column_integral(found, LAYERS.thickness(SURFACE)).item()
    assert column == pytest.approx((224448.9792 * 24500.0 + 309076.708 * 75000.0) / 9.80665, rel=1e-14)


def test_ace_energy_by_hand():
    """Rv / Rd - 1 = 0.607733844; Tv 280 (1 + 0.00607733844) = 281.70165476 and 220.13370145 K.

    g times depth is 287.05 Tv ln(p below / p above): lower 287.05 * 281.70165476 * ln 4 = 112098.69,
    upper 287.05 * 220.13370145 * ln 50 = 247200.1; the middle of the lower layer is half its own up.
    """
    lower = 287.05 * 281.70165476393 * np.log(4.0)
    upper = 287.05 * 220.13370144574 * np.log(50.0)
    height = 100.0
    found = ace_energy(TEMPERATURE, HUMIDITY, LAYERS.interface_pressure(SURFACE), np.full((1, 1), height)).ravel()
    ground = 9.80665 * height
    expected = [
        717.55 * 220.0 + 2500.0 + ground + lower + 0.5 * upper,
        717.55 * 280.0 + 25000.0 + ground + 0.5 * lower,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_ground_below_the_sea_counts_as_at_the_sea():
    pressure = LAYERS.interface_pressure(SURFACE)
    low, sea = (ace_energy(TEMPERATURE, HUMIDITY, pressure, np.full((1, 1), h)) for h in (-400.0, 0.0))
    np.testing.assert_array_equal(low, sea)
    np.testing.assert_array_equal(ace_energy(TEMPERATURE, HUMIDITY, pressure, -400.0), sea)


def test_heights_of_an_isothermal_atmosphere():
    """Interfaces stand at H ln(ps / p), H = Rd T / g, the top at 1 Pa; a layer's height is the mean of its two."""
    sigma = np.array([0.0, 0.1, 0.4, 0.7, 1.0])
    dry, scale = np.zeros((4, 1, 1)), 287.05 * 250.0 / 9.80665
    pressure = sigma_layers(sigma).interface_pressure(SURFACE)
    found = layer_heights(np.full((4, 1, 1), 250.0), dry, pressure, 0.0).ravel()
    edges = scale * np.log(1e5 / np.maximum(1e5 * sigma, 1.0))
    np.testing.assert_allclose(found, 0.5 * (edges[1:] + edges[:-1]), rtol=1e-13)


def test_both_energies_of_an_isothermal_column_agree():
    """cv T + g z and cp T have one integral where the column is in balance and reaches from the ground to no pressure.

    Layers are so thin that the mean height of a layer is its mass's; what is above the top, 1e-4 of it, is not counted.
    """
    edges = np.geomspace(1e-5, 1.0, 4000)
    column, t = sigma_layers(edges), np.full((3999, 1, 1), 250.0)
    thickness, q = column.thickness(SURFACE), np.zeros((3999, 1, 1))
    ace = column_integral(ace_energy(t, q, column.interface_pressure(SURFACE), 0.0), thickness).item()
    credit = 1004.6 * 250.0 * 1e5 / 9.80665
    assert ace == pytest.approx(credit, rel=2e-4)


def test_sums_from_below():
    np.testing.assert_array_equal(from_below(np.array([1.0, 2.0, 4.0])[:, None, None]).ravel(), [7.0, 6.0, 4.0])


def test_virtual_temperature():
    assert virtual_temperature(np.array(300.0), np.array(0.02)) == pytest.approx(
        300.0 * (1.0 + 0.02 * (461.5 / 287.05 - 1.0)), rel=1e-14
    )


def test_energy_residual_by_hand():
    """2 W m-2 more energy, 1.5 in at the top, 0.25 into the ground: 2 - 1.25 is left."""
    assert energy_residual(np.array(2.0), np.array(1.5), np.array(0.25)) == 0.75


def test_float32_states_are_diagnosed_in_float64():
    """A layer's 3e5 J kg-1 would be rounded to 0.02 J kg-1 in float32: some 100 J m-2 of a column."""
    rng, deep, flat = np.random.default_rng(0), ("level", "latitude", "longitude"), ("latitude", "longitude")
    spans = {"temperature": (200.0, 300.0), "humidity": (0.0, 0.02), "eastward": (-9.0, 9.0), "northward": (-9.0, 9.0)}
    state = {name: (deep, rng.uniform(*span, (2, 4, 4)).astype("f4")) for name, span in spans.items()}
    state["surface_geopotential"] = (flat, rng.uniform(0.0, 1e4, (4, 4)).astype("f4"))
    state["surface_pressure"] = (flat, rng.uniform(9e4, 1e5, (4, 4)).astype("f4"))
    narrow = xr.Dataset(state)
    names = ("energy_credit", "energy_credit_without_motion", "energy_ace", "dry_air", "dry_air_pressure", "water")
    found, wide = (diagnose(data, LAYERS, wanted=names).fields for data in (narrow, narrow.astype("f8")))
    assert set(found) == set(names)
    assert all(field.dtype == np.float64 for field in found.values())
    xr.testing.assert_equal(found, wide)


def test_integrals_without_heights_are_those_with():
    """ACE's energy of columns, which adds up what layers lift, is the integral of its energy of layers."""
    surface, height = np.array([[9e4, 1.01e5]]), np.array([[300.0, -50.0]])
    t, q = (np.broadcast_to(x, (2, 1, 2)) for x in (TEMPERATURE, HUMIDITY))
    edges, thickness = LAYERS.interface_pressure(surface), LAYERS.thickness(surface)
    layers = column_integral(ace_energy(t, q, edges, height), thickness)
    found = ace_column_energy(t, q, layer_depths(t, q, edges), height, thickness, LAYERS.above().thickness(surface))
    np.testing.assert_allclose(found, layers, rtol=1e-14)
