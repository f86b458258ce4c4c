import pytest

from climbench.cards import find_dataset, validate
from climbench.tasks.forecast import pieces, stores
from climbench.tasks.forecast.scoring import Forecasts
from climbench.tasks.forecast.stores import Places
from tests.tasks.forecast import made_stores

CONTENT = {
    "name": "small-weather",
    "title": "A small forecast task",
    "version": "1.0",
    "protocol": "forecast",
    "dataset": "weatherbench2-era5",
    "grids": ["8x7"],
    "targets": ["2m_temperature", "mean_sea_level_pressure"],
    "train": ["1979-01-01", "2017-12-31"],
    "test": {"period": ["2020-02-20", "2020-02-24"], "hours": [0, 12]},
    "leads": {"first": 12, "last": 48, "step": 12},
    "baselines": ["persistence"],
    "skill_against": "climatology",
}


@pytest.fixture
def card():
    """A function that gives the small task's card with some keys changed."""
    return lambda **changes: validate("task", {**CONTENT, **changes}, "the small task")


@pytest.fixture
def folder(tmp_path):
    """A folder with a forecast, its truth and a climatology."""
    made_stores.written(tmp_path / "truth.zarr", made_stores.made_truth())
    made_stores.written(tmp_path / "forecast.zarr", made_stores.made_forecast())
    made_stores.written(tmp_path / "climatology.zarr", made_stores.made_climatology())
    return tmp_path


@pytest.fixture
def scores_of(card):
    """A function that scores a forecast, and gives values by (variable, metric, region, lead)."""

    def opened(folder, forecast="forecast.zarr", *, truth="truth.zarr", **changes):
        stores.forget()
        pieces.forget()
        climatology = changes.pop("use_climatology", "climatology.zarr")
        places = Places(
            str(folder / forecast),
            str(folder / truth),
            None if climatology is None else str(folder / climatology),
            "weatherbench2-era5",
        )
        return Forecasts.open(card(**changes), find_dataset("weatherbench2-era5"), places)

    def scored(*stores, profile=None, threads=None, client=None, **changes):
        found = opened(*stores, **changes).score(profile, threads=threads, client=client)
        table = {(r["variable"], r["metric"], r["region"], r["lead_time"]): r["value"] for r in found.rows}
        return table, found

    scored.opened = opened
    return scored
