"""Streams feed Lightning: each rank its own samples, and a training that was killed goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning", reason="training needs the extra 'models'")

from pytorch_lightning import Callback

from climbench.data.splits import Split
from climbench.data.statistics import Statistics
from climbench.errors import DataError
from tests.data.streamed import fields, open_lazily, seconds, write
from tests.data.streamed_training import TRAIN, Linear, module, trainer

# Lightning 2.6 makes leaves of trees in a way that torch 2.14 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*is deprecated:FutureWarning")

ROOT = Path(__file__).resolve().parents[2]
TRAINING = 35 * 4 - 1  # windows of two steps in 35 days of four times
HELD_OUT = 200 - 35 * 4 - 1


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "plain.zarr"
    write(path, fields())
    return path


class KilledError(Exception):
    """Stands for the end of a process."""


class KillAfter(Callback):
    """Writes a checkpoint after some batches, and is killed."""

    def __init__(self, batches, checkpoint):
        self.batches, self.checkpoint = batches, checkpoint

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.batches:
            trainer.save_checkpoint(self.checkpoint)
            raise KilledError


def test_two_ranks_see_each_sample_once(store, tmp_path):
    """139 windows in batches of 8 or less for two ranks: 70 and 69, nine batches each; in other batches next epoch."""
    command = [sys.executable, "-m", "tests.data.streamed_training", str(store), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    ranks = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2)]
    times = seconds(open_lazily(store))
    for epoch in range(2):
        of_ranks = [rank["seen"][9 * epoch : 9 * (epoch + 1)] for rank in ranks]
        assert [len(batches) for batches in of_ranks] == [9, 9]
        assert sorted(chain(*chain(*of_ranks))) == times[:TRAINING]
        assert {len(batch) for batches in of_ranks for batch in batches} == {7, 8}
    assert len(ranks[0]["seen"]) == len(ranks[1]["seen"]) == 18
    assert ranks[0]["seen"][:9] != ranks[0]["seen"][9:]
    validated = [rank["validated"] for rank in ranks]
    assert len(validated[0]) == len(validated[1])
    assert sorted(chain(*chain(*validated))) == sorted(times[TRAINING + 1 : TRAINING + 1 + HELD_OUT] * 2)
    assert ranks[0]["scale"] == ranks[1]["scale"]


@pytest.mark.parametrize("killed_after", [5, 18, 25])
def test_a_killed_training_goes_on_in_the_same_order(store, tmp_path, killed_after):
    """18 batches are an epoch: killed within it, at its end, and within the second."""
    settings = {"max_epochs": 3, "enable_checkpointing": False}
    whole, first, second = Linear(), Linear(), Linear()
    trainer(tmp_path, **settings).fit(whole, datamodule=module(store))
    kill = KillAfter(killed_after, tmp_path / "kept.ckpt")
    with pytest.raises(KilledError):
        trainer(tmp_path, **settings, callbacks=[kill]).fit(first, datamodule=module(store))
    trainer(tmp_path, **settings).fit(second, datamodule=module(store), ckpt_path=kill.checkpoint, weights_only=True)
    assert len(whole.seen) == 3 * 18
    assert len(first.seen) == killed_after
    assert first.seen + second.seen == whole.seen
    assert second.scale.item() == whole.scale.item()


def test_held_out_samples_are_given_in_order(store):
    held_out = [batch["time"].tolist() for batch in module(store).val_dataloader()]
    assert list(chain(*held_out)) == seconds(open_lazily(store))[TRAINING + 1 : TRAINING + 1 + HELD_OUT]


def test_a_module_without_validation_trains(store, tmp_path):
    model = Linear()
    without = module(store, validation=None)
    trainer(tmp_path, max_epochs=1, enable_checkpointing=False, limit_val_batches=0).fit(model, datamodule=without)
    assert without.val_dataloader() == []
    assert len(model.seen) == 18
    assert model.validated == []


def test_overlapping_periods_are_refused(store):
    overlapping = Split("x", (("2001-02-04", None),))
    with pytest.raises(DataError, match=r"validation samples .* overlap the training samples"):
        module(store, validation=overlapping)
    with pytest.raises(DataError, match=r"test samples .* overlap the training samples"):
        module(store, test=overlapping)


def test_statistics_of_other_samples_are_refused(store):
    data = open_lazily(store)[["t"]]
    with pytest.raises(DataError, match="not of the training samples"):
        module(store, statistics=Statistics.compute(data, Split("x")))
    normalised = module(store, statistics=Statistics.compute(data, TRAIN))
    batch = next(iter(normalised.train_dataloader()))
    assert abs(float(batch["inputs"].mean())) < 0.5


def test_a_period_that_was_not_given_is_named(store):
    with pytest.raises(DataError, match=r"no test samples; give them as test=Split"):
        module(store).test_dataloader()
