"""One definition for NumPy, dask and torch: the same numbers, nothing computed early, and gradients that are right."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest

from climbench.physics import (
    ace_energy,
    area_mean,
    area_sum,
    column_integral,
    credit_energy,
    dry_air_mass,
    dry_air_pressure,
    hybrid_layers,
    ocean_heat_content,
    surface_balance,
    top_balance,
    water_path,
)
from climbench.physics.arrays import along, double, namespace, part
from tests.physics.constructed_atmosphere import A, B, constructed_atmosphere

COLUMN = hybrid_layers(A, B)
STATE = ("temperature", "humidity", "surface_geopotential", "eastward", "northward", "surface_pressure")


def credit_column(t, q, phi, u, v, ps):
    return column_integral(credit_energy(t, q, phi, u, v), COLUMN.thickness(ps))


def ace_column(t, q, phi, u, v, ps):
    return column_integral(ace_energy(t, q, COLUMN.interface_pressure(ps), phi / 9.80665, u, v), COLUMN.thickness(ps))


KERNELS = {
    "credit": credit_column,
    "ace": ace_column,
    "dry air": lambda t, q, phi, u, v, ps: dry_air_mass(q, COLUMN.thickness(ps)),
    "dry air pressure": lambda t, q, phi, u, v, ps: dry_air_pressure(ps, q, COLUMN.thickness(ps)),
    "water": lambda t, q, phi, u, v, ps: water_path(q, COLUMN.thickness(ps)),
    "top": lambda t, q, phi, u, v, ps: top_balance(t, u, v),
    "surface": lambda t, q, phi, u, v, ps: surface_balance(t, u, v, t, u, v, q, fusion=3.34e5),
    "sea": lambda t, q, phi, u, v, ps: ocean_heat_content(t, COLUMN.thickness(ps)),
    "mean": lambda t, q, phi, u, v, ps: area_mean(credit_column(t, q, phi, u, v, ps), areas()),
    "sum": lambda t, q, phi, u, v, ps: area_sum(t, areas()),
}


def areas():
    return constructed_atmosphere().areas


def state(dtype="float64"):
    quantities = constructed_atmosphere().quantities
    return [quantities[name].values.astype(dtype) for name in STATE]


@pytest.fixture
def nothing_is_computed():
    def refuse(graph, keys, **kwargs):
        raise AssertionError("something was computed")

    with dask.config.set(scheduler=refuse):
        yield


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="needs the extra 'models'")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", KERNELS)
def test_torch_gives_the_same_in_float64(torch, name, dtype):
    given = state(dtype)
    found = KERNELS[name](*map(torch.as_tensor, given))
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.numpy(), KERNELS[name](*given), rtol=1e-13, atol=1e-13)


def lazily(name, chunks):
    given = [
        da.from_array(x, chunks=tuple(min(c, n) for c, n in zip(chunks[-x.ndim :], x.shape, strict=True)))
        for x in state()
    ]
    return KERNELS[name](*given)


@pytest.mark.usefixtures("nothing_is_computed")
@pytest.mark.parametrize("name", KERNELS)
def test_dask_computes_nothing_early(name):
    assert isinstance(lazily(name, (2, 8, 6, 8)), da.Array)


@pytest.mark.parametrize("chunks", [(2, 8, 6, 8), (1, 3, 2, 5)])
@pytest.mark.parametrize("name", KERNELS)
def test_dask_gives_the_same_however_it_is_chunked(name, chunks):
    found = lazily(name, chunks)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.compute(), KERNELS[name](*state()), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["credit", "ace", "dry air", "dry air pressure", "water"])
def test_gradients(torch, name):
    """Against finite differences, in units in which all that is given is about 1."""
    scales = [100.0, 0.01, 1e4, 10.0, 10.0, 1e5]
    size = {"credit": 1e9, "ace": 1e9, "dry air": 1e4, "dry air pressure": 1e5, "water": 1.0}[name]
    small = [x[:2, ..., :2, :2] if x.ndim > 2 else x[:2, :2] for x in state()]
    given = [torch.tensor(x / s, requires_grad=True) for x, s in zip(small, scales, strict=True)]

    def scaled(*arrays):
        return KERNELS[name](*(x * s for x, s in zip(arrays, scales, strict=True))) / size

    assert torch.autograd.gradcheck(scaled, given, eps=1e-6, atol=1e-7, rtol=1e-5)


def test_means_of_float32_on_torch_keep_what_float32_would_lose(torch):
    """1 in 1e8 of a field of 1, in one cell of a thousand, is below float32's last digit of the mean."""
    values = torch.ones((1, 1000), dtype=torch.float32)
    values[0, 0] = 1.0 + 2.0**-20
    found = area_mean(values, np.ones((1, 1)))
    assert float(found) - 1.0 == pytest.approx(2.0**-20 / 1000, rel=1e-6)
    assert float(values.mean()) == 1.0


def test_numpy_beside_others_is_a_constant(torch):
    assert namespace(np.ones(2), 1.0, None).__name__.rpartition(".")[2] == "numpy"
    assert "torch" in namespace(np.ones(2), torch.ones(2)).__name__
    assert double(np.ones(2, "f4"), torch.ones(2)).dtype == torch.float64
    assert double(torch.ones(2), torch.ones(2)).dtype == torch.float64


def test_slices_and_profiles_count_axes_from_the_end():
    values = np.arange(24.0).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(part(values, -3, 1, None), values[:, 1:])
    assert along(np.ones(3), -3).shape == (3, 1, 1)
    with pytest.raises(ValueError, match="counted from the end"):
        along(np.ones(3), 0)
