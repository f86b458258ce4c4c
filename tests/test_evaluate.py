"""Scoring predictions made anywhere: the same numbers whatever the format, and notes on what was put right."""

from __future__ import annotations

import json
import shutil

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import climbench
from climbench import evaluate
from climbench.cards import find_model
from climbench.errors import CardError, PredictionError
from tests.answers import SETTINGS, YEARS, answer, changed, of_members
from tests.synthetic import LATITUDE, LONGITUDE, outputs


@pytest.fixture
def scored(synthetic, tmp_path):
    """A function that writes predictions to a file and scores it."""

    def score(data: xr.Dataset, **settings):
        data.to_netcdf(tmp_path / "answer.nc")
        return climbench.score("climatebench", tmp_path / "answer.nc", data=synthetic, set={**SETTINGS, **settings})

    return score


@pytest.fixture
def good(scored):
    """The values of good predictions, in the order of the table."""
    return values(scored(answer()))


def values(result):
    return [row["value"] for row in result.rows]


def close(good):
    return [None if v is None else pytest.approx(v, rel=1e-6) for v in good]


def test_the_score_is_the_one_worked_out_from_the_files(synthetic, scored):
    result = scored(answer())
    target = xr.load_dataset(synthetic / "outputs_ssp245.nc")["pr"].sel(time=YEARS).mean("member") * 86400.0
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(LONGITUDE.size)
    square = (answer()["pr"].mean("time").values - target.mean("time").values) ** 2
    expected = float(np.sqrt((square * weights).sum() / weights.sum()))
    row = next(r for r in result.rows if (r["variable"], r["metric"]) == ("pr", "rmse_spatial"))
    assert row["value"] == pytest.approx(expected, rel=1e-9)
    assert (row["model"], row["units"], row["region"]) == ("answer", "mm/day", "global")
    assert result.notes[0].startswith("nrmse_total")


def test_skill_is_null_and_the_reason_is_given(scored):
    result = scored(answer())
    assert {r["value"] for r in result.rows if r["metric"] == "skill_vs_lps"} == {None}
    assert any("skill_vs_lps: needs training data, which scoring a file does not read" in n for n in result.notes)


def test_only_the_targets_file_is_needed_and_fingerprinted(synthetic, tmp_path, good):
    (tmp_path / "alone").mkdir()
    shutil.copy(synthetic / "outputs_ssp245.nc", tmp_path / "alone")
    alone = climbench.score("climatebench", tmp_path / "answer.nc", data=tmp_path / "alone", set=SETTINGS)
    assert values(alone) == good
    whole = climbench.score("climatebench", tmp_path / "answer.nc", data=synthetic, set=SETTINGS)
    assert alone.data == whole.data
    assert alone.data.kind == "real"


def test_data_with_a_worlds_mark_are_simulated(tmp_path):
    mark = {"world": "mini-esm", "version": "1", "seed": 0, "members": [1, 2, 3]}
    (tmp_path / "data").mkdir()
    marked = outputs("ssp245").assign_attrs(climbench_world=json.dumps(mark))
    marked.to_netcdf(tmp_path / "data" / "outputs_ssp245.nc")
    answer().to_netcdf(tmp_path / "answer.nc")
    result = climbench.score("climatebench", tmp_path / "answer.nc", data=tmp_path / "data", set=SETTINGS)
    assert result.to_json()["data"] | {"fingerprint": ""} == {
        "name": "mini-esm",
        "kind": "simulated",
        "fingerprint": "",
    }
    assert result.data.world == mark


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4"])
def test_every_netcdf_scores_the_same(synthetic, tmp_path, good, form):
    answer().to_netcdf(tmp_path / "other.nc", format=form)
    result = climbench.score("climatebench", tmp_path / "other.nc", data=synthetic, set=SETTINGS)
    assert values(result) == good


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part in the Zarr format 3")
@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize("form", [2, 3])
def test_every_zarr_scores_the_same(synthetic, tmp_path, good, form, consolidated):
    answer().to_zarr(tmp_path / "other.zarr", zarr_format=form, consolidated=consolidated)
    result = climbench.score("climatebench", tmp_path / "other.zarr", data=synthetic, set=SETTINGS)
    assert values(result) == good
    assert result.rows[0]["model"] == "other"


