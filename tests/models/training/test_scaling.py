"""Scaling against NumPy over all values, and there and back."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.models.training.scaling import Scaling


def data(seed, years):
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "CO2": ("time", 1000.0 + 50.0 * rng.standard_normal(years)),
            "SO2": (("time", "latitude"), 1e-11 * rng.random((years, 3))),
            "CH4": ("time", np.full(years, 0.1)),
        }
    )


def test_standard_scaling_is_over_all_values_of_all_data_sets():
    sets = [data(0, 10), data(1, 4)]
    scaling = Scaling.standard(sets, ["CO2", "SO2"])
    for name in ("CO2", "SO2"):
        values = np.concatenate([s[name].values.ravel() for s in sets])
        assert scaling.offset[name] == pytest.approx(values.mean(), rel=1e-12)
        assert scaling.scale[name] == pytest.approx(values.std(), rel=1e-10)


def test_what_does_not_vary_is_not_blown_up():
    scaling = Scaling.standard([data(0, 7)], ["CH4"])
    assert scaling.apply(np.array([0.1]), "CH4") == pytest.approx(0.0, abs=1e-12)
    assert scaling.scale["CH4"] == 1.0


def test_ranges_go_to_zero_and_one():
    scaling = Scaling.ranges(["tas"], {"tas": (-7.0, 15.0), "pr": (0.0, 1.0)})
    assert scaling.apply(np.array([-7.0, 15.0, 4.0]), "tas").tolist() == [0.0, 1.0, 0.5]


def test_a_variable_without_a_range_is_named():
    with pytest.raises(ModelError, match="no fixed range to scale 'huss' by; scale by training statistics"):
        Scaling.ranges(["tas", "huss"], {"tas": (-7.0, 15.0)})


@pytest.mark.parametrize("scaling", [Scaling.none(["x"]), Scaling({"x": 3.0}, {"x": -2.5})])
def test_there_and_back(scaling):
    values = np.linspace(-4.0, 9.0, 5)
    np.testing.assert_allclose(scaling.invert(scaling.apply(values, "x"), "x"), values)
    assert Scaling(**scaling.to_json()) == scaling
