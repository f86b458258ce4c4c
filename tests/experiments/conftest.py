"""An ensemble of six members in ClimateBench's layout, and a task on it."""

from __future__ import annotations

import pytest

from climbench.evaluate import open_task
from tests import synthetic

SETTINGS = {"targets": ["tas", "pr"], "train": ["historical", "ssp126", "ssp585"], "validation": []}
MEMBERS = 6


@pytest.fixture(scope="session")
def ensemble_folder(tmp_path_factory):
    """A folder with six members; tests only read it."""
    folder = tmp_path_factory.mktemp("ensemble") / "data"
    return synthetic.write(folder, ("historical", "ssp126", "ssp245", "ssp585"), members=MEMBERS, noise=0.5)


@pytest.fixture
def opened(ensemble_folder):
    return open_task("climatebench", ensemble_folder, SETTINGS)
