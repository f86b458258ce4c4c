"""The two boxes: against a solver of differential equations, their balance at rest, and the efficacy's effect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from climbench.models.response.energy_balance import DEEP, EFFICACY, EXCHANGE, UPPER, TwoBoxes, warming


def solved(forcing, feedback):
    """Integrate the equations as the paper writes them, with a forcing that jumps at the turn of the year."""

    def rates(time, state):
        upper, deep = state
        year = min(int(time), forcing.size - 1)
        uptake = EXCHANGE * (upper - deep)
        return [(forcing[year] - feedback * upper - EFFICACY * uptake) / UPPER, uptake / DEEP]

    state, temperatures = [0.0, 0.0], []
    for year in range(forcing.size):
        state = solve_ivp(rates, (year, year + 1 - 1e-9), state, rtol=1e-9, atol=1e-12).y[:, -1]
        temperatures.append(state[0])
    return np.array(temperatures)


@pytest.mark.parametrize("feedback", [0.6, 1.18, 2.0])
def test_it_solves_the_equations(feedback):
    forcing = np.concatenate([np.linspace(0.0, 4.0, 25), np.full(10, -1.0)])
    np.testing.assert_allclose(warming(forcing, feedback), solved(forcing, feedback), rtol=1e-6, atol=1e-7)


def test_stepping_is_the_same_as_filtering():
    forcing = np.random.default_rng(0).standard_normal(60)
    boxes = TwoBoxes(0.9)
    np.testing.assert_allclose([boxes.step(value) for value in forcing], warming(forcing, 0.9), rtol=1e-10)


def test_after_long_it_rests_where_feedback_balances_the_forcing():
    boxes = TwoBoxes(1.25)
    for _ in range(5000):
        boxes.step(3.75)
    np.testing.assert_allclose(boxes.state, 3.0, rtol=1e-6)


def test_the_response_to_a_sum_is_the_sum_of_responses():
    one, other = np.linspace(0.0, 3.0, 40), np.sin(np.arange(40.0))
    np.testing.assert_allclose(warming(one + 2.0 * other, 1.0), warming(one, 1.0) + 2.0 * warming(other, 1.0))


def test_it_goes_on_warming_after_forcing_has_stopped_to_rise():
    temperature = warming(np.concatenate([np.linspace(0.0, 4.0, 80), np.full(100, 4.0)]), 1.18)
    assert (np.diff(temperature) > 0.0).all()
