"""Small folders in ClimateBench's layout: one to read, one to spoil."""

from __future__ import annotations

import pytest

from tests import synthetic


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A folder in which nothing is wrong; tests only read it."""
    return synthetic.write(tmp_path_factory.mktemp("whole") / "data", ("historical", "ssp126", "ssp245", "ssp585"))


@pytest.fixture
def folder(tmp_path):
    """A folder for a test to spoil."""
    return synthetic.write(tmp_path / "data", ("historical", "ssp126", "ssp245"))
