"""The carbon cycle: what its definition says of a pulse, and that sinks weaken."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from climbench.models.response.carbon_cycle import FRACTIONS, LIFETIMES, PGC_PER_PPM, CarbonCycle, integrated_response


@pytest.mark.parametrize("slowing", [0.1, 1.0, 3.0])
def test_the_integrated_response_is_an_integral(slowing):
    def airborne(age):
        return sum(f * np.exp(-age / (slowing * t)) for f, t in zip(FRACTIONS, LIFETIMES, strict=True))

    assert integrated_response(np.array([slowing]))[0] == pytest.approx(quad(airborne, 0.0, 100.0)[0], rel=1e-9)


def test_fractions_add_up_to_one():
    assert sum(FRACTIONS) == pytest.approx(1.0)


def test_without_emissions_the_air_stays_pre_industrial():
    cycle = CarbonCycle()
    assert [cycle.step(0.0, 0.0) for _ in range(50)] == [278.0] * 50


@pytest.mark.parametrize(("warming", "integral"), [(0.0, 32.40), (2.0, 32.40 + 2 * 4.165)])
def test_a_small_pulse_stays_as_long_as_the_parameters_say(warming, integral):
    """r0 and rT are years of airborne fraction, integrated over a century after a pulse: the scheme's definition."""
    cycle = CarbonCycle()
    levels = [cycle.step(1e-3 * (year == 0), warming) for year in range(101)]
    airborne = (np.array(levels) - 278.0) * PGC_PER_PPM / 1e-3
    assert np.trapezoid(airborne) == pytest.approx(integral, rel=0.01)


def test_sinks_weaken_as_they_fill_and_as_it_warms():
    def left_after_a_century(already, warming):
        with_pulse, without = CarbonCycle(), CarbonCycle()
        for _ in range(50):
            with_pulse.step(already / 50.0, warming), without.step(already / 50.0, warming)
        for year in range(100):
            with_pulse.step(10.0 * (year == 0), warming), without.step(0.0, warming)
        return (with_pulse.concentration - without.concentration) * PGC_PER_PPM / 10.0

    fresh = left_after_a_century(0.0, 0.0)
    assert 0.2 < fresh < left_after_a_century(1000.0, 0.0) < left_after_a_century(1000.0, 3.0) < 1.0


def test_what_is_emitted_in_the_first_year_is_nearly_all_in_the_air():
    level = CarbonCycle().step(PGC_PER_PPM, 0.0)
    assert 278.7 < level < 279.0
