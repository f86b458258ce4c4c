r"""How much a forecast varies from one initial time to the next beside the truth, between 20 degrees south and north.

.. math:: V = \Big\langle \frac1n \sum_i (x_i - \overline{x})^2 \Big\rangle
          = \frac1n \sum_i \big\langle (x_i - \overline{x})^2 \big\rangle

so that the variance over initial times of `climbench.metrics.variance_ratio` is a mean of one number for each, as other
scores are. The means of cells come first, and the stores are gone through twice, some lead times at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from climbench.errors import DataError
from climbench.physics.areas import area_mean, exact_cell_areas
from climbench.physics.opening import open_quantities
from climbench.regions import find_region
from climbench.tasks.forecast.engine import spread
from climbench.tasks.forecast.matching import Match
from climbench.tasks.forecast.physics_column_maps import nearest_level
from climbench.tasks.forecast.physics_maps import NO_PRESSURE
from climbench.tasks.forecast.physics_needs import Look
from climbench.tasks.forecast.physics_score import TROPICAL, TRUTH
from climbench.tasks.forecast.physics_series import PhysicsStore, blocks, chosen
from climbench.tasks.forecast.stores import STATIC

if TYPE_CHECKING:
    from distributed import Client

FIELDS = ("precipitation", "top_thermal_up", "water_path", "temperature")  # the first that both stores have
ROUND_OFF = 1e-12  # of a value: what is the same at all times has no variance
FEW_STARTS = "two initial times or more: a variance is over them"
NO_ROWS = "rows between 20 degrees south and 20 north"
Pair = tuple[np.ndarray, np.ndarray]  # of the forecast, and of the truth


@dataclass(frozen=True)
class Tropics:
    """A field of a forecast and its truth in the tropics; plain, so that any process can read it.

    Attributes
    ----------
    forecast, truth : PhysicsStore
        The stores.
    field : str
        The quantity.
    rows : ndarray of int
        Those of the grid that count.
    areas : ndarray of shape (row, longitude)
        Their cells.
    matched : Match
        What is scored.
    """

    forecast: PhysicsStore
    truth: PhysicsStore
    field: str
    rows: np.ndarray
    areas: np.ndarray
    matched: Match

    def read(self, inits: slice, leads: slice) -> Pair:
        """Return both of shape (member, init, lead, row, longitude), NaN throughout a state that lacks a value."""
        m = self.matched
        ours = self._of(self.forecast, {"init_time": m.init_positions[inits], "lead_time": m.lead_positions[leads]})
        at = m.truth_positions[inits, leads]
        times = np.unique(at[at >= 0])
        known = self._of(self.truth, {"time": times})
        theirs = known[:, np.searchsorted(times, np.maximum(at, times[0]))]
        there = (at >= 0) & np.isfinite(theirs).all(axis=(0, -2, -1)) & np.isfinite(ours).all(axis=(0, -2, -1))
        gap = np.where(there, 0.0, np.nan)[None, ..., None, None]
        return ours + gap, theirs + gap

    def _of(self, store: PhysicsStore, at: dict[str, np.ndarray]) -> np.ndarray:
        found = open_quantities(chosen(store, {**at, "latitude": self.rows}), wanted=[self.field], step=store.step)
        values = found.quantities[self.field]
        values = values.isel(level=nearest_level(values)) if "level" in values.dims else values
        whole = values if "member" in values.dims else values.expand_dims("member")
        return np.asarray(whole.transpose("member", *store.axes, *STATIC).values, "float64")


Piece = tuple[slice, slice, "Pair | None"]


def tropical_field(ours: Look, theirs: Look, matched: Match) -> tuple[str, tuple[str, ...]]:
    """Return the quantity whose variance is scored, and what is missing where it cannot be."""
    if matched.inits.size < 2:
        return "", (FEW_STARTS,)
    if not _rows(ours.store.open()).size:
        return "", (NO_ROWS,)
    lacking: dict[str, None] = {}
    for name in FIELDS:
        values = ours.opened.quantities.get(name)
        if values is None or name not in theirs.opened.quantities:
            continue
        if ours.opened.sources[name] != theirs.opened.sources[name]:
            continue
        try:
            if "level" in values.dims:
                _on_pressure(ours)
                nearest_level(values)
        except DataError as error:
            lacking[str(error)] = None
            continue
        return name, ()
    return "", tuple(lacking) or (f"one of {', '.join(FIELDS)} in forecast and truth",)


def _rows(grid: xr.Dataset) -> np.ndarray:
    return np.flatnonzero(find_region("tropics").mask(grid).any("longitude").values)


def _on_pressure(look: Look) -> None:
    if look.opened.column is not None and look.opened.column.interface_offset is not None:
        raise DataError(NO_PRESSURE)


def tropical_squares(
    ours: Look,
    theirs: Look,
    field: str,
    matched: Match,
    *,
    client: Client | None = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the mean over the tropics of the square of what each state is from the mean over initial times.

    Parameters
    ----------
    ours, theirs : Look
        Of forecast and truth.
    field : str
        Of `tropical_field`.
    matched : Match
        What is scored.
    client, threads
        As for `climbench.tasks.forecast.engine.accumulate`.

    Returns
    -------
    dict of str to ndarray of shape (init, lead)
        Of the forecast, in the mean over members, and of the truth; NaN where a state of either lacks a value.
    """
    grid = ours.store.open()
    rows = _rows(grid)
    areas = exact_cell_areas(grid["latitude"].values, grid["longitude"].values)[rows]
    stores = [look.store.reading(field) for look in (ours, theirs)]
    job = Tropics(stores[0], stores[1], field, rows, areas, matched)
    found = {name: np.full(matched.truth_positions.shape, np.nan) for name in (TROPICAL, f"{TRUTH}{TROPICAL}")}
    for leads, pieces in _by_leads(job):
        means = _means([sums for _, sums in spread(_sums, job, pieces, client, threads)])
        again: list[Piece] = [(inits, leads, means) for inits, _, _ in pieces]
        for (inits, _, _), squares in spread(_squares, job, again, client, threads):
            for name, part in zip(found, squares, strict=True):
                found[name][inits, leads] = part
    return found