def test_chunks_make_no_difference(synthetic, tmp_path, good):
    answer().chunk(time=4, lon=3).to_zarr(tmp_path / "other.zarr", zarr_format=2)
    assert values(climbench.score("climatebench", tmp_path / "other.zarr", data=synthetic, set=SETTINGS)) == close(good)


def test_single_precision_scores_the_same_to_its_precision(scored, good):
    assert values(scored(answer().astype("float32"))) == [
        None if v is None else pytest.approx(v, rel=1e-4) for v in good
    ]


def test_members_are_averaged(scored, good):
    contract = close(good[:14])
    assert values(scored(of_members(3)))[:14] == contract
    assert values(scored(of_members(3).rename(member="realization")))[:14] == contract


@pytest.mark.parametrize("order", [("lon", "lat", "time"), ("lat", "time", "lon")])
def test_the_order_of_dimensions_makes_no_difference(scored, good, order):
    assert values(scored(answer().transpose(*order))) == good


def test_names_of_dimensions_make_no_difference(scored, good):
    assert values(scored(answer().rename(lat="latitude", lon="longitude", time="year"))) == good


def test_latitude_from_north_to_south_is_turned_with_a_note(scored, good):
    result = scored(answer().isel(lat=slice(None, None, -1)))
    assert values(result) == good
    assert any("latitude was not ascending" in note for note in result.notes)
    assert not any("WARNING" in note for note in result.notes)


def test_values_that_stand_upside_down_under_their_labels_are_warned_of(scored, good):
    turned = answer()["tas"].copy(data=answer()["tas"].values[:, ::-1])
    result = scored(changed(tas=turned))
    warnings = [note for note in result.notes if note.startswith("WARNING")]
    assert len(warnings) == 1
    assert "tas resembles the target more when turned upside down" in warnings[0]
    assert result.rows[3]["value"] > 10 * good[3]


def test_a_map_without_a_pattern_is_scored_without_a_warning(scored):
    result = scored(changed(tas=xr.full_like(answer()["tas"], 2.0)))
    assert not any("WARNING" in note for note in result.notes)


def test_longitudes_from_west_to_east_are_turned_with_a_note(scored, good):
    west = answer().assign_coords(lon=(answer()["lon"] + 180.0) % 360.0 - 180.0).sortby("lon")
    result = scored(west)
    assert values(result) == close(good)
    assert any("longitude was put in [0, 360)" in note for note in result.notes)


def test_further_years_are_ignored_and_named(scored, good):
    longer = xr.concat(
        [answer().assign_coords(time=YEARS - 21), answer(), answer().assign_coords(time=YEARS + 21)], "time"
    )
    result = scored(longer)
    assert values(result) == close(good)
    assert result.notes[0] == "years outside the test period are ignored: 2059, 2060, ... 2121 (42)"


def test_a_range_of_years_is_inclusive(scored):
    result = scored(answer(), **{"test.years": [2090, 2099]})
    assert result.modified
    assert result.notes[0].endswith("ignored: 2080, 2081, ... 2100 (11)")


def test_further_variables_are_ignored_and_named(scored, good):
    result = scored(answer().assign(cloud=answer()["tas"], height=2.0))
    assert values(result) == good
    assert "variables that the task does not score are ignored: cloud, height" in result.notes


@pytest.mark.parametrize(
    "dates",
    [
        pd.to_datetime([f"{year}-07-01" for year in YEARS]),
        [cftime.DatetimeNoLeap(year, 7, 1) for year in YEARS],
        [cftime.Datetime360Day(year, 12, 30) for year in YEARS],
    ],
    ids=["standard", "noleap", "360_day"],
)
def test_one_date_a_year_is_read_as_the_year(scored, good, dates):
    result = scored(answer().assign_coords(time=dates))
    assert values(result) == good
    assert any("read as the years 2080..2100" in note for note in result.notes)


@pytest.mark.parametrize("units", ["kg m-2 s-1", "kg/m^2/s", "mm s-1"])
def test_units_that_can_be_are_converted(scored, good, units):
    flux = (answer()["pr"] / 86400.0).assign_attrs(units=units)
    assert values(scored(answer().assign(pr=flux))) == close(good)


def test_a_difference_in_degrees_celsius_is_one_in_kelvin(scored, good):
    assert values(scored(answer().assign(tas=answer()["tas"].assign_attrs(units="degC")))) == good


