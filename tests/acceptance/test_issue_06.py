"""What issue 6 asks to be shown: training on streamed stores, two ranks that are as one, wrong input refused."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

pytest.importorskip("pytorch_lightning", reason="training needs the extra 'models'")

from climbench.cards import find_model
from climbench.errors import ModelError
from climbench.evaluate.forecasts import open_forecast_task
from climbench.models.forecasting.sfno import SFNO
from climbench.models.forecasting.unet import UNet
from climbench.models.lps_lightning import LPSLightning
from climbench.models.pattern_scaling import LinearPatternScaling
from climbench.progress import Progress
from climbench.tasks.forecast.task import training
from tests.data import pangeo_store
from tests.data.era5_store import CHUNK, bytes_below, chunk_reads, days, era5_like, served, write_era5
from tests.models.forecast_states import leads, states
from tests.models.forecasting.moving_wave import SETTINGS as SMALL
from tests.models.forecasting.moving_wave import world
from tests.models.forecasting.test_network_forecaster import Pointwise
from tests.stories.command import CLIMBENCH, call

ROOT = Path(__file__).resolve().parents[2]

TRAIN = ("2017-01-01", "2017-12-26")  # 360 days
SETTINGS = {
    "train": list(TRAIN),
    "validation": ["2017-12-27", "2018-02-13"],
    "test.period": ["2018-02-14", "2018-02-20"],
    "test.hours": [0],
    "targets": ["geopotential_500", "wind_vector_850", "2m_temperature"],
    "leads": {"first": 24, "last": 72, "step": 24},
}


def options(settings):
    """Return settings as the command takes them."""
    return [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]


def folders(tmp_path):
    """Return an environment in which everything that is written lies below one folder."""
    names = {"CLIMBENCH_CACHE": "cache", "CLIMBENCH_DATA": "data", "TMPDIR": "temporary", "HOME": "home"}
    written = tmp_path / "written"
    for name in names.values():
        (written / name).mkdir(parents=True)
    return written, {**os.environ, **{key: str(written / name) for key, name in names.items()}}


def run(model, data, written, environment):
    """Run a forecaster by the command, on these few years."""
    command = ("run", "--task", "weatherbench", "--model", model, "--preset", "demo", "--data", data)
    where = ("--out", written / "run", "--json")
    return call(CLIMBENCH, *command, *options(SETTINGS), *where, cwd=written, env=environment)


def changed_sfno(folder, **settings):
    """Write the card of sfno with other settings of its demo preset, and return its path."""
    content = yaml.safe_load(find_model("sfno", "forecast").path.read_text())
    content["presets"]["demo"] |= settings
    (folder / "sfno.yaml").write_text(yaml.safe_dump(content))
    return folder / "sfno.yaml"


def refusal(done):
    """Return what a command that was refused said, on one line."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def era5(tmp_path_factory):
    """A simulated store of 17 MB in the layout of ERA5 at WeatherBench, on a server on this machine."""
    folder = tmp_path_factory.mktemp("served")
    write_era5(folder, era5_like(days("2017-01-01", "2018-02-28")))
    with served(folder) as held:
        yield held


