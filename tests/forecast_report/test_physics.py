"""The table of physics in a report, and the lines of what could not be had."""

from __future__ import annotations

from climbench.forecast_report.physics import physics_lines
from climbench.report_tables import impossible_lines


def row(model, lead, value, floor=None, metric="dry_air_drift", **changes):
    names = {"variable": "physics", "metric": metric, "model": model, "lead_time": lead, "region": "global"}
    return {**names, "value": value, "floor": floor, "low": None, "high": None, "units": "kg m-2", **changes}


def test_each_score_has_its_models_and_what_the_truth_scores():
    rows = [
        row("mine", 24.0, 1.0, 0.25, low=0.5, high=1.5),
        row("mine", 72.0, 2.0, 0.5),
        row("other", 24.0, 3.0, 0.25),
        row("mine", 24.0, 0.1, metric="toa_net_bias"),
        {**row("mine", 24.0, 9.0), "variable": "2m_temperature"},
    ]
    heads, (drift, bias) = physics_lines(rows)
    assert heads == ["1 d", "3 d"]
    assert drift["variable"] == "dry_air_drift [kg m-2]"
    cells = {line["model"]: [text for text, _ in line["cells"]] for line in drift["lines"]}
    assert cells == {"mine": ["1", "2"], "other": ["3", "–"], "the truth": ["0.25", "0.5"]}
    assert drift["lines"][0]["cells"][0][1] == "95 % interval 0.5 to 1.5"
    assert [line["model"] for line in bias["lines"]] == ["mine"]


def test_without_physics_there_is_no_table():
    assert physics_lines([{**row("mine", 24.0, 9.0), "variable": "2m_temperature"}]) == ([], [])


def test_what_holds_for_all_models_bears_no_name():
    missing = {"a": {"toa_net": ("x", "y"), "water_residual_mean": ("z",)}, "b": {"toa_net": ("x", "y")}}
    assert impossible_lines(missing) == [("toa_net", "x; y"), ("water_residual_mean of a", "z")]
