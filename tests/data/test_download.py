"""Downloads against a server on loopback that drops connections, serves wrong bytes and hostile archives."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from climbench.cards import find_dataset
from climbench.data import download
from climbench.data.archives import unpack
from climbench.data.download import pull
from climbench.errors import DownloadError
from tests.data.server import Archive, start

CONTENT = bytes(range(256)) * 4000


def archived(**members: bytes) -> bytes:
    """Return a gzipped tar archive of files by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def archive():
    held = Archive(files={"test.tar.gz": archived(**{"test/outputs_ssp245.nc": CONTENT})})
    server = start(held)
    yield held
    server.shutdown()
    server.server_close()


@pytest.fixture
def get(archive, tmp_path):
    waits = []

    def pull_it(names=("test.tar.gz",)):
        pull("7", names, tmp_path / "data", api=f"{archive.url}/records", pause=waits.append)
        return tmp_path / "data"

    pull_it.waits = waits
    return pull_it


def lock_of(folder):
    return json.loads((folder / download.LOCK_FILE).read_text())["files"]["test.tar.gz"]


def test_a_file_arrives_whole_and_is_unpacked(archive, get):
    folder = get()
    assert (folder / "test" / "outputs_ssp245.nc").read_bytes() == CONTENT
    assert sorted(p.name for p in folder.iterdir()) == [download.LOCK_FILE, "test"]


def test_the_lock_file_keeps_what_the_record_states(archive, get):
    entry = lock_of(get())
    stated = next(archive.entries())
    assert (entry["size"], entry["checksum"], entry["url"]) == (
        stated["size"],
        stated["checksum"],
        stated["links"]["self"],
    )


def test_what_is_there_is_not_asked_for_again(archive, get):
    get()
    before = len(archive.requests)
    get()
    assert len(archive.requests) == before


def test_a_dropped_connection_is_gone_on_from(archive, get):
    archive.faults["test.tar.gz"] = ["drop", "drop"]
    folder = get()
    assert (folder / "test" / "outputs_ssp245.nc").read_bytes() == CONTENT
    size = len(archive.files["test.tar.gz"])
    ranges = [r for path, r in archive.requests if path.startswith("/files/")]
    starts = [0 if r is None else int(r.removeprefix("bytes=").removesuffix("-")) for r in ranges]
    assert size // 2 - download.CHUNK <= starts[1] <= size // 2 < starts[2]
    assert archive.sent < size + 2 * download.CHUNK + 5000  # at most a chunk a cut is sent twice; the record is small
    assert get.waits == [2.0, 4.0]


def test_a_later_process_goes_on_from_the_part_file(archive, get, tmp_path):
    archive.faults["test.tar.gz"] = ["drop"] + [503] * 10
    with pytest.raises(DownloadError, match=r"503.*bytes are kept; run it again to go on from there"):
        get()
    kept = (tmp_path / "data" / "test.tar.gz.part").stat().st_size
    assert kept > len(archive.files["test.tar.gz"]) // 2 - download.CHUNK
    archive.faults.clear()
    get()
    assert archive.requests[-1] == ("/files/test.tar.gz", f"bytes={kept}-")


def test_a_server_that_ignores_ranges_starts_over(archive, get):
    archive.ranges = False
    archive.faults["test.tar.gz"] = ["drop"]
    assert (get() / "test" / "outputs_ssp245.nc").read_bytes() == CONTENT


def test_a_wrong_byte_is_found_and_thrown_away(archive, get, tmp_path):
    good = archive.files["test.tar.gz"]
    stated = next(archive.entries())
    archive.stated["test.tar.gz"] = {"checksum": stated["checksum"]}
    archive.files["test.tar.gz"] = good[:1000] + bytes([good[1000] ^ 1]) + good[1001:]
    with pytest.raises(DownloadError, match="is not what the archive's record states"):
        get()
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == [download.LOCK_FILE]
    archive.files["test.tar.gz"] = good
    assert (get() / "test" / "outputs_ssp245.nc").read_bytes() == CONTENT


