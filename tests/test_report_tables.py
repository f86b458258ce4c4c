"""The report's small tables: which numbers stand where, and that a table without numbers is left out."""

from __future__ import annotations

import pytest

from climbench.report_tables import further_tables, short


def row(metric, value=1.0, *, model="lps", variable="tas", region="global", units="K", **numbers):
    names = {"model": model, "variable": variable, "metric": metric, "region": region, "units": units}
    return {**names, "lead_time": None, "value": value, "floor": None, "low": None, "high": None, **numbers}


BASE = [row("rmse_spatial", 0.25, floor=0.125)]


def tables(*rows):
    return {table.title: table for table in further_tables([*BASE, *rows])}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (1.23456, "1.23"),
        (123.456, "123"),
        (1234.5, "1.2e+03"),
        (-0.012345, "-0.0123"),
        (0.00012345, "1.2e-04"),
    ],
)
def test_numbers_have_three_digits(number, text):
    assert short(number) == text


def test_scores_of_the_globe_alone_need_no_further_table():
    assert further_tables(BASE) == []


def test_regions_have_a_column_each():
    found = tables(
        row("rmse_spatial", 0.5, region="global_land", floor=0.2),
        row("rmse_spatial", 0.75, region="northern-hemisphere"),
        row("rmse_spatial", 4.0, model="other", floor=1.0),
        row("rmse_spatial", 9.0, model="other", region="northern-hemisphere"),
    )
    table = found["Regions"]
    assert table.heads == [("", "global"), ("global", "land"), ("northern", "hemisphere")]
    assert table.groups == [
        ("tas [K]", [("lps", ["0.25 (0.125)", "0.5 (0.2)", "0.75"]), ("other", ["4 (1)", "–", "9"])])
    ]


def test_changes_have_the_columns_there_are():
    table = tables(
        row("trend_rmse_spatial", 0.6, floor=0.577, units="K/decade"),
        row("trend_error_global", -0.02, floor=0.01, low=-0.05, high=0.01, units="K/decade"),
        row("trend_rmse_spatial", 0.9, region="tropics", units="K/decade"),
    )["Change and variability"]
    assert [" ".join(head) for head in table.heads] == [
        "local trends RMSE",
        "global trend error",
        "95 % interval of global trend error",
    ]
    assert table.groups == [("tas [K]", [("lps", ["0.6 (0.577)", "-0.02 (0.01)", "-0.05 to 0.01"])])]


def test_consistency_shows_the_targets_number():
    """A prediction of 1.5 with an error of 0.2 was held against 1.3."""
    table = tables(
        row("land_sea_warming_ratio", 1.5, units="1"),
        row("land_sea_warming_ratio_error", 0.2, floor=0.05, low=0.1, high=0.3, units="1"),
        row("below_zero", None, variable="pr", units="1"),
        row("spread", 0.4),
        row("spread_error", 0.9, units="1"),
    )["Physical consistency"]
    assert table.groups == [
        ("land sea warming ratio of tas [1]", [("lps", ["1.5", "1.3", "0.2", "0.05", "0.1 to 0.3"])]),
        ("below zero of pr [1]", [("lps", ["–"] * 5)]),
    ]


def test_ensembles_stand_beside_what_a_perfect_one_would_score():
    table = tables(
        row("crps_fair", 0.3, floor=0.25, low=0.28, high=0.32),
        row("spread", 0.4, floor=0.45),
        row("spread_error", 0.9, units="1"),
    )["Ensembles"]
    assert table.groups == [("tas [K]", [("lps", ["0.3 (0.25)", "0.28 to 0.32", "0.4 (0.45)", "0.9"])])]
    assert len(table.heads) == 4
