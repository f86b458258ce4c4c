"""Coastlines: drawn where they are at hand, and done without, quickly, where they are not."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import zipfile

import cartopy
import cartopy.io
import numpy as np
import pytest
import shapefile

from climbench.coastlines import MISSING, coastlines
from tests.data.server import Archive, start

LINES = [[[-10.0, 0.0], [20.0, 30.0], [40.0, -5.0]], [[100.0, 60.0], [110.0, 65.0]]]
FILE = "ne_110m_coastline"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache of cartopy's, and what was found before forgotten."""
    monkeypatch.setitem(cartopy.config, "data_dir", tmp_path / "cartopy")
    monkeypatch.setitem(cartopy.config, "pre_existing_data_dir", tmp_path / "shipped")
    coastlines.cache_clear()
    yield tmp_path / "cartopy" / "shapefiles" / "natural_earth" / "physical"
    coastlines.cache_clear()


@pytest.fixture
def online(monkeypatch):
    monkeypatch.delenv("CLIMBENCH_OFFLINE")


@pytest.fixture
def connections(monkeypatch):
    """Every connection that is tried, and none that comes through."""
    tried = []

    def refuse(*arguments, **_):
        tried.append(arguments)
        raise OSError("there is no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def write_shapefile(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with shapefile.Writer(str(folder / FILE), shapeType=shapefile.POLYLINE) as writer:
        writer.field("name", "C")
        for line in LINES:
            writer.line([line])
            writer.record("a coast")
    return folder


def zipped(folder, endings=("shp", "shx", "dbf")):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for ending in endings:
            archive.write(folder / f"{FILE}.{ending}", f"{FILE}.{ending}")
    return content.getvalue()


@contextlib.contextmanager
def serving(monkeypatch, content):
    """Have cartopy download from a server on loopback."""
    server = start(archive := Archive({"ne.zip": content}))
    downloader = cartopy.io.Downloader.from_config(("shapefiles", "natural_earth"))
    monkeypatch.setattr(downloader, "url_template", f"{archive.url}/files/ne.zip")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def assert_drawn(found):
    lines, missing = found
    assert missing is None
    for line, expected in zip(lines, LINES, strict=True):
        np.testing.assert_array_equal(line, expected)


@pytest.mark.parametrize("where", ["cartopy", "shipped"])
def test_cached_lines_are_found_without_a_network(online, connections, tmp_path, where):
    write_shapefile(tmp_path / where / "shapefiles" / "natural_earth" / "physical")
    assert_drawn(coastlines())
    assert connections == []


def test_offline_no_connection_is_tried(connections):
    assert coastlines() == (None, MISSING)
    assert connections == []


def test_an_unreachable_server_is_done_without_and_asked_once(online, connections):
    assert coastlines() == (None, MISSING)
    assert len(connections) == 1
    coastlines()
    assert len(connections) == 1


def test_a_server_that_never_answers_is_not_waited_for(online, monkeypatch):
    let_go, gone = threading.Event(), threading.Event()

    def stall(*_, **__):
        let_go.wait()
        gone.set()
        raise OSError("at last")

    monkeypatch.setattr(socket, "create_connection", stall)
    # it stalls until it is let go below: to come back at all is not to wait for it
    assert coastlines(timeout=0.05) == (None, MISSING)
    assert not gone.is_set()
    let_go.set()
    assert gone.wait(10.0)


@pytest.mark.parametrize("ending", ["shp", "shx"])
def test_a_damaged_file_is_named(online, connections, cache, ending):
    (write_shapefile(cache) / f"{FILE}.{ending}").write_bytes(b"not a shapefile")
    lines, missing = coastlines()
    assert lines is None
    assert f"{FILE}.shp" in missing
    assert "cannot be read" in missing


def test_lines_are_downloaded_once_and_kept(online, monkeypatch, cache, tmp_path):
    archive = zipped(write_shapefile(tmp_path / "server"))
    with serving(monkeypatch, archive):
        assert_drawn(coastlines(timeout=30.0))
    assert {file.suffix for file in cache.iterdir()} == {".shp", ".shx", ".dbf"}
    coastlines.cache_clear()
    assert_drawn(coastlines())


@pytest.mark.parametrize("what", ["half an archive", "an archive that lacks a file"])
def test_a_download_that_is_not_whole_leaves_nothing_in_the_cache(online, monkeypatch, cache, tmp_path, what):
    folder = write_shapefile(tmp_path / "server")
    whole = zipped(folder)
    content = whole[: len(whole) // 2] if what == "half an archive" else zipped(folder, ["shp", "dbf"])
    with serving(monkeypatch, content):
        assert coastlines(timeout=30.0) == (None, MISSING)
    assert list(cache.iterdir()) == []
