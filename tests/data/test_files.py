"""Listing folders, near and far, and reading one file."""

from __future__ import annotations

import pytest

from climbench.data import files, stores
from climbench.data.files import files_under, first_files, names_in, read_bytes
from climbench.errors import DataError
from tests.data.object_store import ObjectStore, start


@pytest.fixture
def folder(tmp_path):
    for path in ("b/2.nc", "b/1.nc", "a/x/3.nc", "c.zarr/4.nc", "d/zarr.json", "d/5.nc", "d/e/6.nc", "7.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    return tmp_path


def test_files_come_by_name_and_stores_are_not_entered(folder):
    found = [path.removeprefix(folder.as_posix() + "/") for path in files_under(folder)]
    assert found == ["a/x/3.nc", "b/1.nc", "b/2.nc"]


def test_a_relative_folder_gives_absolute_paths(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert list(files_under("b")) == [f"{folder.as_posix()}/b/{n}.nc" for n in (1, 2)]


def test_a_folder_on_another_file_system(folder):
    assert list(files_under((folder / "b").as_uri())) == [f"{(folder / 'b').as_uri()}/{n}.nc" for n in (1, 2)]


def test_a_file_system_that_is_not_known_is_refused():
    with pytest.raises(DataError, match=r"nowhere://a cannot be listed: .*Copy the files and name their folder"):
        list(files_under("nowhere://a"))


def test_only_some_files_of_a_large_folder_are_looked_at(folder, monkeypatch):
    monkeypatch.setattr(files, "LOOK", 2)
    assert len(first_files(folder)) == 2
    assert first_files(folder / "7.txt") == first_files("https://server/a") == first_files(folder / "gone") == []


def test_a_file_is_read_near_and_far(folder, monkeypatch):
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.01))
    held = ObjectStore(folder)
    server = start(held)
    try:
        held.faults["b/1.nc"] = [500, "drop"]
        assert read_bytes(f"{held.url}/b/1.nc") == read_bytes(folder / "b" / "1.nc") == b"b/1.nc"
        with pytest.raises(DataError, match=r"There is no file http://.*/gone\.csv"):
            read_bytes(f"{held.url}/gone.csv")
        held.faults["7.txt"] = [500] * 9
        with pytest.raises(DataError, match=r"'7\.txt' could not be read after 3 tries"):
            read_bytes(f"{held.url}/7.txt")
    finally:
        server.shutdown()
        server.server_close()


def test_what_cannot_be_read(folder):
    with pytest.raises(DataError, match=r"There is no file .*gone"):
        read_bytes(folder / "gone")
    with pytest.raises(DataError, match=r"b cannot be read: .*[Dd]irectory"):
        read_bytes(folder / "b")


def test_the_names_in_a_folder_near_and_far(folder):
    assert names_in(folder) == ["7.txt", "a", "b", "c.zarr", "d"]
    assert names_in(folder.as_uri()) == ["7.txt", "a", "b", "c.zarr", "d"]
    assert names_in(folder / "7.txt") == names_in(folder / "gone") == []
    with pytest.raises(DataError, match="nowhere://a cannot be listed"):
        names_in("nowhere://a")