def test_a_missing_file_is_not_tried_again(archive, get):
    archive.faults["test.tar.gz"] = [404] * 10
    with pytest.raises(DownloadError, match="404"):
        get()
    assert get.waits == []


def test_a_busy_server_is_waited_for(archive, get):
    archive.faults["test.tar.gz"] = [503, 429]
    assert (get() / "test").is_dir()
    assert get.waits == [2.0, 4.0]


def test_a_record_without_the_file_names_what_it_has(archive, get):
    with pytest.raises(DownloadError, match=r"no file 'train_val.tar.gz'. It has: test.tar.gz"):
        get(("train_val.tar.gz",))


def test_a_record_that_states_no_checksum_is_refused(archive, get, monkeypatch):
    archive.stated["test.tar.gz"] = {"checksum": None, "size": None}
    with pytest.raises(DownloadError, match="does not state name, address, size and checksum"):
        get()


def test_a_record_that_is_not_there(archive, tmp_path):
    with pytest.raises(DownloadError, match="404"):
        pull("8", ["test.tar.gz"], tmp_path, api=f"{archive.url}/records")


def test_no_server_at_all(tmp_path):
    with pytest.raises(DownloadError, match="Check the network"):
        pull("7", ["test.tar.gz"], tmp_path, api="http://127.0.0.1:9/records")


def test_a_source_that_changed_is_not_taken(archive, get, tmp_path):
    archive.faults["test.tar.gz"] = [404]
    with pytest.raises(DownloadError):
        get()
    archive.files["test.tar.gz"] = archived(**{"test/other.nc": b"new"})
    with pytest.raises(DownloadError, match="has changed at its source"):
        get()


def test_a_disk_too_small_is_said_before(archive, get, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DownloadError, match=r"0\.00 GB are free"):
        get()


def test_the_real_archive_is_named_as_the_issue_says():
    source = find_dataset("climatebench").source
    assert download.ZENODO == "https://zenodo.org/api/records"
    assert (source.record, source.files) == ("7064308", ("train_val.tar.gz", "test.tar.gz"))


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "test/../../evil", "..\\evil", "C:/evil"])
def test_members_that_would_leave_the_folder_are_refused(archive, get, tmp_path, name):
    archive.files["test.tar.gz"] = archived(**{"test/good.nc": b"x", name: b"evil"})
    with pytest.raises(DownloadError, match="refused"):
        get()
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "data" / "test").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_members_that_are_no_plain_files_are_refused(tmp_path, kind):
    path = tmp_path / "odd.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("test/link")
        info.type, info.linkname = kind, "../../outside"
        tar.addfile(info)
    with pytest.raises(DownloadError, match="no plain file or folder: refused"):
        unpack(path, tmp_path / "test")
    assert not (tmp_path / "test").exists()


def test_a_cut_archive_leaves_nothing(tmp_path):
    path = tmp_path / "test.tar.gz"
    path.write_bytes(archived(**{"test/a.nc": CONTENT})[:5000])
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        unpack(path, tmp_path / "test")
    assert sorted(p.name for p in tmp_path.iterdir() if "no-data" not in p.name) == ["test.tar.gz"]


def test_an_archive_without_a_folder_is_unpacked_into_one(tmp_path):
    path = tmp_path / "flat.tar.gz"
    path.write_bytes(archived(**{"a.nc": b"1", "b.nc": b"2"}))
    unpack(path, tmp_path / "test")
    assert sorted(p.name for p in (tmp_path / "test").iterdir()) == ["a.nc", "b.nc"]


def test_an_archive_larger_than_the_disk_is_refused(tmp_path, monkeypatch):
    from climbench.data import archives

    path = tmp_path / "big.tar.gz"
    path.write_bytes(archived(**{"a.nc": CONTENT}))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DownloadError, match=r"unpacks to 0.00 GB; 0.00 GB are free"):
        unpack(path, tmp_path / "test")
