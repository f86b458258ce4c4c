"""Heat of the sea, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.physics import ocean_heat_content


def test_by_hand():
    """10 K in 100 m and 2 K in 1000 m: 1035 * 3992 * 3000 = 1.2394e10 J m-2."""
    t, depth = np.array([283.15, 275.15])[:, None, None], np.array([100.0, 1000.0])[:, None, None]
    assert ocean_heat_content(t, depth).item() == pytest.approx(12395160000.0, rel=1e-12)


def test_land_and_below_the_floor():
    t = np.array([[283.15, 283.15, np.nan], [275.15, np.nan, np.nan]])[:, None]
    depth = np.array([100.0, 1000.0])[:, None, None]
    found = ocean_heat_content(t, depth) / (1035.0 * 3992.0)
    np.testing.assert_allclose(found, [[3000.0, 1000.0, 0.0]], rtol=1e-12)
    np.testing.assert_allclose(ocean_heat_content(t, np.where(np.isnan(t), np.nan, depth)) / (1035.0 * 3992.0), found)
