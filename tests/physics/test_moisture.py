"""Vapour at saturation against published tables, and water that cannot be against cases worked by hand."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from climbench.constants import ACE_AIR, GRAVITY
from climbench.physics.areas import area_mean
from climbench.physics.drizzle import WET_DAY, drizzle_share, rain_means
from climbench.physics.moisture import (
    above_saturation,
    below_zero,
    fraction_of_air,
    frozen_above_total,
    negative_water,
    water_above_saturation,
)
from climbench.physics.saturation import relative_humidity, saturation_humidity, saturation_vapour_pressure

RATIO = ACE_AIR.dry_gas / ACE_AIR.vapour_gas
PRESSURE = np.array([2e4, 5e4, 9e4])[:, None, None]
THICKNESS = np.array([3e4, 4e4, 3e4])[:, None, None]


def test_bolton_against_published_pressures():
    """In hPa: 6.112 at 0 degrees (Bolton), and 23.37 at 20 by the Smithsonian and WMO tables, 42.43 at 30."""
    celsius = np.array([0.0, 20.0, 30.0])
    found = saturation_vapour_pressure(celsius + 273.15) / 100.0
    assert found == pytest.approx([6.112, 23.37, 42.43], rel=1e-3)
    assert found[0] == pytest.approx(6.112, rel=1e-12)


def test_ice_against_the_table_of_murphy_and_koop():
    """Their appendix: 0.70202 Pa at 210 K, 27.272 at 240, 611.657 at the triple point."""
    found = saturation_vapour_pressure(np.array([210.0, 240.0, 273.16]), over="ice")
    assert found == pytest.approx([0.70202, 27.272, 611.657], rel=2e-5)


def test_water_and_ice_agree_at_freezing_and_ice_holds_less_below():
    kelvin = np.array([273.15, 263.15, 243.15])
    ratio = saturation_vapour_pressure(kelvin, over="ice") / saturation_vapour_pressure(kelvin)
    assert ratio[0] == pytest.approx(1.0, abs=2e-3)
    assert (np.diff(ratio) < 0).all()


def test_specific_humidity_at_saturation():
    """At 0 degrees and 1000 hPa: 0.621993 x 611.2 / (100000 - 0.378007 x 611.2) = 3.8104e-3."""
    assert saturation_humidity(np.array(273.15), np.array(1e5)) == pytest.approx(3.8104e-3, rel=1e-4)
    kelvin = np.array([230.0, 273.15, 300.0])[:, None, None]
    for share in (0.3, 1.0, 1.2):
        humidity = saturation_humidity(kelvin, PRESSURE, relative_humidity=share)
        assert relative_humidity(humidity, kelvin, PRESSURE) == pytest.approx(np.full_like(humidity, share))
    boiling = saturation_humidity(np.array(320.0), np.array(5e3))  # 105 hPa of vapour in 50 hPa of air
    assert boiling == pytest.approx(1.0)


def test_negative_water_by_hand():
    """Levels of 0.3, 0.4 and 0.3 of the air, two cells of areas 1 and 3; one cell a level is below zero."""
    humidity = np.array([[[-1e-6, 1e-6]], [[1e-3, -2e-3]], [[0.0, 1e-2]]])
    areas = np.array([[1.0, 3.0]])
    where = below_zero(humidity)
    assert where[:, 0].tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert area_mean(where, areas) == pytest.approx([0.25, 0.75, 0.0])
    assert float(fraction_of_air(where, THICKNESS, areas)) == pytest.approx((0.3 * 1 + 0.4 * 3) / 4)
    assert negative_water(humidity, THICKNESS)[0] == pytest.approx([3e4 * 1e-6 / GRAVITY, 4e4 * 2e-3 / GRAVITY])
    assert below_zero(humidity, tolerance=1e-5).sum() == 1.0


def test_water_above_saturation_by_hand():
    """Humidity at 90, 105 and 130 % of saturation, level by level."""
    kelvin = np.array([230.0, 260.0, 290.0])[:, None, None]
    most = saturation_humidity(kelvin, PRESSURE)
    humidity = np.concatenate(
        [saturation_humidity(kelvin[k], PRESSURE[k], relative_humidity=h)[None] for k, h in enumerate((0.9, 1.05, 1.3))]
    )
    assert above_saturation(humidity, kelvin, PRESSURE).ravel().tolist() == [0.0, 1.0, 1.0]
    assert above_saturation(humidity, kelvin, PRESSURE, limit=1.1).ravel().tolist() == [0.0, 0.0, 1.0]
    excess = (humidity - most)[1:] * THICKNESS[1:] / GRAVITY
    found = water_above_saturation(humidity, kelvin, PRESSURE, THICKNESS)
    assert found == pytest.approx(excess.sum(0))
    limited = water_above_saturation(humidity, kelvin, PRESSURE, THICKNESS, limit=1.1)
    bound = saturation_humidity(kelvin[2], PRESSURE[2], relative_humidity=1.1)
    assert limited == pytest.approx((humidity[2] - bound) * 3e4 / GRAVITY)


def test_more_frozen_than_falls():
    frozen, total = np.array([0.0, 1.0, 2.0, 1.0 + 1e-9]), np.array([1.0, 1.0, 1.0, 1.0])
    assert frozen_above_total(frozen, total).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert frozen_above_total(frozen, total, tolerance=1e-6).tolist() == [0.0, 0.0, 1.0, 0.0]


def test_drizzle_by_hand():
    """Cells of areas 1, 1, 2 and 4 with -0.1, 0.5, 1 and 0 mm/day, then with 0.2, 0.2, 0.2 and 8."""
    areas = np.array([[1.0, 1.0], [2.0, 4.0]])
    rain = np.array([[[-0.1, 0.5], [1.0, 0.0]], [[0.2, 0.2], [0.2, 8.0]]]) * WET_DAY
    means = rain_means(rain, areas)
    assert means.drizzle == pytest.approx([1 / 8, 4 / 8])
    assert means.wet == pytest.approx([2 / 8, 4 / 8])
    assert means.amount / WET_DAY == pytest.approx([2.5 / 8, 32.8 / 8])
    assert drizzle_share(means.drizzle_amount, means.amount) == pytest.approx([0.5 / 2.5, 0.8 / 32.8])
    both = drizzle_share(means.drizzle_amount.mean(), means.amount.mean())
    assert float(both) == pytest.approx(1.3 / 35.3)
    heavier = rain_means(rain, areas, threshold=0.4 * WET_DAY, trace=0.3 * WET_DAY)
    assert heavier.drizzle == pytest.approx([0.0, 0.0])
    assert heavier.wet == pytest.approx([3 / 8, 4 / 8])
    assert np.isnan(drizzle_share(np.zeros(1), np.zeros(1))).all()


def test_a_gap_is_not_taken_for_health():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    areas, kelvin = np.ones((2, 2)), np.full((2, 2), 280.0)
    assert np.isnan(area_mean(below_zero(values), areas))
    assert np.isnan(area_mean(above_saturation(values, kelvin, np.array(1e5)), areas))
    assert np.isnan(area_mean(frozen_above_total(values, values + 1.0), areas))
    means = rain_means(values, areas)
    assert np.isnan([means.drizzle, means.wet, means.drizzle_amount, means.amount]).all()


def test_libraries_and_precision_make_no_difference():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    kelvin = np.array([220.0, 260.0, 290.0])[:, None, None] + 5.0 * rng.standard_normal((2, 3, 4, 6))
    humidity = saturation_humidity(kelvin, PRESSURE) * (0.9 + 0.5 * rng.standard_normal(kelvin.shape))
    areas, rain = np.ones((4, 6)), 2.0 * WET_DAY * rng.standard_normal((2, 4, 6))

    def everything(q, t, r):
        means = rain_means(r, areas)
        return [
            fraction_of_air(below_zero(q), THICKNESS, areas),
            fraction_of_air(above_saturation(q, t, PRESSURE, limit=1.1), THICKNESS, areas),
            negative_water(q, THICKNESS),
            water_above_saturation(q, t, PRESSURE, THICKNESS, over="ice"),
            frozen_above_total(r, 0.5 * r),
            means.drizzle,
            means.wet,
            drizzle_share(means.drizzle_amount, means.amount),
        ]

    given = (humidity, kelvin, rain)
    expected = everything(*given)
    lazy = everything(*(da.from_array(x, chunks=(1, *x.shape[1:-1], 3)) for x in given))
    tensors = everything(*(torch.as_tensor(x) for x in given))
    single = everything(*(x.astype("float32") for x in given))
    for wanted, *found in zip(expected, (x.compute() for x in lazy), (x.numpy() for x in tensors), single, strict=True):
        assert found[0] == pytest.approx(wanted, rel=1e-12, abs=1e-15)
        assert found[1] == pytest.approx(wanted, rel=1e-12, abs=1e-15)
        assert found[2] == pytest.approx(wanted, rel=1e-3, abs=1e-6)
        assert found[0].dtype == found[1].dtype == np.float64
