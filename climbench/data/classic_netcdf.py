"""How long a classic netCDF file must be: the C library reads what was cut off as zeros, and says nothing.

References
----------
Unidata, NetCDF file format specifications, "The classic format specification" (CDF-1, CDF-2 and CDF-5).
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import BinaryIO

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
VERSIONS = {1: (4, 4), 2: (4, 8), 5: (8, 8)}


def expected_size(path: Path) -> int | None:
    """Return how many bytes a classic netCDF file must at least have for all its values to be there.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    int or None
        None where the file is of another format (netCDF-4 among them, whose library notices by itself).

    Raises
    ------
    ValueError
        If the file ends within its header, or the header makes no sense.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        if magic[:3] != b"CDF" or magic[-1] not in VERSIONS:
            return None
        return _Header(file, path.stat().st_size, *VERSIONS[magic[-1]]).end_of_data()


class _Header:
    """Reads a header from front to back.

    Parameters
    ----------
    file : binary file
        Standing behind the four bytes that name the format.
    size : int
        Its bytes.
    count : int
        Bytes of a count, 4 or 8.
    offset : int
        Bytes of a place in the file, 4 or 8.
    """

    def __init__(self, file: BinaryIO, size: int, count: int, offset: int) -> None:
        self.file, self.size, self.count, self.offset = file, size, count, offset

    def end_of_data(self) -> int:
        """Return the place behind the last value of the last variable."""
        records = self._number(self.count)
        lengths = [self._dimension() for _ in range(self._list())]
        self._attributes()
        variables = [self._variable(lengths) for _ in range(self._list())]
        fixed = [begin + size for begin, size, by_record in variables if not by_record]
        moving = [(begin, size) for begin, size, by_record in variables if by_record]
        if records == 2 ** (8 * self.count) - 1 or records == 0:  # written as a stream, or no record yet
            moving = []
        step = moving[0][1] if len(moving) == 1 else sum(_padded(size) for _, size in moving)
        ends = [begin + (records - 1) * step + size for begin, size in moving]
        return max([self.file.tell(), *fixed, *ends])

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "big")

    def _bytes(self, size: int) -> bytes:
        if self.file.tell() + size > self.size:
            raise ValueError("the file ends within its header")
        return self.file.read(size)

    def _list(self) -> int:
        """Return the number of entries of the list that begins here, past the tag that says what they are."""
        self._number(4)
        return self._number(self.count)

    def _name(self) -> None:
        self._bytes(_padded(self._number(self.count)))

    def _dimension(self) -> int:
        self._name()
        return self._number(self.count)

    def _attributes(self) -> None:
        for _ in range(self._list()):
            self._name()
            size = self._type()
            self._bytes(_padded(size * self._number(self.count)))

    def _type(self) -> int:
        kind = self._number(4)
        if kind not in SIZES:
            raise ValueError(f"the header names a type {kind} that there is not")
        return SIZES[kind]

    def _variable(self, lengths: list[int]) -> tuple[int, int, bool]:
        """Return where a variable begins, its bytes (of one record, where it grows by records), and whether it does."""
        self._name()
        shape = [self._number(self.count) for _ in range(self._number(self.count))]
        self._attributes()
        size = self._type()
        self._number(self.count)
        begin = self._number(self.offset)
        if any(dimension >= len(lengths) for dimension in shape):
            raise ValueError("the header names a dimension that there is not")
        extent = [lengths[dimension] for dimension in shape]
        by_record = bool(extent) and extent[0] == 0
        return begin, size * prod(extent[1:] if by_record else extent), by_record


def _padded(size: int) -> int:
    """Return the next multiple of four."""
    return -(-size // 4) * 4
