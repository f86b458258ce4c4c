"""Balances of fluxes, by hand."""

from __future__ import annotations

import numpy as np

from climbench.physics import surface_balance, top_balance


def test_top_by_hand():
    """340 in, 100 reflected, 239 out: 1 stays."""
    assert top_balance(np.array(340.0), np.array(100.0), np.array(239.0)) == 1.0


def test_surface_by_hand():
    """185 - 24 + 345 - 398 - 82 - 20 = 6; 1e-6 kg m-2 s-1 of snow takes 0.334 to melt by ACE's fusion."""
    parts = tuple(map(np.array, (185.0, 24.0, 345.0, 398.0, 82.0, 20.0)))
    assert surface_balance(*parts) == surface_balance(*parts, None, fusion=3.34e5) == 6.0
    np.testing.assert_allclose(surface_balance(*parts, np.array(1e-6), fusion=3.34e5), 6.0 - 0.334, rtol=1e-14)


def test_float32_parts_are_added_in_float64():
    parts = np.array([1000.0, 0.001, 1000.0], "f4")
    assert top_balance(*parts[:, None]).item() == -float(np.float32(0.001))