@pytest.mark.parametrize("memory", [None, 2_000_000], ids=["held in memory", "less memory than data"])
def test_sfno_learns_from_a_store_on_a_server_with_no_copy_on_disk(era5, tmp_path, memory):
    """Each chunk of the training years is asked for once for its statistics, and then once, or once an epoch.

    What is streamed is asked for once more where it is looked at what steps change: at most 17 stretches of two chunks.
    """
    written, environment = folders(tmp_path)
    card = find_model("sfno", "forecast")
    model = "sfno" if memory is None else changed_sfno(tmp_path, memory=memory)
    era5.requests.clear()
    done = run(model, f"{era5.url}/era5.zarr", written, environment)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED DATA" in done.stderr
    rows = json.loads(done.stdout)["scores"]
    errors = {
        row["lead_time"]: row["value"]
        for row in rows
        if (row["variable"], row["metric"], row["region"]) == ("geopotential_500", "rmse", "global")
    }
    print(f"\nsfno, geopotential at 500 hPa: {errors}; {bytes_below(written)} bytes written")
    assert set(errors) == {24.0, 48.0, 72.0}
    assert errors[24.0] < 300.0  # persistence: 2 sin(0.3) of a wave whose root mean square is 770
    assert (written / "run" / "report.html").is_file()
    demo = card.presets["demo"]
    of_epochs = 1 if memory is None else demo["epochs"] + demo["rollout_epochs"]  # both stages read all
    training = len(days(*TRAIN)) // CHUNK
    reads = chunk_reads(era5, "2m_temperature")
    asked = [reads[number] for number in range(training)]
    again = sum(asked) - (1 + of_epochs) * training
    print(f"each of {training} chunks was asked for {1 + of_epochs} times, and {again} again")
    assert min(asked) >= 1 + of_epochs
    assert again == 0 if memory is None else 0 < again <= 34
    assert bytes_below(written) < 0.5 * bytes_below(era5.folder)
    assert not [path for path in written.rglob("*") if path.name.startswith("era5")]
    fitted = written / "run" / "fitted" / "sfno"
    with pytest.raises(ModelError, match="holds a 'SFNO', and a 'UNet' was asked for"):
        UNet.load(fitted)
    given = states(world(), [9])
    with pytest.raises(ModelError, match=r"trained on 16 of latitude, .* and was given 8"):
        SFNO.load(fitted).predict(given, leads=leads(1), seed=0)
    given = era5_like(days("2018-03-01", "2018-03-02"))[["2m_temperature"]].sortby("latitude")
    given = states(given.transpose("time", "latitude", "longitude"), [1])
    with pytest.raises(ModelError, match="no 'geopotential', which the network was trained on"):
        SFNO.load(fitted).predict(given, leads=leads(1), seed=0)


def test_pattern_scaling_learns_from_a_catalogue_on_a_server_what_the_closed_form_does(tmp_path):
    """CMIP6 as Pangeo has it, monthly and absolute, with ClimateBench's forcings."""
    with served(tmp_path) as held:
        pangeo_store.write(tmp_path, held.url)
        train = pangeo_store.scenarios_at(held.url).scenarios(
            ["historical", "ssp126", "ssp585"], ["tas", "pr"], ["CO2"]
        )
        trained, closed = LPSLightning(batch_size=16, memory=300_000), LinearPatternScaling()
        trained.fit(train, seed=0)
        closed.fit({name: data.mean("member").compute() for name, data in train.items()}, seed=0)
    assert trained.global_fit == pytest.approx(closed.global_fit, rel=1e-4)
    apart = {}
    for name in ("tas", "pr"):
        size = abs(closed.patterns[f"{name}_slope"])
        for part in ("slope", "intercept"):
            difference = abs(trained.patterns[f"{name}_{part}"] - closed.patterns[f"{name}_{part}"])
            apart[f"{name} {part}"] = float((difference / size).max())
    print(f"\nlps-lightning against lps, relative to the slope: {apart}")
    assert max(apart.values()) < 1e-4


# Ranks


def test_two_ranks_are_as_one_by_the_command(era5, tmp_path):
    """Both read from the server; the weights that are kept are those of one rank but for round-off."""
    kept = {}
    for ranks in (1, 2):
        folder = tmp_path / str(ranks)
        folder.mkdir()
        written, environment = folders(folder)
        model = changed_sfno(folder, ranks=ranks, width=8, layers=2, epochs=2, memory=2_000_000, learning_rate=0.004)
        done = run(model, f"{era5.url}/era5.zarr", written, environment)
        assert done.returncode == 0, done.stderr
        with np.load(written / "run" / "fitted" / "sfno" / "network.npz", allow_pickle=False) as arrays:
            kept[ranks] = {name: arrays[name] for name in arrays.files}
    # What the last bias adds to a mean that stays is taken out: round-off alone moves it.
    apart = {n: float(abs(kept[2][n] - w).max()) for n, w in kept[1].items() if not n.endswith("decoder.0.bias")}
    print(f"\ntwo ranks against one: weights are apart by {max(apart.values()):.2g} at most")
    assert max(apart.values()) < 1e-4


