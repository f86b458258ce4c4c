"""What all network emulators have in common, each at a size that trains in a second."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.models.climax import ClimaX
from climbench.models.cnn_lstm import CNNLSTM
from climbench.models.sfno import SFNOProjector
from climbench.models.unet import UNet
from tests.models import small_climates

FAST = {"batch_size": 8, "learning_rate": 0.01, "epochs": 12, "schedule": "cosine"}
STANDARD = {"input_scaling": "standard", "target_scaling": "standard", "area_weighted": True}
EMULATORS = {
    CNNLSTM: {"filters": 4, "units": 8, **STANDARD, **FAST, "epochs": 25},
    UNet: {"widths": [6, 8], "place_maps": 4, **FAST},
    SFNOProjector: {"width": 8, "layers": 2, "scale": 1, **FAST},
    ClimaX: {"patch": 4, "width": 16, "depth": 1, "heads": 2, "dropout": 0.0, "depth_rate": 0.0, **FAST},
}


@pytest.fixture(scope="module", params=EMULATORS, ids=lambda kind: kind.__name__)
def fitted(request):
    emulator = request.param(**EMULATORS[request.param])
    emulator.fit(small_climates.training(), seed=0)
    return emulator


def test_a_linear_climate_is_learned(fitted):
    """Far better than no change at all, on a scenario between those of training."""
    forcing = small_climates.inputs("ssp245")
    truth, prediction = small_climates.climate(forcing), fitted.predict(forcing, seed=0)
    for name in ("tas", "pr"):
        mean_change = truth[name] - small_climates.scenario("historical")[name].mean("time")
        error = np.sqrt(((prediction[name] - truth[name]) ** 2).mean()) / np.sqrt((mean_change**2).mean())
        assert float(error) < 0.2


def test_predictions_are_on_the_grid_and_years_asked_for(fitted):
    forcing = small_climates.inputs("ssp245")
    prediction = fitted.predict(forcing, seed=0)
    for name in ("tas", "pr"):
        assert prediction[name].dims == ("time", "latitude", "longitude")
        assert prediction[name].shape == forcing["SO2"].shape


def test_the_same_seed_gives_the_same_bytes(fitted, tmp_path):
    again = type(fitted)(**EMULATORS[type(fitted)])
    again.fit(small_climates.training(), seed=0)
    for number, emulator in enumerate((fitted, again)):
        emulator.save(tmp_path / str(number))
    assert (tmp_path / "0" / "all.npz").read_bytes() == (tmp_path / "1" / "all.npz").read_bytes()


def test_what_is_saved_is_loaded(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = type(fitted).load(tmp_path)
    forcing = small_climates.inputs("ssp245")
    xr.testing.assert_identical(loaded.predict(forcing, seed=0), fitted.predict(forcing, seed=0))
    assert loaded.parameters == fitted.parameters > 0
