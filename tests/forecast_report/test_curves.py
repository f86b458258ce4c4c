from __future__ import annotations

import numpy as np
import pytest

from climbench.forecast_report.curves import lead_time_curves
from climbench.forecast_report.headlines import rows_of
from climbench.records import score_table
from tests.forecast_report.conftest import PRESSURE, TEMPERATURE

COLOURS = {"good": "#ff0000", "climatology": "#0000ff"}


@pytest.fixture
def table(rows):
    return score_table(rows_of(rows, "global"))


def test_curves_show_the_scores_against_days(table):
    figure = lead_time_curves(table, {TEMPERATURE: ["rmse"]}, COLOURS, reference="climatology", origin="a task")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert set(lines) == {"good", "climatology (reference)"}
    chosen = table[(table["model"] == "good") & (table["metric"] == "rmse") & (table["variable"] == TEMPERATURE)]
    np.testing.assert_allclose(lines["good"].get_xdata(), [0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(lines["good"].get_ydata(), chosen["value"])
    assert "[K]" in figure.axes[0].get_title(loc="left")
    assert lines["climatology (reference)"].is_dashed()
    assert not lines["good"].is_dashed()
    assert figure.get_supxlabel() == "a task"


def test_bands_are_the_intervals_of_the_table(table):
    figure = lead_time_curves(table, {TEMPERATURE: ["rmse"]}, COLOURS, reference="climatology")
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    chosen = table[(table["model"] == "good") & (table["metric"] == "rmse") & (table["variable"] == TEMPERATURE)]
    assert chosen["low"].notna().all()
    for hour, low, high in zip(chosen["lead_time"], chosen["low"], chosen["high"], strict=True):
        heights = band[band[:, 0] == hour / 24.0, 1]
        np.testing.assert_allclose([heights.min(), heights.max()], [low, high])


def test_a_variable_has_its_metrics_side_by_side_and_one_legend(table):
    metrics = {TEMPERATURE: ["crps_fair", "rmse"], PRESSURE: ["crps_fair"]}
    figure = lead_time_curves(table, metrics, COLOURS, reference="climatology")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left").split(" [")[0] for axes in shown]
    assert titles == [f"{TEMPERATURE}: crps_fair", f"{TEMPERATURE}: rmse", f"{PRESSURE}: crps_fair"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["good", "climatology (reference)"]


def test_the_legend_has_models_that_the_first_panel_has_not_in_their_order(table):
    without = table[~((table["model"] == "good") & (table["metric"] == "crps_fair"))]
    figure = lead_time_curves(without, {TEMPERATURE: ["crps_fair", "rmse"]}, COLOURS, reference="climatology")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["good", "climatology (reference)"]


def test_a_score_that_is_missing_leaves_its_line_out(table):
    changed = table.copy()
    changed.loc[changed["model"] == "good", "value"] = np.nan
    figure = lead_time_curves(changed, {TEMPERATURE: ["rmse"]}, COLOURS, reference="climatology")
    assert [line.get_label() for line in figure.axes[0].get_lines()] == ["climatology (reference)"]
