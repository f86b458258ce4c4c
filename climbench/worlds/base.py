"""What a world is: a simulated climate that can be written to disk in the layout of the data it stands in for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol


class World(Protocol):
    """A simulated climate.

    Attributes
    ----------
    name : str
        Its name.
    version : str
        Changes whenever the same seed gives other numbers.
    """

    name: ClassVar[str]
    version: ClassVar[str]

    def write(
        self, directory: Path, *, members: int, seed: int, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write the world's data into a folder; every file carries the world's mark.

        Parameters
        ----------
        directory : Path
            An existing folder.
        members : int
            Members of each scenario.
        seed : int
            The seed of everything random.
        progress : callable, optional
            Called with files written and files in all.
        """
        ...
