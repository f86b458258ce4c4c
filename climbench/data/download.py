"""Downloads that can be cut off: resumed by HTTP range, checked against what the source's own record states.

pooch fetches and checks; its downloader is replaced by one that goes on from what an earlier try left behind. Sizes and
checksums come from the archive's record at the time of the download and are kept in a lock file; none is made up.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from climbench.data.archives import unpack
from climbench.errors import DownloadError
from climbench.run_directory import write_text

ZENODO = "https://zenodo.org/api/records"
LOCK_FILE = "download.lock.json"
CHUNK = 1 << 16
TRIES = 6
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte

Progress = Callable[[str, int, int], None]


def _silent(name: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as its archive's record states it.

    Attributes
    ----------
    name : str
        Its name.
    url : str
        Where it is.
    size : int
        In bytes.
    checksum : str
        Algorithm and digest, for example ``"md5:0123..."``.
    """

    name: str
    url: str
    size: int
    checksum: str


def record_files(record: str, *, api: str = ZENODO) -> dict[str, RemoteFile]:
    """Ask an archive for the files of a record.

    Parameters
    ----------
    record : str
        The record's number.
    api : str
        Address of the archive's records.

    Returns
    -------
    dict of str to RemoteFile
        By name.

    Raises
    ------
    DownloadError
        If the archive cannot be reached, has no such record, or states no size or checksum.
    """
    import requests

    url = f"{api}/{record}"
    try:
        answer = requests.get(url, timeout=TIMEOUT)
        answer.raise_for_status()
        entries = answer.json()["files"]
        files = [
            RemoteFile(str(e["key"]), str(e["links"]["self"]), int(e["size"]), str(e["checksum"])) for e in entries
        ]
    except requests.JSONDecodeError as error:
        raise DownloadError(f"The record {url} cannot be read: {error}. Try again later.") from None
    except requests.RequestException as error:
        raise DownloadError(f"The record {url} cannot be had: {error}. Check the network and run it again.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"The record {url} does not state name, address, size and checksum of its files (lacks {error})."
        ) from None
    return {file.name: file for file in files}


class ResumingDownloader:
    """A downloader for pooch that goes on from a ``.part`` file.

    Parameters
    ----------
    file : RemoteFile
        What to fetch.
    part : Path
        Where bytes are kept until the file is whole; it outlives the process.
    progress : callable
        Called with the file's name, bytes so far and bytes in all.
    pause : callable
        Waits a number of seconds between tries.
    """

    def __init__(self, file: RemoteFile, part: Path, progress: Progress, pause: Callable[[float], None]) -> None:
        self.file, self.part, self.progress, self.pause = file, part, progress, pause

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Fetch `url` into `output_file`.

        Parameters
        ----------
        url : str
            The address.
        output_file : str
            Pooch's own temporary file.
        pooch : Pooch
            Not used.
        check_only : bool
            Not used.

        Raises
        ------
        DownloadError
            If the file cannot be had whole after several tries.
        """
        import requests

        reason = ""
        for attempt in range(TRIES):
            if attempt:
                self.pause(min(2.0**attempt, 30.0))
            try:
                self._fetch_rest(url)
            except requests.RequestException as error:
                reason = str(error)
                status = getattr(error.response, "status_code", None)
                if status is not None and status < 500 and status != 429:
                    break
            if self._have() >= self.file.size:
                shutil.move(self.part, output_file)
                return
            reason = reason or "the connection was closed early"
        raise DownloadError(
            f"{self.file.name} could not be downloaded from {url}: {reason}. {self._have()} of {self.file.size} bytes "
            "are kept; run it again to go on from there."
        )

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch_rest(self, url: str) -> None:
        """Fetch what is missing, adding to the part file; start over where the server cannot go on."""
        import requests

        have = self._have()
        if have > self.file.size:
            self.part.unlink()
            have = 0
        headers = (
            {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {"Accept-Encoding": "identity"}
        )
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=headers) as answer:
            if answer.status_code == 416:
                self.part.unlink(missing_ok=True)
                return
            answer.raise_for_status()
            goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            with self.part.open("ab" if goes_on else "wb") as output:
                for block in answer.iter_content(CHUNK):
                    output.write(block)
                    self.progress(self.file.name, output.tell(), self.file.size)


def fetch(
    file: RemoteFile, directory: Path, *, progress: Progress = _silent, pause: Callable[[float], None] = time.sleep
) -> Path:
    """Download a file into a folder, unless it is there already, and check it.

    Parameters
    ----------
    file : RemoteFile
        What to fetch.
    directory : Path
        Where to.
    progress : callable
        Called with the file's name, bytes so far and bytes in all.
    pause : callable
        Waits a number of seconds between tries.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DownloadError
        If it cannot be had, does not fit on the disk, or is not what the record states.
    """
    import pooch

    directory.mkdir(parents=True, exist_ok=True)
    part = directory / f"{file.name}.part"
    missing = file.size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(directory).free
    if missing > free:
        raise DownloadError(
            f"{file.name} needs {missing / 1e9:.2f} GB in {directory}, where {free / 1e9:.2f} GB are free."
        )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        path = pooch.retrieve(
            url=file.url,
            known_hash=file.checksum,
            fname=file.name,
            path=directory,
            downloader=ResumingDownloader(file, part, progress, pause),
        )
    except ValueError as error:
        raise DownloadError(
            f"{file.name} is not what the archive's record states: {error} The download was discarded; run it again."
        ) from None
    finally:
        logger.setLevel(level)
    return Path(path)


def pull(
    record: str,
    names: Sequence[str],
    directory: Path,
    *,
    api: str = ZENODO,
    progress: Progress = _silent,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Download and unpack the archives of a record, going on where an earlier try stopped.

    Parameters
    ----------
    record : str
        The record's number.
    names : sequence of str
        The archives wanted.
    directory : Path
        Where to.
    api : str
        Address of the archive's records.
    progress : callable
        Called with the file's name, bytes so far and bytes in all.
    pause : callable
        Waits a number of seconds between tries.

    Raises
    ------
    DownloadError
        If the record lacks a file, states other sizes or checksums than the lock file, or a download or archive is bad.
    """
    lock_path = directory / LOCK_FILE
    lock: dict[str, Any] = {"record": record, "files": {}}
    if lock_path.is_file():
        lock = json.loads(lock_path.read_text())
    done = [name for name in names if lock["files"].get(name, {}).get("unpacked")]
    if len(done) == len(names):
        return
    stated = record_files(record, api=api)
    for name in names:
        if name not in stated:
            raise DownloadError(f"The record {record} has no file '{name}'. It has: {', '.join(sorted(stated))}.")
        _agree(lock["files"].get(name), stated[name], lock_path)
    for name in names:
        if name in done:
            continue
        entry = lock["files"][name] = {**asdict(stated[name]), "unpacked": False}
        write_text(lock_path, json.dumps(lock, indent=1))
        archive = fetch(stated[name], directory, progress=progress, pause=pause)
        unpack(archive, directory / name.removesuffix(".tar.gz"))
        archive.unlink()
        entry["unpacked"] = True
        write_text(lock_path, json.dumps(lock, indent=1))


def _agree(locked: dict[str, Any] | None, stated: RemoteFile, lock_path: Path) -> None:
    if locked is None or (locked["size"], locked["checksum"]) == (stated.size, stated.checksum):
        return
    raise DownloadError(
        f"{stated.name} has changed at its source: the record states {stated.size} bytes, {stated.checksum}; "
        f"{lock_path} has {locked['size']} bytes, {locked['checksum']}. Delete the lock file if the new one is wanted."
    )
