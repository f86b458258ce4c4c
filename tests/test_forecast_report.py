"""The report of forecasts: what its figures and tables hold, read back from them."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from climbench import forecast_plots as plots
from climbench.cards import find_dataset, validate
from climbench.data.stores import open_store
from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
from climbench.forecast_report import figures, headline_hours, scorecards, table_lines, write_forecast_report
from climbench.plots import is_globe
from climbench.records import Data, score_table
from climbench.tasks.forecast import pieces, stores
from climbench.tasks.forecast.error_maps import error_maps
from climbench.tasks.forecast.scoring import Forecasts
from tests.tasks.forecast import made_stores as made
from tests.tasks.forecast.conftest import CONTENT

NAME = "2m_temperature"
METRICS = ["rmse", "bias", "acc", "crps_fair", "rank_histogram_deviation"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A truth, a good forecast and a bad one, of thirty initial times."""
    path = tmp_path_factory.mktemp("report")
    truth = made.made_truth(periods=40)
    forecast = made.made_forecast(inits=30, members=3)
    valid = (forecast["time"] + forecast["prediction_timedelta"]).rename(time="init")
    known = truth.sel(time=valid.assign_coords(init=forecast["time"].values)).drop_vars("time").rename(init="time")
    good = 0.5 * forecast + 0.5 * known
    dims = ("time", "prediction_timedelta", "number", "latitude", "longitude")
    made.written(path / "truth.zarr", truth)
    made.written(path / "good.zarr", good.transpose(*dims).astype("float32"))
    made.written(path / "climatology.zarr", forecast)
    made.written(path / "clim.zarr", made.made_climatology())
    return path


@pytest.fixture(scope="module")
def scored(folder):
    stores.forget()
    pieces.forget()
    test = {"period": ["2020-02-20", "2020-03-10"], "hours": [0, 12]}
    card = validate("task", {**CONTENT, "metrics": METRICS, "test": test}, "a small task")
    dataset = find_dataset("weatherbench2-era5")
    data = Data("made-up", "simulated", "0", {"world": "made-up"})
    task = ForecastTask(card, False, dataset, str(folder / "truth.zarr"), str(folder / "clim.zarr"), data)
    found = {}
    for model in ("good", "climatology"):
        place = folder / f"{model}.zarr"
        opened = Forecasts.open(card, dataset, task.places(place))
        found[model] = ScoredForecast(task, opened.score(), model, str(place))
    return found


@pytest.fixture(scope="module")
def rows(scored):
    return [row for part in scored.values() for row in part.rows]


def test_curves_show_the_scores_against_days(scored, rows):
    table = score_table(rows)
    figure = plots.lead_time_curves(table, {NAME: ["rmse"]}, origin="a task")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert set(lines) == {"good", "climatology"}
    chosen = table[(table["model"] == "good") & (table["metric"] == "rmse") & (table["variable"] == NAME)]
    np.testing.assert_allclose(lines["good"].get_xdata(), [0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(lines["good"].get_ydata(), chosen["value"])
    assert "[K]" in figure.axes[0].get_title(loc="left")


def test_the_scorecard_marks_what_is_certain(scored):
    (card,) = scorecards(scored)
    assert (card.model, card.against) == ("good", "climatology")
    assert list(card.rows) == [f"{NAME}  crps_fair", "mean_sea_level_pressure  crps_fair"]
    assert (card.relative < -0.3).all()  # half the error
    assert card.significant.all()
    figure = plots.scorecard([card])
    points = figure.axes[0].collections[0].get_offsets()
    assert len(points) == card.relative.size
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), card.relative)


def test_a_model_against_itself_is_a_tie(scored):
    same = {"good": scored["climatology"], "climatology": scored["climatology"]}
    (card,) = scorecards(same)
    np.testing.assert_allclose(card.relative, 0.0, atol=1e-12)
    assert not card.significant.any()


def test_no_scorecard_without_the_reference(scored):
    assert scorecards({"good": scored["good"]}) == []