def test_missing_units_are_taken_for_the_tasks_with_a_note(scored, good):
    result = scored(answer().drop_attrs())
    assert values(result) == good
    assert [n for n in result.notes if "states no units" in n] == [
        "tas states no units; taken as K",
        "pr states no units; taken as mm/day",
    ]


def test_masked_cells_are_left_out_and_counted(synthetic, scored):
    gap = (answer()["lat"] == LATITUDE[4]) & (answer()["lon"] == LONGITUDE[2]) & (answer()["time"] == 2085)
    gap |= (answer()["lat"] == LATITUDE[0]) & (answer()["lon"] < 90.0)
    result = scored(changed(tas=answer()["tas"].where(~gap)), nan="mask")
    target = xr.load_dataset(synthetic / "outputs_ssp245.nc")["tas"].sel(time=YEARS).mean(("member", "time")).values
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(LONGITUDE.size)
    weights[4, 2] = weights[0, 0] = weights[0, 1] = 0.0
    square = (answer()["tas"].mean("time").values - target) ** 2
    assert result.rows[3]["metric"] == "rmse_spatial"
    assert result.rows[3]["value"] == pytest.approx(float(np.sqrt((square * weights).sum() / weights.sum())), rel=1e-9)
    assert any("tas: 3 cells with missing values left out" in note for note in result.notes)
    assert not any(note.startswith("pr: ") for note in result.notes)


def test_nothing_is_written_without_a_folder(synthetic, tmp_path, scored, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = scored(answer())
    assert [p.name for p in tmp_path.iterdir()] == ["answer.nc"]
    assert result.run_dir is None
    assert len(result.predictions) == 0


def test_a_record_is_written_to_a_folder_that_is_named(synthetic, tmp_path, without_report):
    of_members(2).to_netcdf(tmp_path / "answer.nc")
    options = {"data": synthetic, "set": SETTINGS, "out": tmp_path / "record"}
    result = climbench.score("climatebench", tmp_path / "answer.nc", **options)
    record = json.loads((tmp_path / "record" / "provenance.json").read_text())
    assert record["scored_file"]["file"] == "answer.nc"
    assert record["notes"] == result.notes
    np.testing.assert_allclose(result.predictions["answer"]["tas"], answer()["tas"], rtol=1e-12)
    again = climbench.score("climatebench", tmp_path / "answer.nc", **options)
    assert again.to_json() == result.to_json()


def test_what_a_run_keeps_can_be_scored_again(synthetic, tmp_path, without_report):
    settings = {**SETTINGS, "train": ["ssp126", "ssp585"]}
    kept = climbench.run(
        "climatebench", ["lps", "no-change"], data=synthetic, set=settings, out=tmp_path / "run", seed=0
    )
    for model in ("lps", "no-change"):
        store = tmp_path / "run" / "predictions" / f"{model}.zarr"
        again = climbench.score("climatebench", store, data=synthetic, set=settings)
        expected = [r["value"] for r in kept.rows if r["model"] == model and r["metric"] != "skill_vs_lps"]
        assert [r["value"] for r in again.rows if r["metric"] != "skill_vs_lps"] == close(expected)


def test_a_refusal_lists_the_problems(synthetic, tmp_path):
    answer().drop_vars("pr").to_netcdf(tmp_path / "answer.nc")
    with pytest.raises(PredictionError, match=r"answer\.nc cannot be scored:\n  variable 'pr' is missing"):
        climbench.score("climatebench", tmp_path / "answer.nc", data=synthetic, set=SETTINGS)


def test_task_and_data_can_be_opened_from_python(synthetic):
    task = climbench.load_task("climatebench", synthetic, set=SETTINGS)
    assert dict(task.target().sizes) == {"member": 3, "time": 21, "latitude": 6, "longitude": 8}
    data = climbench.open_dataset("climatebench", "ssp370", data=synthetic)
    np.testing.assert_array_equal(data["tas"], outputs("ssp370")["tas"])
    forcings = climbench.open_dataset("climatebench", "ssp370", part="inputs", data=synthetic)
    assert set(forcings) == {"CO2", "CH4", "SO2", "BC"}


def test_a_card_that_is_no_tasks_is_refused():
    with pytest.raises(CardError, match=r"lps\.yaml is no task card"):
        evaluate.task_card(find_model("lps", "projection").path, {})
