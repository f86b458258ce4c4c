"""The files of a folder, near and far, and the content of one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from climbench.data.checked_store import METADATA
from climbench.data.stores import ANONYMOUS, is_url, remote_store
from climbench.errors import ClimbenchError, DataError, MissingExtraError

LOOK = 500  # files looked at to tell a layout


def files_under(
    place: str | Path, suffix: str = ".nc", storage_options: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield the files of a folder and the folders in it, by name; zarr stores are not entered.

    Parameters
    ----------
    place : str or Path
        A folder: a local path or a URL of a file system that can list what it has.
    suffix : str
        How the files' names end.
    storage_options : mapping, optional
        Passed to fsspec; anonymous access without.

    Yields
    ------
    str
        Absolute paths with forward slashes, or URLs.

    Raises
    ------
    DataError
        If the place cannot be listed.
    """
    if is_url(place):
        yield from _files_at(str(place), suffix, storage_options)
        return
    for folder, folders, files in os.walk(Path(place).resolve()):
        store = any(name in files for name in METADATA)
        folders[:] = [] if store else sorted(name for name in folders if not name.endswith(".zarr"))
        yield from (Path(folder, name).as_posix() for name in sorted(files) if name.endswith(suffix) and not store)


def first_files(place: str | Path, suffix: str = ".nc") -> list[str]:
    """Return the first few files of a local folder: enough to tell its layout, however large it is.

    Parameters
    ----------
    place : str or Path
        A place of any kind; what is no local folder has no files.
    suffix : str
        How the files' names end.

    Returns
    -------
    list of str
    """
    return [] if is_url(place) or not Path(place).is_dir() else list(islice(files_under(place, suffix), LOOK))


def _files_at(url: str, suffix: str, storage_options: Mapping[str, Any] | None) -> list[str]:
    with _listing(url):
        system, path = _file_system(url, storage_options)
        found = system.find(path)
    return sorted(str(system.unstrip_protocol(name)) for name in found if name.endswith(suffix))


def _file_system(url: str, storage_options: Mapping[str, Any] | None) -> tuple[Any, str]:
    import fsspec

    options = {**ANONYMOUS.get(url.partition("://")[0], {}), **(storage_options or {})}
    system, path = fsspec.core.url_to_fs(url, **options)
    return system, str(path)


@contextmanager
def _listing(url: str) -> Iterator[None]:
    """Say in the suite's words what goes wrong while a remote folder is listed."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(f"'{url}'", "cloud") from error
    except Exception as error:  # file systems fail in their own ways
        reason = str(error) or type(error).__name__
        raise DataError(f"{url} cannot be listed: {reason}. Copy the files and name their folder.") from error


def read_bytes(place: str | Path, storage_options: Mapping[str, Any] | None = None) -> bytes:
    """Return the content of a file, asking a server again where it fails.

    Parameters
    ----------
    place : str or Path
        A local path or any fsspec URL.
    storage_options : mapping, optional
        Passed to fsspec; anonymous access without.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        If it is not there or cannot be read.
    """
    try:
        content = _fetched(str(place), storage_options) if is_url(place) else Path(place).read_bytes()
    except ClimbenchError:
        raise
    except FileNotFoundError:
        content = None
    except ImportError as error:
        raise MissingExtraError(f"'{place}'", "cloud") from error
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error}") from error
    if content is None:
        raise DataError(f"There is no file {place}.")
    return content


def _fetched(url: str, storage_options: Mapping[str, Any] | None) -> bytes | None:
    """Return a remote file's content, or None where there is no such file."""
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    folder, _, name = url.rpartition("/")
    value = sync(remote_store(folder, storage_options).get(name, default_buffer_prototype()))
    return None if value is None else value.to_bytes()


def names_in(place: str | Path, storage_options: Mapping[str, Any] | None = None) -> list[str]:
    """Return the names of what stands directly in a folder: files, folders and stores alike.

    Parameters
    ----------
    place : str or Path
        A folder: a local path or a URL of a file system that can list what it has.
    storage_options : mapping, optional
        Passed to fsspec; anonymous access without.

    Returns
    -------
    list of str
        In order; empty where a local place is no folder.

    Raises
    ------
    DataError
        If a remote place cannot be listed.
    """
    if not is_url(place):
        return sorted(entry.name for entry in os.scandir(place)) if Path(place).is_dir() else []
    with _listing(str(place)):
        system, path = _file_system(str(place), storage_options)
        found = system.ls(path, detail=False)
    return sorted(str(name).rstrip("/").rpartition("/")[2] for name in found)
