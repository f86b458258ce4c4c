"""Unpacking archives that nobody has to trust: whole or not at all, and never outside the target folder."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from climbench.errors import DownloadError


def unpack(archive: Path, directory: Path) -> None:
    """Unpack a gzipped tar archive into a folder that does not exist yet.

    A single folder at the archive's root that bears the target's name is not nested twice.

    Parameters
    ----------
    archive : Path
        The archive.
    directory : Path
        The folder to make. Members are unpacked beside it first; it appears when all are there.

    Raises
    ------
    DownloadError
        If the archive is damaged, does not fit on the disk, or has a member that is no plain file or folder or would
        leave the folder; nothing is left behind then.
    """
    temporary = directory.with_name(f".{directory.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            members = tar.getmembers()
            _refuse_hostile(members, archive)
            needed, free = sum(m.size for m in members), shutil.disk_usage(temporary).free
            if needed > free:
                raise DownloadError(f"{archive.name} unpacks to {needed / 1e9:.2f} GB; {free / 1e9:.2f} GB are free.")
            tar.extractall(temporary, filter="data")
        content = list(temporary.iterdir())
        nested = len(content) == 1 and content[0].is_dir() and content[0].name == directory.name
        if directory.exists():
            shutil.rmtree(directory)
        (content[0] if nested else temporary).rename(directory)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_hostile(members: list[tarfile.TarInfo], archive: Path) -> None:
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise DownloadError(
                f"{archive.name} holds '{member.name}', which would be written outside its folder: refused."
            )
        if not (member.isfile() or member.isdir()):
            raise DownloadError(f"{archive.name} holds '{member.name}', which is no plain file or folder: refused.")