def test_maps_of_errors_are_those_of_plain_sums(scored, folder):
    part = scored["good"]
    opened = Forecasts.open(part.task.card, part.task.dataset, part.task.places(part.forecast))
    maps = error_maps(opened, opened.matched.targets[0], [24.0])
    forecast = open_store(folder / "good.zarr")[NAME].isel(prediction_timedelta=1).mean("number")
    truth = open_store(folder / "truth.zarr")[NAME]
    errors = []
    for time in forecast["time"].values:
        errors.append(forecast.sel(time=time).values - truth.sel(time=time + np.timedelta64(24, "h")).values)
    np.testing.assert_allclose(maps["bias"].isel(lead_time=0), np.mean(errors, axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(maps["rmse"].isel(lead_time=0), np.sqrt(np.mean(np.square(errors), axis=0)), rtol=1e-4)
    assert maps.attrs["inits"] == 30
    fewer = error_maps(opened, opened.matched.targets[0], [24.0], most_values=56 * 3 * 10)
    assert fewer.attrs["inits"] == 10


def test_spectra_are_drawn_with_the_truth_from_degree_one():
    degrees = np.arange(11)
    power = xr.DataArray(np.ones((2, 11)) / (1.0 + degrees), {"lead_time": [24.0, 72.0]}, ("lead_time", "degree"))
    figure = plots.spectra({"mine": 0.5 * power}, power, [24.0, 72.0], title="z")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert lines["truth"].get_xdata()[0] == 1
    np.testing.assert_allclose(lines["mine"].get_ydata(), 0.5 / (1.0 + degrees[1:]))


def test_a_region_does_not_look_like_a_globe():
    region = xr.Dataset(coords={"latitude": np.arange(30.0, 71.0, 10.0), "longitude": [0.0, 10.0, 340.0, 350.0]})
    field = xr.DataArray(np.arange(20.0).reshape(5, 4), coords=region.coords, dims=("latitude", "longitude"))
    assert not is_globe(field)
    maps = xr.Dataset({"rmse": field.expand_dims(lead_time=[24.0])})
    figure = plots.error_map_rows(maps, title="t", units="Pa", variable="psl", lines=None)
    left, right, south, north = figure.axes[0].images[0].get_extent()
    assert (left, right) == (-25.0, 15.0)  # across Greenwich in one piece
    assert (south, north) == (25.0, 75.0)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array()[0], [2.0, 3.0, 0.0, 1.0])
    globe = xr.DataArray(
        np.zeros((32, 64)),
        coords={"latitude": np.linspace(-87.2, 87.2, 32), "longitude": np.arange(64) * 5.625},
        dims=("latitude", "longitude"),
    )
    assert is_globe(globe)


def test_headline_lead_times():
    assert headline_hours([6.0, 24.0, 48.0, 72.0]) == [24.0, 72.0]
    assert headline_hours([6.0, 12.0, 18.0]) == [6.0, 12.0, 18.0]
    assert headline_hours([float(n) for n in range(1, 12)]) == [1.0, 3.0, 6.0, 9.0, 11.0]


def test_the_table_puts_models_side_by_side(rows):
    heads, groups = table_lines(rows, "global")
    assert heads == ["0.5 d", "1 d", "1.5 d", "2 d"]
    assert [group["variable"] for group in groups] == [NAME, "mean_sea_level_pressure"]
    assert [(line["metric"], line["model"]) for line in groups[0]["lines"]][:2] == [
        ("rmse", "good"),
        ("rmse", "climatology"),
    ]


def test_the_page_says_what_it_must(scored, rows, tmp_path):
    task = scored["good"].task
    record = {
        "notes": [*scored["good"].notes, "a <script>note</script>"],
        "modified": True,
        "costs": {"good": {"parameters": 1234, "fit_seconds": 0.5, "predict_seconds": None, "peak_memory_mb": 99.0}},
        "task_hash": "abc",
        "command": "climbench run",
        "seed": 3,
        "versions": {"numpy": "2"},
        "hardware": {"cores": 2},
    }
    write_forecast_report(tmp_path, task, scored, rows, record)
    page = (tmp_path / "report.html").read_text()
    assert "Simulated data." in page
    assert "Modified." in page
    assert "coverage: 30 initial times" in page
    assert "&lt;script&gt;note" in page
    assert "<script" not in page
    assert "1,234" in page
    assert not re.search(r'(src|href)="(?!data:)', page)  # nothing is loaded from anywhere
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"lead-times.png", "scorecard.png", f"ranks-{NAME}.png", f"maps-good-{NAME}.png"} <= names
    assert page.count("data:image/png;base64,") == len(names) == len(figures(scored, rows))
