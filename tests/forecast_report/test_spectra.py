from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.forecast_report.spectra import draw_spectra, resolution

DEGREES = np.arange(11)


@pytest.fixture
def truth():
    return xr.DataArray(np.ones((2, 11)) / (1.0 + DEGREES), {"lead_time": [24.0, 72.0]}, ("lead_time", "degree"))


def test_spectra_are_drawn_with_the_truth_from_degree_one(truth):
    half = 0.6 * truth
    figure = draw_spectra({"z": ({"mine": half}, {"mine": truth})}, [24.0, 72.0], {"mine": "red"})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["z, 1 d", "z, 3 d"]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["truth"].get_xdata(), DEGREES[1:])
    np.testing.assert_allclose(lines["mine (as fine as the grid)"].get_ydata(), 0.6 / (1.0 + DEGREES[1:]))
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"


def test_the_effective_resolution_is_marked(truth):
    """All of the power to degree 4, a tenth beyond: 2 pi times 6371 km over 4 is 10 008 km."""
    blurred = truth.copy()
    blurred[:, 5:] *= 0.1
    figure = draw_spectra({"z": ({"mine": blurred}, {"mine": truth})}, [24.0], {"mine": "red"})
    marks = [line for line in figure.axes[0].get_lines() if line.get_marker() == "^"]
    assert [line.get_xdata() for line in marks] == [[4.0]]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[0] == "truth"
    assert float(labels[1].split("(")[1].split(" km")[0]) == pytest.approx(10008, abs=2)


def test_a_forecast_without_power_has_no_mark_and_does_not_set_the_scale(truth):
    figure = draw_spectra({"z": ({"flat": 1e-25 * truth}, {"flat": truth})}, [24.0], {"flat": "red"})
    axes = figure.axes[0]
    assert not [line for line in axes.get_lines() if line.get_marker() == "^"]
    assert axes.get_ylim()[0] > 1e-4
    assert resolution(np.nan, 10) == "too weak at degree 1"