def _by_leads(job: Tropics) -> Iterator[tuple[slice, list[Piece]]]:
    """Yield lead times with the pieces that make them up."""
    positions = {"init_time": job.matched.init_positions, "lead_time": job.matched.lead_positions}
    cuts = sorted(blocks(job.forecast, positions), key=lambda cut: cut[1].start)
    for _, group in groupby(cuts, key=lambda cut: cut[1].start):
        several = list(group)
        pieces: list[Piece] = [(i, j, None) for i, j in several if (job.matched.truth_positions[i, j] >= 0).any()]
        yield several[0][1], pieces


def _sums(job: Tropics, piece: Piece) -> tuple[np.ndarray, Pair]:
    """Return how many states there are by lead time, and the sums of both over them."""
    ours, theirs = job.read(*piece[:2])
    count = np.isfinite(theirs[0, :, :, 0, 0]).sum(axis=0)
    return count, (np.nansum(ours, axis=1), np.nansum(theirs, axis=1))


def _means(sums: Sequence[tuple[np.ndarray, Pair]]) -> Pair:
    count = sum((part for part, _ in sums), start=np.zeros(1))[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        ours, theirs = (sum((pair[n] for _, pair in sums), start=np.zeros(1)) / count for n in (0, 1))
    return np.asarray(ours), np.asarray(theirs)


def _squares(job: Tropics, piece: Piece) -> Pair:
    inits, leads, means = piece
    both = zip(job.read(inits, leads), means or (), strict=True)
    ours, theirs = (_square(values, mean[:, None], job.areas) for values, mean in both)
    return ours, theirs


def _square(values: np.ndarray, mean: np.ndarray, areas: np.ndarray) -> np.ndarray:
    departure = values - mean
    departure = np.where(np.abs(departure) <= ROUND_OFF * np.abs(mean), 0.0, departure)
    return np.asarray(area_mean(departure**2, areas)).mean(axis=0)
