"""One forecast under every profile: what the table holds, and what is written of it."""

from __future__ import annotations

import json

import pytest

import climbench
from climbench.errors import CardError, PredictionError, RunError
from climbench.experiments.profiles import TABLE, every_profile
from climbench.run_directory import RECORD
from climbench.tasks.forecast.profiles import PROFILES
from tests.tasks.forecast import made_stores

NAME = "2m_temperature"
LEADS = [12.0, 24.0, 36.0, 48.0]
SETTINGS = {"targets": [NAME], "metrics": ["rmse", "mae", "acc", "crps_fair"], "regions": ["global", "tropics"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a forecast, its truth and a climatology; tests only read it."""
    path = tmp_path_factory.mktemp("profiles")
    made_stores.written(path / "truth.zarr", made_stores.made_truth(variables=(NAME,)))
    made_stores.written(path / "forecast.zarr", made_stores.made_forecast(variables=(NAME,)))
    made_stores.written(path / "climatology.zarr", made_stores.made_climatology(variables=(NAME,)))
    return path


@pytest.fixture(scope="module")
def table_of(folder):
    """A function that scores the forecast under every profile, with some settings changed."""

    def scored(settings=None, **options):
        set_ = {**SETTINGS, "climatology": str(folder / "climatology.zarr"), **(settings or {})}
        return every_profile("weatherbench", folder / "forecast.zarr", data=folder / "truth.zarr", set=set_, **options)

    return scored


@pytest.fixture(scope="module")
def table(table_of):
    return table_of()


def values(rows, **wanted):
    """Values of rows in which all that is wanted holds, by metric, region and lead."""
    kept = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return {(row["metric"], row["region"], row["lead_time"]): row["value"] for row in kept}


def test_every_row_carries_its_profile(table, folder):
    assert (table.task, table.forecast) == ("weatherbench", str(folder / "forecast.zarr"))
    assert (table.modified, table.run_dir) == (True, None)
    keys = [(r["profile"], r["metric"], r["region"], r["lead_time"]) for r in table.rows]
    metrics = ("rmse", "mae", "acc")
    assert keys == [(p, m, g, h) for p in PROFILES for m in metrics for g in ("global", "tropics") for h in LEADS]
    assert {row["model"] for row in table.rows} == {"forecast"}


def test_rows_are_those_of_scores_under_one_profile(table, folder):
    for profile in PROFILES:
        settings = {**SETTINGS, "climatology": str(folder / "climatology.zarr"), "profile": profile}
        alone = climbench.score("weatherbench", folder / "forecast.zarr", data=folder / "truth.zarr", set=settings)
        wanted = values(alone.scores.to_dict("records"))
        assert values(table.rows, profile=profile) == pytest.approx(wanted, rel=1e-12)


def test_what_differs_between_profiles_is_what_is_named(table):
    assert table.quirks == {name: dict(p.quirks) for name, p in PROFILES.items() if p.quirks}
    assert set(table.quirks) == {"wb2", "chaosbench"}
    own = values(table.rows, profile="standard")
    # from pole to pole WeatherBench 2 weighs cells as the suite does
    for profile, differ in {"wb2": {"acc"}, "wbx": set(), "chaosbench": {"rmse", "mae", "acc"}}.items():
        theirs = values(table.rows, profile=profile)
        assert {key[0] for key, value in theirs.items() if value != pytest.approx(own[key], rel=1e-9)} == differ


def test_weights_that_are_named_hold_for_all(table_of):
    rows = table_of({"weights": "cos_latitude", "metrics": ["mae"]}).rows
    own = values(rows, profile="standard")
    for profile in PROFILES:
        assert values(rows, profile=profile) == pytest.approx(own, rel=1e-12)


def test_a_note_is_there_once_though_every_profile_has_it(table):
    coverage, *notes = table.notes
    assert coverage.startswith("coverage: 9 initial times")
    assert f"crps_fair of {NAME}: needs several members; the forecast has 1" in notes
    assert len(set(notes)) == len(notes)


def test_only_the_lead_times_that_are_asked_for(table, table_of):
    some = table_of(leads=[48, 12])
    assert some.rows == [row for row in table.rows if row["lead_time"] in (12.0, 48.0)]
    with pytest.raises(PredictionError, match=r"No lead time of 30 h was scored\. There are: 12, 24, 36, 48 h"):
        table_of(leads=[12, 30])


def test_nothing_is_written_without_a_folder(table_of, tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    before = sorted(folder.iterdir())
    table_of()
    assert list(tmp_path.iterdir()) == []
    assert sorted(folder.iterdir()) == before


def test_a_folder_keeps_the_table_and_where_it_comes_from(table_of, tmp_path):
    table = table_of(out=tmp_path / "table")
    assert table.run_dir == tmp_path / "table"
    kept = json.loads((table.run_dir / TABLE).read_text())
    assert kept == {**table.to_json(), "run_dir": None}
    record = json.loads((table.run_dir / RECORD).read_text())
    assert (record["experiment"], record["modified"], record["notes"]) == ("profiles", True, table.notes)
    written = (table.run_dir / TABLE).stat().st_mtime_ns
    assert table_of(out=tmp_path / "table").rows == table.rows
    assert (table.run_dir / TABLE).stat().st_mtime_ns == written


def test_a_folder_of_another_table_is_replaced_only_when_asked(table_of, tmp_path):
    table_of(out=tmp_path / "table")
    with pytest.raises(RunError, match="holds another run"):
        table_of(leads=[24], out=tmp_path / "table")
    table_of(leads=[24], out=tmp_path / "table", fresh=True)
    kept = json.loads((tmp_path / "table" / TABLE).read_text())
    assert {row["lead_time"] for row in kept["scores"]} == {24.0}


def test_a_task_without_forecasts_has_no_profiles(tmp_path):
    with pytest.raises(CardError, match="'climatebench' is a task of the protocol 'projection'"):
        every_profile("climatebench", tmp_path / "any.nc", data=tmp_path)
