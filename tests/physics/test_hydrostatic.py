"""Hydrostatic residuals of atmospheres whose geopotential is known, and how they are held against the truth's."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from climbench.constants import ACE_AIR
from climbench.errors import DataError
from climbench.physics.hydrostatic import hydrostatic_operator, hydrostatic_residual, residual_in_kelvin
from climbench.physics.imbalance import mean_square, relative, root

R, G = ACE_AIR.dry_gas, ACE_AIR.gravity
PRESSURE = np.array([5e3, 1e4, 2e4, 3e4, 5e4, 7e4, 8.5e4, 1e5])
MAP = (3, 4)


def on_map(profile):
    return np.broadcast_to(profile[:, None, None], (profile.size, *MAP)).copy()


def with_lapse_rate(pressure, rate=6.5e-3, surface=288.0):
    """Return geopotential and temperature that fall together: T = T0 (p / p0)^(R rate / g), z = (T0 - T) / rate."""
    temperature = surface * (pressure / 1e5) ** (R * rate / G)
    return G * (surface - temperature) / rate, temperature


def some_state(seed=0, lead=(2,)):
    rng = np.random.default_rng(seed)
    phi, virtual = (on_map(x) for x in with_lapse_rate(PRESSURE))
    noise = rng.standard_normal((2, *lead, *phi.shape))
    return phi + 30.0 * noise[0], virtual + noise[1]


def test_an_isothermal_atmosphere_is_in_balance():
    phi = on_map(-R * 250.0 * np.log(PRESSURE / 1e5))
    residual = hydrostatic_residual(phi, np.full_like(phi, 250.0), PRESSURE)
    assert residual.shape == (PRESSURE.size - 1, *MAP)
    assert np.abs(residual).max() <= 1e-9 * np.abs(phi).max()


def test_a_constant_lapse_rate_leaves_the_curvature_between_levels():
    """The trapezoidal rule errs by h^3 / 12 times the second derivative, R (R rate / g)^2 T, and falls as h cubed."""
    largest = {}
    for levels in (9, 17):
        pressure = np.geomspace(2e4, 1e5, levels)
        phi, virtual = with_lapse_rate(pressure)
        residual = hydrostatic_residual(phi, virtual, pressure, axis=-1)
        step = np.log(pressure[1] / pressure[0])
        middle = np.sqrt(virtual[1:] * virtual[:-1])
        expected = R * (R * 6.5e-3 / G) ** 2 * middle * step**3 / 12.0
        assert residual == pytest.approx(expected, rel=1e-3)
        largest[levels] = residual.max()
    assert largest[9] / largest[17] == pytest.approx(8.0, rel=0.05)


def test_a_kelvin_too_warm_is_a_kelvin_and_a_level_too_high_is_its_height():
    phi, virtual = some_state()
    before = hydrostatic_residual(phi, virtual, PRESSURE)
    warmer = hydrostatic_residual(phi, virtual + 1.0, PRESSURE) - before
    assert residual_in_kelvin(warmer, PRESSURE) == pytest.approx(np.ones_like(warmer), rel=1e-9)
    lifted = phi.copy()
    lifted[..., 3, :, :] += 10.0
    change = hydrostatic_residual(lifted, virtual, PRESSURE) - before
    assert change[0, :, 0, 0] == pytest.approx([0, 0, 10.0, -10.0, 0, 0, 0], abs=1e-9)


def test_the_operator_by_hand_and_against_the_residual():
    half = 0.5 * R * np.log(2.0)
    assert hydrostatic_operator(np.array([5e4, 1e5])) == pytest.approx(np.array([[-1.0, 1.0, half, half]]))
    matrix = hydrostatic_operator(PRESSURE)
    assert np.linalg.matrix_rank(matrix) == PRESSURE.size - 1
    phi, virtual = some_state()
    columns = np.concatenate([phi, virtual], axis=-3)
    product = np.einsum("rk,tkij->trij", matrix, columns)
    assert product == pytest.approx(hydrostatic_residual(phi, virtual, PRESSURE), abs=1e-9)


def test_libraries_precision_and_pressures_of_each_cell_make_no_difference():
    torch = pytest.importorskip("torch")
    phi, virtual = some_state()
    expected = hydrostatic_residual(phi, virtual, PRESSURE)
    cells = np.broadcast_to(PRESSURE[:, None, None], phi.shape)
    assert hydrostatic_residual(phi, virtual, cells) == pytest.approx(expected, abs=1e-9)
    lazy = [da.from_array(x, chunks=(1, -1, 2, 2)) for x in (phi, virtual, cells)]
    assert hydrostatic_residual(*lazy[:2], PRESSURE).compute() == pytest.approx(expected, abs=1e-9)
    assert hydrostatic_residual(*lazy).compute() == pytest.approx(expected, abs=1e-9)
    tensors = [torch.as_tensor(x.copy()) for x in (phi, virtual, cells)]
    for pressure in (PRESSURE, tensors[2]):
        found = hydrostatic_residual(*tensors[:2], pressure)
        assert found.dtype == torch.float64
        assert found.numpy() == pytest.approx(expected, abs=1e-9)
        assert residual_in_kelvin(found, pressure).numpy() == pytest.approx(
            residual_in_kelvin(expected, PRESSURE), abs=1e-9
        )
    single = hydrostatic_residual(phi.astype("float32"), virtual.astype("float32"), PRESSURE)
    assert single.dtype == np.float64
    assert single == pytest.approx(expected, abs=0.05)  # float32 of 2e5 m2 s-2 is rounded by 0.008


def test_gradients_are_those_of_finite_differences():
    torch = pytest.importorskip("torch")
    phi, virtual = (torch.tensor(x[..., :2, :2], requires_grad=True) for x in some_state(lead=()))
    assert torch.autograd.gradcheck(lambda p, t: hydrostatic_residual(p, t, PRESSURE), (phi, virtual))


def test_nothing_depends_on_where_zero_height_is_nor_on_the_order_of_cells():
    phi, virtual = some_state()
    residual = hydrostatic_residual(phi, virtual, PRESSURE)
    assert hydrostatic_residual(phi + 1e4, virtual, PRESSURE) == pytest.approx(residual, abs=1e-8)
    turned = hydrostatic_residual(phi[..., ::-1, :], virtual[..., ::-1, :], PRESSURE)
    assert np.array_equal(turned[..., ::-1, :], residual)


def test_against_the_truth_by_hand():
    """Two cells of areas 1 and 3, residuals 2 and 4 by the forecast, 1 and 1 by the truth: (4 + 48) / 4 = 13, and 1."""
    areas, truth = np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]])
    forecast = np.array([[2.0, 4.0]])
    ours, theirs = mean_square(forecast, areas), mean_square(truth, areas)
    assert (float(ours), float(theirs)) == pytest.approx((13.0, 1.0))
    assert float(root(ours)) == pytest.approx(13.0**0.5)
    assert float(relative(ours, theirs)) == pytest.approx(13.0**0.5)
    assert float(root(mean_square(forecast - truth, areas))) == pytest.approx(7.0**0.5)  # (1 + 27) / 4


@pytest.mark.parametrize(
    ("pressure", "says"),
    [(PRESSURE[::-1], "from the bottom up"), (PRESSURE / 100.0, "hPa"), (PRESSURE[:-1], "8 levels and 7 pressures")],
)
def test_wrong_pressures_are_refused(pressure, says):
    phi, virtual = some_state()
    with pytest.raises(DataError, match=says):
        hydrostatic_residual(phi, virtual, pressure)
    if pressure.size < PRESSURE.size:
        with pytest.raises(DataError, match=says):
            residual_in_kelvin(hydrostatic_residual(phi, virtual, PRESSURE), pressure)
