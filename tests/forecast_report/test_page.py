"""The page: what it says, and which figures it has."""

from __future__ import annotations

import re

import pytest

from climbench.forecast_report.headlines import drawn_metrics, headline_hours, mapped_hours, rows_of
from climbench.forecast_report.page import not_drawn, parted_notes, table_lines, why_modified, write_forecast_report
from tests.forecast_report.conftest import PRESSURE, TEMPERATURE


@pytest.fixture
def record(scored):
    return {
        "notes": [*scored["good"].notes, "a <script>note</script>", "good: WARNING: beware"],
        "modified": True,
        "costs": {"good": {"parameters": 1234, "fit_seconds": 0.5, "predict_seconds": None, "peak_memory_mb": 99.0}},
        "task_hash": "abc",
        "command": "climbench run",
        "seed": 3,
        "versions": {"numpy": "2"},
        "hardware": {"cores": 2},
    }


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture
def page(scored, rows, record, written):
    if not (written / "report.html").exists():
        write_forecast_report(written, scored["good"].task, scored, rows, record)
    return (written / "report.html").read_text()


def test_the_page_says_what_it_must(page):
    assert "Simulated data." in page
    assert "coverage: 30 initial times" in page
    assert "1,234" in page
    assert "rmse" in page
    assert "root of the mean over initial times" in page  # a definition
    assert "clim.zarr" in page
    assert "<strong>good: WARNING: beware</strong>" in page


def test_it_says_in_what_a_result_is_modified(page):
    assert re.search(r"Modified\..*?<li>the initial times are not the task&#39;s</li>", page, flags=re.DOTALL)


def test_all_text_is_escaped_and_nothing_is_loaded_from_anywhere(page):
    assert "&lt;script&gt;note" in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_its_figures_are_also_files(page, written):
    names = {path.name for path in (written / "figures").iterdir()}
    maps = {f"maps-{model}-{name}.png" for model in ("good", "climatology") for name in (TEMPERATURE, PRESSURE)}
    rest = {"lead-times.png", "scorecard.png", "ranks.png", "reliability.png", "spectra-power.png"}
    assert names == maps | rest
    assert page.count("data:image/png;base64,") == len(names)


def test_other_regions_have_their_table(page):
    assert "<summary>tropics</summary>" in page


def test_intervals_stand_under_the_pointer(page, rows):
    row = next(r for r in rows if (r["metric"], r["lead_time"], r["model"]) == ("rmse", 24.0, "good"))
    assert f'title="95 % interval {row["low"]:.4g} to {row["high"]:.4g}">{row["value"]:.4g}</td>' in page


def test_a_single_model_has_no_scorecard(scored, rows, record, tmp_path):
    one = {"good": scored["good"]}
    write_forecast_report(tmp_path, scored["good"].task, one, [r for r in rows if r["model"] == "good"], record)
    assert not (tmp_path / "figures" / "scorecard.png").exists()
    page = (tmp_path / "report.html").read_text()
    assert "tells the two apart" not in page
    assert "Not drawn: a scorecard needs climatology, the reference" in page


def test_the_table_puts_models_side_by_side(rows):
    heads, groups = table_lines(rows, "global")
    assert heads == ["0.5 d", "1 d", "1.5 d", "2 d"]
    assert [group["variable"] for group in groups] == [TEMPERATURE, PRESSURE]
    assert [(line["metric"], line["model"]) for line in groups[0]["lines"]][:2] == [
        ("rmse", "good"),
        ("rmse", "climatology"),
    ]


def test_changed_settings_are_named(scored):
    task = scored["good"].task
    changed = task.card.model_copy(update={"name": "weatherbench"})
    modified = type(task)(changed, True, task.dataset, task.truth, task.climatology, task.data)
    found = why_modified(modified, {})
    assert "grids: 8x7 (on the card: 64x32, 240x121)" in found
    assert "metrics: rmse, bias, acc, crps_fair, rank_histogram_deviation" in next(
        text for text in found if text.endswith("(on the card: open)") and text.startswith("metrics")
    )
    unknown = type(task)(task.card, True, task.dataset, task.truth, task.climatology, task.data)
    assert why_modified(unknown, {}) == ["settings are not those of the task's card"]


def test_scores_of_whole_maps_stand_with_every_region():
    rows = [
        {"variable": "t", "metric": "rmse", "region": "europe"},
        {"variable": "t", "metric": "rmse", "region": "global"},
        {"variable": "t", "metric": "ms_ssim", "region": "global"},
    ]
    assert rows_of(rows, "europe") == [rows[0], rows[2]]


def test_coverage_stands_above_where_all_models_have_the_same():
    assert parted_notes(["coverage: all", "modified: a", "a note"]) == ("coverage: all", ["a note"])
    assert parted_notes(["a: coverage: all", "b: coverage: half"]) == ("", ["a: coverage: all", "b: coverage: half"])


def test_what_is_not_drawn_has_a_reason(scored):
    assert not_drawn(scored, ["lead-times", "scorecard", "spectra-power", "ranks", "reliability", "maps-a-b"]) == []
    (few,) = not_drawn(scored, ["scorecard", "maps-a-b"])
    assert "effective_resolution" in few
    assert "rank_histogram_deviation" in few
    assert "calibration_error_above_X" in few


def test_headline_lead_times():
    assert headline_hours([6.0, 24.0, 48.0, 72.0]) == [24.0, 72.0]
    assert headline_hours([6.0, 12.0, 18.0]) == [6.0, 12.0, 18.0]
    assert headline_hours([float(n) for n in range(1, 12)]) == [1.0, 3.0, 6.0, 9.0, 11.0]
    assert mapped_hours([0.0, 24.0, 72.0, 120.0, 168.0, 240.0]) == [24.0, 72.0, 120.0, 240.0]
    assert mapped_hours([0.0]) == []


def test_the_main_metric_is_drawn_first():
    rows = [{"variable": "t", "metric": metric} for metric in ("bias", "acc", "rmse", "crps_fair")]
    assert drawn_metrics(rows) == {"t": ["crps_fair", "rmse", "acc"]}
    assert drawn_metrics([{"variable": "t", "metric": "bias"}]) == {"t": ["bias"]}
