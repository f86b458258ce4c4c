"""A tile: some cells of some maps, with everything that statistics are made from, each part computed once.

Tiles are small enough to stay in a processor's cache, so that a forecast is scored about as fast as it is read.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

TILE_VALUES = 15 * 2**10  # arrays below 128 KiB, which the system takes back and gives out without cost
MEMBER_VALUES = 2**17  # of ensembles, whose members are sorted: fewer, larger steps


class Tile:
    """Forecast, truth and climatology at some cells of some maps (rows).

    Parameters
    ----------
    members : ndarray of shape (component, member, row, cell)
        The forecast; one component, or two of a wind.
    truth : ndarray of shape (component, row, cell)
        In the same unit.
    climatology : ndarray of shape (component, row, cell), optional
        At the valid times.
    weight : ndarray of shape (cell,)
        Area weights of mean 1 over the grid.
    derived : bool
        Whether the two components stand for a speed.
    extra : dict of str to ndarray of shape (row, cell)
        Further fields of the climatology, by their suffix.
    dry : float
        Less precipitation than this is dry, in metres.
    """

    def __init__(
        self,
        members: np.ndarray,
        truth: np.ndarray,
        climatology: np.ndarray | None,
        weight: np.ndarray,
        *,
        derived: bool = False,
        extra: dict[str, np.ndarray] | None = None,
        dry: float = 0.0,
    ) -> None:
        if derived:
            members, truth = (np.sqrt(x[:1] ** 2 + x[1:] ** 2) for x in (members, truth))
        self.members, self.truth, self.climatology = members, truth, climatology
        self.weight, self.extra, self.dry = weight, extra or {}, dry

    def mask(self) -> tuple[int, int, np.ndarray]:
        """Put zeros where a value is missing or infinite.

        Returns
        -------
        int
            Cells where truth and climatology are there, and the forecast is not.
        int
            Cells where truth or climatology is not there.
        ndarray of bool of shape (row, cell)
            Where everything is there.
        """
        ours = np.isfinite(self.members).all(axis=(0, 1))
        theirs = np.isfinite(self.truth).all(axis=0)
        if self.climatology is not None:
            theirs &= np.isfinite(self.climatology).all(axis=0)
            self.climatology = np.where(theirs, self.climatology, 0.0)
        valid = ours & theirs
        self.members, self.truth = (np.where(valid, x, 0.0) for x in (self.members, self.truth))
        for name in ("ordered", "error", "vector_error", "truth_anomaly", "forecast_anomaly"):
            self.__dict__.pop(name, None)  # what was computed with the missing values
        return int((theirs & ~ours).sum()), int((~theirs).sum()), valid

    def row(self, n: int) -> Tile:
        """Return a tile of one of the rows."""
        one = slice(n, n + 1)
        climatology = None if self.climatology is None else self.climatology[:, one]
        extra = {name: values[one] for name, values in self.extra.items()}
        return Tile(self.members[:, :, one], self.truth[:, one], climatology, self.weight, extra=extra, dry=self.dry)

    @property
    def count(self) -> int:
        """Number of members."""
        return self.members.shape[1]

    @cached_property
    def ordered(self) -> np.ndarray:
        """Members less the truth, in order of size, of shape (row, cell, member), float64."""
        errors = np.moveaxis(self.members[0] - self.truth[0], 0, -1)
        errors = np.array(errors, order="C")  # a copy with members contiguous, which sorts fastest
        errors.sort(axis=-1)
        return errors.astype("float64", copy=False)

    @cached_property
    def error(self) -> np.ndarray:
        """Forecast (mean over members) less truth, of shape (row, cell), float64."""
        if self.count > 1:
            return self.ordered @ np.full(self.count, 1.0 / self.count)
        return (self.members[0, 0] - self.truth[0]).astype("float64", copy=False)

    @cached_property
    def vector_error(self) -> np.ndarray:
        """Forecast (mean over members) less truth of both components, of shape (2, row, cell), float64."""
        return self.members.mean(axis=1, dtype="float64") - self.truth

    @cached_property
    def truth_anomaly(self) -> np.ndarray:
        """Truth less climatology, of shape (row, cell), float64."""
        assert self.climatology is not None
        return (self.truth[0] - self.climatology[0]).astype("float64", copy=False)

    @cached_property
    def forecast_anomaly(self) -> np.ndarray:
        """Forecast (mean over members) less climatology, of shape (row, cell), float64."""
        if self.count > 1:
            return self.error + self.truth_anomaly
        assert self.climatology is not None
        return (self.members[0, 0] - self.climatology[0]).astype("float64", copy=False)
