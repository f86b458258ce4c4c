"""Tables of forecasts as lines: which lead times are shown, how numbers are written, and what is left out."""

from __future__ import annotations

import pytest

from climbench.cli.forecast_table import forecast_lines, profile_lines, shown_leads
from climbench.experiments.profiles import ProfileTable

DAY = 24.0
SIX_HOURLY = [6.0 * n for n in range(1, 41)]


def row(value=1.0, **changes):
    usual = {
        "model": "mine",
        "variable": "t",
        "metric": "rmse",
        "region": "global",
        "lead_time": DAY,
        "value": value,
        "units": "K",
    }
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("leads", "count", "days"),
    [
        ([6.0, 30.0], 2, [0.25, 1.25]),  # all, if they fit
        (SIX_HOURLY, 5, [1, 3, 5, 7, 10]),  # the usual scorecard's
        (SIX_HOURLY, 3, [1, 5, 10]),  # the first, the last and the middle of these
        (SIX_HOURLY, 1, [1]),
        ([DAY * n for n in range(1, 45)], 8, [1, 3, 5, 7, 10, 15, 30, 44]),
        ([6.0, 12.0, 18.0, 30.0, 36.0], 3, [0.25, 0.75, 1.5]),  # evenly spaced where none is usual
        ([6.0 * n for n in range(1, 8)], 3, [0.25, 1, 1.75]),  # and where one alone is, which would be all there is
        ([], 4, []),
    ],
)
def test_lead_times_that_fit(leads, count, days):
    assert shown_leads(leads, count) == [DAY * day for day in days]


def test_a_line_has_a_metric_and_its_unit_and_a_number_for_each_lead():
    rows = [row(3.14159), row(1234.5, lead_time=30.0), row(0.98765, metric="acc", units="1"), row(2.0, variable="z")]
    assert [line.split() for line in forecast_lines(rows, 80)] == [
        ["mine", "1", "d", "30", "h"],
        ["t"],
        ["rmse", "K", "3.142", "1234"],
        ["acc", "0.9877", "-"],
        ["z"],
        ["rmse", "K", "2", "-"],
    ]


def test_a_score_that_is_none_is_a_dash_and_a_small_one_has_two_digits():
    lines = forecast_lines([row(None), row(-0.0012345, lead_time=48.0), row(0.0, lead_time=72.0)], 80)
    assert lines[-1].split() == ["rmse", "K", "-", "-0.0012", "0"]


def test_of_several_models_each_has_a_line_under_each_metric():
    rows = [row(1.0), row(2.0, metric="mae"), row(3.0, model="other"), row(4.0, model="other", metric="mae")]
    header, *lines = forecast_lines(rows, 80)
    assert header.split() == ["1", "d"]
    assert [line.split() for line in lines] == [
        ["t"],
        ["rmse", "mine", "K", "1"],
        ["rmse", "other", "K", "3"],
        ["mae", "mine", "K", "2"],
        ["mae", "other", "K", "4"],
    ]


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_columns_stand_below_each_other_and_fit(width):
    rows = [row(280.0 + hour, lead_time=hour, metric=name) for name in ("rmse", "wind_vector") for hour in SIX_HOURLY]
    *lines, left_out = forecast_lines(rows, width)
    assert left_out.startswith("- not shown: ")
    assert {len(line) for line in lines if line != "t"} == {len(lines[0])}
    assert len(lines[0]) <= width


def test_regions_and_leads_that_are_not_shown_are_said():
    rows = [row(region=region, lead_time=hour) for region in ("europe", "tropics", "global") for hour in SIX_HOURLY]
    assert forecast_lines(rows, 70)[-1] == "- not shown: tropics, global; 35 lead times; --json has all"
    assert not any("not shown" in line for line in forecast_lines([row(), row(lead_time=48.0)], 80))


@pytest.fixture
def table():
    """A function that makes a table of two profiles from rows, each with its profile's name."""

    def made(rows, **changes):
        quirks = {"wb2": {"weights": "to the poles", "acc": "each by itself", "seeps": "no category"}}
        return ProfileTable("weatherbench", "mine", rows, quirks, **{"notes": [], "modified": False, **changes})

    return made


def under(profile, value, **changes):
    return {"profile": profile, **row(value, **changes)}


def test_a_column_a_profile_and_a_block_a_variable_and_lead(table):
    rows = [
        under(profile, value + bonus, lead_time=lead, **metric)
        for profile, bonus in (("standard", 0.0), ("wb2", 0.5))
        for metric, value in (({"metric": "rmse"}, 1.0), ({"metric": "acc", "units": "1"}, 0.25))
        for lead in (24.0, 30.0)
    ]
    title, *lines = profile_lines(table(rows), 80)
    assert title == "mine by the conventions of each tool (weatherbench, global)"
    assert [line.split() for line in lines[:7]] == [
        ["standard", "wb2"],
        ["t", "at", "1", "d"],
        ["rmse", "K", "1", "1.5"],
        ["acc", "0.25", "0.75"],
        ["t", "at", "30", "h"],
        ["rmse", "K", "1", "1.5"],
        ["acc", "0.25", "0.75"],
    ]
    numbers = [line for line in lines[:7] if " at " not in line]
    assert {len(line) for line in numbers} == {len(lines[0])}
    assert lines[7:] == ["- wb2, weights: to the poles", "- wb2, acc: each by itself"]  # seeps was not scored


def test_a_score_that_one_profile_lacks_is_a_dash(table):
    rows = [under("standard", 1.0), under("wb2", None), under("standard", 2.0, metric="mae")]
    lines = profile_lines(table(rows), 80)
    assert [line.split() for line in lines[3:5]] == [["rmse", "K", "1", "-"], ["mae", "K", "2", "-"]]


def test_what_a_table_leaves_out_and_its_notes_come_last(table):
    rows = [under("wb2", 1.0, region=region, lead_time=hour) for region in ("tropics", "europe") for hour in SIX_HOURLY]
    lines = profile_lines(table(rows, notes=["coverage: all", "a warning"], modified=True), 80)
    assert lines[0].endswith("(weatherbench, tropics) (modified settings)")
    assert [line for line in lines if " at " in line] == [f"t at {day} d" for day in (1, 3, 5, 7, 10)]
    assert lines[-3:] == [
        "- not shown: europe; 35 lead times; --json has all",
        "- coverage: all",
        "- a warning",
    ]


def test_long_names_are_cut_where_the_screen_is_narrow(table):
    rows = [under(profile, 1.5, metric="rank_histogram_deviation") for profile in ("standard", "chaosbench")]
    lines = profile_lines(table(rows), 50)
    assert lines[1].split() == ["standard", "chaosbench"]
    assert lines[3].split() == ["rank_histogram_de", "K", "1.5", "1.5"]
    assert all(len(line) <= 50 for line in lines[1:4])
