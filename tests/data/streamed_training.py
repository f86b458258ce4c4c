"""A tiny training on a stream, run by a test in processes of its own: what each rank saw is written to files.

Called as: python -m tests.data.streamed_training STORE FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from pytorch_lightning import LightningModule, Trainer

from climbench.data.splits import Split
from climbench.data.streaming import Part
from climbench.data.streaming.datamodule import StreamDataModule
from tests.data.streamed import open_lazily

TRAIN, VALIDATION = Split("x", ((None, "2001-02-04"),)), Split("x", (("2001-02-05", None),))


class Linear(LightningModule):
    """Scales the input; remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.seen, self.validated = [], []

    def training_step(self, batch, _):
        self.seen.append(batch["time"].tolist())
        return ((self.scale * batch["inputs"] - batch["targets"]) ** 2).mean()

    def validation_step(self, batch, _):
        self.validated.append(batch["time"].tolist())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def module(store, **kw):
    parts = {"inputs": Part(["t"], (0,)), "targets": Part(["t"], (1,))}
    settings = {"batch_size": 8, "memory": 20_000, "train": TRAIN, "validation": VALIDATION, **kw}
    return StreamDataModule(open_lazily(store), parts, **settings)


def trainer(folder, **kw):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return Trainer(default_root_dir=folder, num_sanity_val_steps=0, **{**quiet, **kw})


if __name__ == "__main__":
    store, folder = Path(sys.argv[1]), Path(sys.argv[2])
    model = Linear()
    runner = trainer(folder, strategy="ddp", devices=2, max_epochs=2, enable_checkpointing=False)
    runner.fit(model, datamodule=module(store))
    content = {"seen": model.seen, "validated": model.validated, "scale": model.scale.item()}
    (folder / f"rank{runner.global_rank}.json").write_text(json.dumps(content))
    assert "LOCAL_RANK" in os.environ or runner.global_rank == 0
