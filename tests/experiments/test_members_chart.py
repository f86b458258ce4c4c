"""The figure of a members experiment: what stands in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from climbench.experiments.members_chart import members_chart


def scores(models=("lps", "net", "forced-response")):
    rows = [
        {"model": m, "variable": v, "metric": "rmse_spatial", "target": t, "n": n, "value": 1.0 + p - 0.1 * n}
        for p, m in enumerate(models)
        for v in ("tas", "pr")
        for t in ("all", "same")
        for n in (1, 3, 10)
    ]
    return pd.DataFrame(rows).assign(sd=0.05, floor=0.3, units="K")


def crossings(n, low, high, *, stays=True):
    row = {
        "model": "net",
        "against": "lps",
        "stays": stays,
        "variable": "pr",
        "metric": "rmse_spatial",
        "target": "all",
        "n": n,
        "low": low,
        "high": high,
    }
    return pd.DataFrame([row]).astype({"n": "Int64", "low": "Int64", "high": "Int64"})


def test_each_variable_and_target_has_a_panel_with_a_line_a_model():
    figure = members_chart(scores(), crossings(None, None, None), origin="climatebench on mini-esm (simulated data)")
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["lps", "net", "forced-response"]
        assert axes.lines[0].get_xdata().tolist() == [1, 3, 10]
        assert axes.get_xscale() == "log"
        assert axes.get_ylim()[0] == 0.0
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), [1.9, 1.7, 1.0])
    assert "precipitation" in figure.axes[1].get_title(loc="left")
    assert any("simulated data" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize(("high", "end"), [(10, 10.0), (None, 10.0), (3, 3.0)])
def test_a_crossover_is_marked_with_its_interval_in_its_panel_alone(high, end):
    figure = members_chart(scores(), crossings(3, 1, high))
    bar, mark = figure.axes[1].lines[3:]
    assert list(bar.get_xdata()) == [1.0, end]
    assert list(mark.get_xdata()) == [3.0]
    assert all(len(axes.lines) == 3 for axes in (figure.axes[0], *figure.axes[2:]))


@pytest.mark.parametrize(("stays", "fill"), [(True, "#c8553d"), (False, "white")])
def test_a_crossover_that_is_not_kept_is_hollow(stays, fill):
    figure = members_chart(scores(), crossings(3, 1, 10, stays=stays))
    assert figure.axes[1].lines[-1].get_markerfacecolor() == fill
    assert any("below that of lps" in text.get_text() for text in figure.texts)


def test_without_a_crossover_none_is_explained():
    figure = members_chart(scores(), crossings(None, None, None))
    assert not any("triangles" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("variables", [["tas"], ["tas", "pr"]])
@pytest.mark.parametrize("models", [2, 7])
def test_no_words_lie_on_panels_or_leave_the_figure(models, variables):
    table = scores(["net", *(f"a-model-named-{n}" for n in range(1, models))])
    figure = members_chart(table[table["variable"].isin(variables)], crossings(3, 1, 10), origin="made on something")
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    (legend,) = figure.legends
    words = [part.get_window_extent(renderer) for part in (legend, *figure.texts)]
    panels = [axes.get_tightbbox(renderer) for axes in figure.axes]
    assert not any(word.overlaps(panel) for word in words for panel in panels)
    assert all(word.x0 >= 0 and word.x1 <= figure.bbox.x1 for word in words)
    assert all(word.y0 >= 0 and word.y1 <= figure.bbox.y1 for word in words)
