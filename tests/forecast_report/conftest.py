import pytest

from climbench.cards import find_dataset, validate
from climbench.evaluate.forecasts import ForecastTask, ScoredForecast
from climbench.records import Data
from climbench.tasks.forecast import pieces, stores
from climbench.tasks.forecast.intervals import with_intervals
from climbench.tasks.forecast.profiles import PROFILES
from climbench.tasks.forecast.scoring import Forecasts
from tests.tasks.forecast import made_stores as made
from tests.tasks.forecast.conftest import CONTENT

TEMPERATURE, PRESSURE = "2m_temperature", "mean_sea_level_pressure"
METRICS = [
    *("rmse", "bias", "acc", "crps_fair", "rank_histogram_deviation", "effective_resolution"),
    "calibration_error_above_280",
]


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def scores_by(folder):
    """A function that scores models under a card with some keys changed."""

    def scored(*models, **changes):
        stores.forget()
        pieces.forget()
        test = {"period": ["2020-02-20", "2020-03-10"], "hours": [0, 12]}
        regions = ["global", "tropics"]
        content = {**CONTENT, "metrics": METRICS, "test": test, "regions": regions, **changes}
        card = validate("task", content, "a small task")
        dataset = find_dataset("weatherbench2-era5")
        data = Data("made-up", "simulated", "0", {"world": "made-up"})
        task = ForecastTask(card, False, dataset, str(folder / "truth.zarr"), str(folder / "clim.zarr"), data)
        found = {}
        for model in models:
            place = folder / f"{model}.zarr"
            opened = Forecasts.open(card, dataset, task.places(place))
            found[model] = ScoredForecast(task, opened.score(), model, str(place))
        return found

    return scored


@pytest.fixture(scope="session")
def scored(scores_by):
    return scores_by("good", "climatology")


@pytest.fixture(scope="session")
def rows(scored):
    return [
        row
        for part in scored.values()
        for row in with_intervals(part.rows, part.scores.statistics, PROFILES["standard"], part.scores.members)
    ]
