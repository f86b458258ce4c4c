"""EOFs: orthonormal under area weights, those of a singular value decomposition, and complete when all are kept."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.grids import cell_areas
from climbench.models.forecasting import eofs
from climbench.models.forecasting.eofs import EOFs
from climbench.models.forecasting.normals import Normals
from tests.models.forecast_states import LATITUDE, LONGITUDE, series_of

CELLS = LATITUDE.size * LONGITUDE.size


@pytest.fixture
def data():
    draw = np.random.default_rng(0)
    fields = draw.normal(size=(90, 6)) @ draw.normal(size=(6, CELLS))
    return series_of(1e5 + 30 * fields.reshape(90, LATITUDE.size, LONGITUDE.size))


def found(data, most=50):
    normals = Normals.of(data)
    return normals, EOFs.of(data, normals, most)


def test_amplitudes_are_those_of_a_singular_value_decomposition(data):
    normals, modes = found(data)
    area = cell_areas(data).values
    scaled = (data["psl"] - data["psl"].mean("time")).values.astype("float64") * np.sqrt(area / area.sum())
    flat = scaled.reshape(90, -1)
    flat /= np.sqrt((flat**2).sum() / 90)
    vectors, strength, _ = np.linalg.svd(flat, full_matrices=False)
    ours = modes.series(data, normals)
    assert ours.shape == (90, 6)
    np.testing.assert_allclose(np.abs(ours), np.abs((vectors * strength)[:, :6]), atol=2e-4)
    assert modes.variance == pytest.approx(1.0, rel=1e-5)


def test_all_modes_give_the_fields_back(data):
    normals, modes = found(data)
    amplitudes = xr.DataArray(modes.series(data, normals), {"time": data["time"]}, ("time", "mode"))
    rebuilt = modes.fields(amplitudes)["psl"] + normals.fields["psl"]
    np.testing.assert_allclose(rebuilt, data["psl"], atol=0.1)


def test_levels_of_any_unit_weigh_the_same(data):
    tall = xr.concat([data["psl"], 1e-3 * data["psl"]], "level").assign_coords(level=[500.0, 850.0])
    both = tall.transpose("time", "level", ...).to_dataset(name="psl")
    _, modes = found(both)
    ratio = modes.maps["psl"].sel(level=500.0) / modes.maps["psl"].sel(level=850.0)
    np.testing.assert_allclose(ratio[:6], 1e3, rtol=1e-2)


def test_many_cells_take_a_sample_of_times(data, monkeypatch):
    _, whole = found(data)
    monkeypatch.setattr(eofs, "FULL", 20)  # fewer than cells: every fifth time
    _, sampled = found(data)
    overlap = whole.filters["psl"].values.reshape(6, -1) @ sampled.maps["psl"].values.reshape(-1, CELLS).T
    np.testing.assert_allclose(np.linalg.svd(overlap)[1], 1.0, atol=0.05)  # the same space, from other samples
