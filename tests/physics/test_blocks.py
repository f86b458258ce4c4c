"""Slabs change nothing, whatever their length and whatever dimensions stand before the levels."""

from __future__ import annotations

import pytest
import xarray as xr

from climbench.physics import blocks, hybrid_layers
from climbench.physics.diagnosis import diagnose
from tests.physics.constructed_atmosphere import A, B, constructed_atmosphere


@pytest.mark.parametrize("slab", [1, 2 * 8 * 6 * 8])
@pytest.mark.parametrize("members", [False, True])
def test_slabs_change_nothing(monkeypatch, slab, members):
    """Members share the surface pressure of each time; slabs are then of members."""
    data = constructed_atmosphere().quantities
    if members:
        deep = [name for name in data if "level" in data[name].dims]
        data = data.assign({name: xr.concat([data[name], 1.01 * data[name]], "member") for name in deep})
    expected = diagnose(data, hybrid_layers(A, B)).fields
    monkeypatch.setattr(blocks, "SLAB", slab)
    found = diagnose(data, hybrid_layers(A, B)).fields
    xr.testing.assert_identical(found, expected)
    if members:
        alone = diagnose(data.isel(member=1), hybrid_layers(A, B)).fields
        for name in ("energy_credit", "energy_ace", "dry_air_pressure"):
            xr.testing.assert_identical(found[name].isel(member=1), alone[name])
