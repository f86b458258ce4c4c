"""Opens a projection task on a folder of small files, and spoils such files, for the tests of this folder."""

from __future__ import annotations

import xarray as xr

from climbench.cards import find_dataset, find_task, with_settings
from climbench.data.readers.climatebench import ClimateBenchReader
from climbench.tasks.projection import ProjectionTask

SETTINGS = {"train": ["ssp126", "historical"]}


def task_on(folder, **settings):
    """Return ClimateBench's task on a folder, trained on two scenarios."""
    card = with_settings(find_task("climatebench"), {**SETTINGS, **settings})
    dataset = find_dataset("climatebench")
    return ProjectionTask(card, ClimateBenchReader(folder, dataset), dataset)


def rewrite(path, edit):
    """Write a file anew, as a function of its content makes it."""
    content = edit(xr.load_dataset(path))
    path.unlink()
    content.to_netcdf(path)
