"""Tells the layout of a place, by names and metadata alone."""

from __future__ import annotations

from pathlib import Path

from climbench.data import READERS
from climbench.data.stores import is_url
from climbench.errors import DataError


def recognise(place: str | Path) -> str:
    """Return the name of the layout that a place has.

    Parameters
    ----------
    place : str or Path
        A file, folder or store: a local path or any fsspec URL.

    Returns
    -------
    str
        One of the names of `climbench.data.READERS`: the first whose reader recognises the place.

    Raises
    ------
    DataError
        If there is nothing at the place, or no reader recognises it.
    """
    if not is_url(place) and not Path(place).exists():
        raise DataError(f"There is no file or folder {place}.")
    for name in READERS.places:
        if READERS.load(name).recognises(place):
            return name
    raise DataError(
        f"The layout of {place} is not recognised. Name it with --reader NAME, one of: {', '.join(READERS.places)}. "
        "Of a folder of loose files, name one file."
    )
