"""Global means that do not change in training do not change in a forecast."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from climbench.models.forecasting.sampled_changes import AreaMean, reduced_changes
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.forecasting.steady_means import SteadyMeans, steady_means
from tests.models.forecast_states import leads, series_of, states
from tests.models.forecasting.moving_wave import LATITUDE, LONGITUDE, SETTINGS, world


def warming(rate):
    """The waves, and a global mean that rises by a share of what a cell usually changes in a step."""
    data = world()
    usual = float(np.diff(data["psl"].values, axis=0).std())
    rising = data["psl"].values + rate * usual * np.arange(data.sizes["time"])[:, None, None]
    return series_of(rising, step="6h", latitude=LATITUDE, longitude=LONGITUDE)


def test_a_mean_that_rises_is_told_from_one_that_stays():
    for rate, found in ((0.0, ["psl"]), (0.05, [])):
        train = {"train": warming(rate)}
        channels, _ = StateChannels.of(train)
        (means,) = reduced_changes(train, channels, [AreaMean(train["train"]["latitude"])])
        assert steady_means(means, channels) == found


def test_the_mean_of_an_answer_is_taken_out_where_it_stays():
    """On rows at 45 degrees the belts are alike: the mean of 1 and 3 is 2; the other channel is left."""
    answer = torch.tensor([1.0, 3.0])[None, None, :, None].expand(1, 2, 2, 4)
    latitude = xr.DataArray([-45.0, 45.0], dims="latitude")
    found = SteadyMeans(torch.nn.Identity(), latitude, [True, False])(answer)
    torch.testing.assert_close(found[0, :, :, 0], torch.tensor([[-1.0, 1.0], [1.0, 3.0]]))


def test_a_roll_out_keeps_the_mean_it_began_with(tmp_path):
    """Without it, the mean has wandered by a hundredth of the waves after 40 steps of a hardly trained operator."""
    forecaster = SFNO(width=8, layers=2, **{**SETTINGS, "epochs": 1})
    forecaster.fit({"train": world()}, seed=0)
    assert forecaster.chosen["steady_means"] == ["psl"]
    forecaster.save(tmp_path)
    given = states(world(), [100])
    weights = np.cos(np.deg2rad(LATITUDE))[:, None]
    weights = weights / weights.mean()
    wandered = {}
    for name, made in (("kept", SFNO.load(tmp_path)), ("free", SFNO.load(tmp_path))):
        if name == "free":
            made.stepper.network = made.stepper.network.network
        ahead = made.predict(given, leads=leads(40, step="6h"), seed=0)["psl"].values[0, 0].astype("float64")
        wandered[name] = abs((weights * (ahead - given["psl"].values[0, 0])).mean())
    assert wandered["kept"] < 1.0 < wandered["free"]
