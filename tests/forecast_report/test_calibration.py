from __future__ import annotations

import numpy as np
import xarray as xr

from climbench.forecast_report.calibration import (
    rank_histograms,
    reliability_curve,
    reliability_diagrams,
    says_something,
)

COLOURS = {"mine": "red", "other": "blue"}


def by_lead(values, axis):
    return xr.DataArray([values], {"lead_time": [24.0]}, ("lead_time", axis))


def sums(weight, probability, frequency):
    weight, probability, frequency = (np.asarray(x, "float64") for x in (weight, probability, frequency))
    return np.concatenate([weight, weight * probability, weight * frequency])


def test_ranks_are_drawn_over_an_equal_share():
    figure = rank_histograms({"t": {"mine": by_lead([0.5, 0.25, 0.25], "rank")}}, [24.0], COLOURS)
    steps = figure.axes[0].patches[0].get_data()
    np.testing.assert_allclose(steps.values, [1.5, 0.75, 0.75])
    np.testing.assert_allclose(steps.edges, [0.0, 1 / 3, 2 / 3, 1.0])
    (level,) = figure.axes[0].get_lines()
    assert set(level.get_ydata()) == {1.0}


def test_ensembles_of_different_size_stand_on_one_axis():
    shares = {"mine": by_lead([0.5, 0.5], "rank"), "other": by_lead([0.25] * 4, "rank")}
    figure = rank_histograms({"t": shares}, [24.0], COLOURS)
    edges = [patch.get_data().edges for patch in figure.axes[0].patches]
    assert [(e[0], e[-1]) for e in edges] == [(0.0, 1.0), (0.0, 1.0)]


def test_reliability_is_frequency_against_probability():
    values = by_lead(sums([6.0, 3.0, 1.0], [0.0, 0.5, 1.0], [0.1, 0.4, 0.9]), "probability")
    figure = reliability_diagrams({"t > 280": {"mine": values}}, [24.0], COLOURS)
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["mine"].get_xdata(), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(lines["mine"].get_ydata(), [0.1, 0.4, 0.9])
    areas = figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(areas / areas[0], [1.0, 0.5, 1 / 6])


def test_tenths_with_hardly_any_forecasts_are_left_out():
    x, y, share = reliability_curve(sums([9995.0, 5.0, 0.0], [0.1, 0.5, 0.0], [0.1, 1.0, 0.0]))
    np.testing.assert_allclose((x, y, share), ([0.1], [0.1], [0.9995]))


def test_an_event_that_never_or_always_occurs_says_nothing():
    assert not says_something({"mine": by_lead(sums([5.0, 5.0], [0.0, 1.0], [0.0, 0.0]), "probability")})
    assert not says_something({"mine": by_lead(sums([5.0, 5.0], [0.0, 1.0], [1.0, 1.0]), "probability")})
    assert says_something({"mine": by_lead(sums([5.0, 5.0], [0.0, 1.0], [0.0, 1.0]), "probability")})
