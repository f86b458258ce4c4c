"""The verb: one JSON object, or a table that says what is missing and for what."""

from __future__ import annotations

import numpy as np

from tests.budget import made


def test_json_has_budgets_with_years_closure_and_what_is_missing(climbench, tmp_path):
    path = made.write(made.moist(made.hours(9), leak=1e-6), tmp_path / "water.nc")
    done = climbench("budget", path, "--json")
    assert done.code == 0, done.err
    named = {entry["name"]: entry for entry in done.json["budgets"]}
    assert {"name", "quantity", "value", "units", "per_year"} <= set(named["water"])
    assert named["water"]["drift"]["per_day"] is not None
    assert np.isclose(named["water_residual"]["closure"]["mean"], 0.0864)
    assert named["water_residual"]["closure"]["units"] == "mm/day"
    assert "toa_net" in done.json["missing"]


def test_the_table_shows_years_and_names_each_missing_thing_once(climbench, tmp_path):
    times = made.months(101, 8, "noleap")[:-1]
    done = climbench("budget", made.write(made.top(times, np.repeat(np.arange(8.0), 12)[:-1]), tmp_path / "top.nc"))
    assert done.code == 0, done.err
    mean = (365 * sum(range(7)) + 334 * 7) / (365 * 7 + 334)
    assert any(line.split()[:4] == ["toa_net", f"{mean:.4g}", "W", "m-2"] for line in done.out.splitlines())
    assert "years: 101 0  102 1  103 2  ...  106 5  107 6  108 7 (334 d)" in done.out
    assert done.out.count("convergence of moisture (") == 1


def test_wrong_input_is_one_line_and_code_2(climbench, tmp_path):
    done = climbench("budget", tmp_path / "nowhere.nc")
    assert done.code == 2
    assert done.err.startswith("Error: There is no file or store")
    assert "Traceback" not in done.err
    assert done.out == ""
