"""What all tests share: no user folder is read or written, no network is tried, and where the real data is."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from tests.synthetic import write

# A library that scores are tested against brings bottleneck, which users need not have: with it, xarray would reduce by
# other code than theirs.
xr.set_options(use_bottleneck=False)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def world_cache(tmp_path_factory):
    """One cache for the whole session, so that a world is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path, world_cache):
    monkeypatch.setenv("CLIMBENCH_CACHE", str(world_cache))
    monkeypatch.setenv("CLIMBENCH_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("CLIMBENCH_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """A folder of small files in ClimateBench's layout, for tests that read it and leave it as it is."""
    return write(tmp_path_factory.mktemp("data") / "synthetic")


@pytest.fixture
def without_report(monkeypatch):
    """Runs draw no figures and write no report: for tests of everything else about them."""
    monkeypatch.setattr("climbench.recording._write_report", lambda *_: None)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of small real data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the small real data in {SHARED.name}/, which is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def cesm2(shared_data):
    return shared_data / "climatebench-cesm2"