def test_a_script_without_a_main_guard_trains_on_two_ranks_and_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from climbench.models.forecasting.sfno import SFNO\n"
        "from tests.models.forecasting.moving_wave import SETTINGS, world\n"
        "print('begun')\n"
        "forecaster = SFNO(**{**SETTINGS, 'epochs': 1}, width=4, layers=1, ranks=2)\n"
        "forecaster.fit({'train': world(60)}, seed=0)\n"
        "print('done', forecaster.parameters > 0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = call(sys.executable, script, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout.split()) == (0, ["begun", "done", "True"]), done.stderr


def test_an_interrupted_training_on_two_ranks_ends_and_can_go_on(tmp_path):
    class Interrupting(Progress):
        def step(self, what, done, total):
            if done == 5:
                raise KeyboardInterrupt

    settings = {**SMALL, "epochs": 1, "checkpoint_seconds": 0.0, "width": 4}
    part, rest, whole = (Pointwise(**settings, ranks=2) for _ in range(3))
    part.checkpoints = rest.checkpoints = tmp_path
    part.progress = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        part.fit({"train": world(100)}, seed=0)
    for forecaster in (rest, whole):
        forecaster.fit({"train": world(100)}, seed=0)
    for name, weights in whole.stepper.state_dict().items():
        torch.testing.assert_close(rest.stepper.state_dict()[name], weights)


# Wrong input


def test_a_grid_the_network_cannot_take_is_refused_before_anything_is_read(tmp_path):
    written, environment = folders(tmp_path)
    write_era5(tmp_path, era5_like(days("2017-01-01", "2018-02-28")).isel(latitude=slice(2, 9)))
    with served(tmp_path) as held:
        said = refusal(run("sfno", f"{held.url}/era5.zarr", written, environment))
        assert chunk_reads(held, "2m_temperature") == {}
    assert "made for the whole globe" in said
    assert "7 x 32" in said


def test_missing_values_on_a_server_are_named_before_the_first_step(tmp_path):
    written, environment = folders(tmp_path)
    data = era5_like(days("2017-01-01", "2018-02-28"))
    data["2m_temperature"][59, 3, 5] = float("nan")
    write_era5(tmp_path, data)
    with served(tmp_path) as held:
        model = changed_sfno(tmp_path, memory=2_000_000)
        said = refusal(run(model, f"{held.url}/era5.zarr", written, environment))
        assert set(chunk_reads(held, "2m_temperature").values()) <= {1, 2}  # for statistics, and to find it
    assert "2m_temperature has 1 values that are not finite at 2017-03-01" in said


def test_a_loss_that_is_no_number_stops_with_its_step_and_the_last_good_state_serves(era5, tmp_path):
    """At a lower rate training goes on from the folder that the command named."""
    written, environment = folders(tmp_path)
    model = changed_sfno(tmp_path, learning_rate=1.0e30, gradient_clip=None, checkpoint_seconds=0.0)
    said = refusal(run(model, f"{era5.url}/era5.zarr", written, environment))
    found = re.search(r"diverged in update (\d+) .* is kept in (\S+): training goes on", said)
    assert found is not None, said
    kept = written / found[2]
    assert kept.is_dir()
    card = find_model("sfno", "forecast")
    arguments = {**card.init_args, **card.presets["demo"], "learning_rate": 0.004}
    forecaster = SFNO(**arguments)
    forecaster.checkpoints = kept.parent
    opened = open_forecast_task("weatherbench", f"{era5.url}/era5.zarr", SETTINGS)
    forecaster.fit(*training(opened.card, opened.open_truth()), seed=0)
    assert min(forecaster.chosen["validation_loss"][0]) < 0.5  # persistence has 1
