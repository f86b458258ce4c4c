"""Means over the globe of maps of physics, read block by block from a forecast or its truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from climbench.physics.areas import area_mean, exact_cell_areas
from climbench.physics.diagnosis import Diagnosis
from climbench.physics.opening import Opened, open_quantities
from climbench.physics.quantities import source_of
from climbench.tasks.forecast.engine import spread
from climbench.tasks.forecast.physics_maps import maps_of, opened, quantities_behind
from climbench.tasks.forecast.plan import along_chunks
from climbench.tasks.forecast.reading import as_slice, chunk_size, map_bytes
from climbench.tasks.forecast.stores import INTERFACES, STATIC, Places

if TYPE_CHECKING:
    from distributed import Client

BLOCK_BYTES = 24 * 2**20  # read at once by each thread; float64 maps of it take several times as much
AXES = {"forecast": ("init_time", "lead_time"), "truth": ("time",)}
Positions = dict[str, np.ndarray]
Means = dict[str, np.ndarray]


@dataclass(frozen=True)
class PhysicsStore:
    """A store of states, and what of it is read; plain, so that any process can open it.

    Attributes
    ----------
    places : Places
        The stores.
    role : {"forecast", "truth"}
        Which of them.
    maps : tuple of str
        What is made from it.
    quantities : tuple of str
        What that is made from.
    step : float or None
        Hours between lead times, where these are all the same: of several accumulations that of so many is read.
    """

    places: Places
    role: str
    maps: tuple[str, ...]
    quantities: tuple[str, ...]
    step: float | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """The dimensions that blocks are cut along."""
        return AXES[self.role]

    def open(self) -> xr.Dataset:
        """Return the store, lazily, with the truth's maps of what does not change.

        Of the truth there are the variables and levels that the forecast has: what is made from both is then made in
        the same way. A truth without all levels of the forecast is without levels, and so is a forecast of some of a
        truth's hybrid layers, whose coefficients are those of all of them.
        """
        forecast, truth = self.places.open("forecast"), self.places.open("truth")
        fixed = {str(v): truth[v].variable for v in truth.data_vars if truth[v].dims in (STATIC, INTERFACES)}
        layered = any(array.dims == INTERFACES for array in fixed.values())
        levels = forecast["level"].values if "level" in forecast.dims else np.empty(0)
        known = truth["level"].values if "level" in truth.dims else np.empty(0)
        strange = levels.size > 0 and layered and not np.array_equal(levels, known)
        if self.role == "forecast":
            whole = forecast.assign({v: a for v, a in fixed.items() if v not in forecast})
            return whole.drop_dims("level") if strange else whole
        shared = truth[[v for v in truth.data_vars if v in forecast or v in fixed]]
        if "level" not in shared.dims or not levels.size:
            return shared
        whole_column = not strange and np.isin(levels, known).all()
        return shared.sel(level=levels) if whole_column else shared.drop_dims("level")

    def look(self) -> tuple[Opened, Diagnosis, dict[str, str]]:
        """Return the quantities and maps of the first states, and what is wrong with variables."""
        first = chosen(self, {axis: np.zeros(1, int) for axis in self.axes})
        found, faults = opened(first, self.quantities, self.step)
        return found, maps_of(found, self.maps), faults

    def only(self, maps: Sequence[str], without: Sequence[str] = ()) -> PhysicsStore:
        """Return the same store with some of the maps, read without some quantities."""
        behind = quantities_behind(maps)
        return replace(
            self, maps=tuple(maps), quantities=tuple(q for q in self.quantities if q in behind and q not in without)
        )

    def reading(self, quantity: str) -> PhysicsStore:
        """Return the same store, read for one quantity alone."""
        return replace(self, maps=(), quantities=(quantity,))


def chosen(store: PhysicsStore, at: Positions) -> xr.Dataset:
    """Return the variables that a store's quantities are taken from, at some positions, in memory."""
    data = store.open()
    names = _variables(data, store)
    rest = [str(v) for v in data.data_vars if data[v].dims == INTERFACES]
    picked = {axis: as_slice(p) for axis, p in at.items()}
    return data[[*names, *rest]].isel(picked, missing_dims="ignore").load()  # there may be maps without time alone


def _variables(data: xr.Dataset, store: PhysicsStore) -> list[str]:
    sources = [source_of(q, list(map(str, data.data_vars)), step=store.step) for q in store.quantities]
    return list(dict.fromkeys(s.variable for s in sources if s is not None))


def lead_step(leads: np.ndarray) -> float | None:
    """Return the hours between lead times (ascending, in hours); None where there are not two, or they differ."""
    steps = np.unique(np.round(np.diff(leads), 6))
    return float(steps[0]) if steps.size == 1 else None


def work(store: PhysicsStore, at: Positions) -> Means:
    """Return means over the globe of one block.

    Parameters
    ----------
    store : PhysicsStore
        What is read.
    at : dict of str to ndarray of int
        Positions along its axes.

    Returns
    -------
    dict of str to ndarray of shape (member, *axes)
        By map, float64.
    """
    data = chosen(store, at)
    found = open_quantities(data, wanted=store.quantities, step=store.step)
    areas = exact_cell_areas(data["latitude"].values, data["longitude"].values)
    means = {}
    for name, values in maps_of(found, store.maps).fields.items():
        whole = values if "member" in values.dims else values.expand_dims("member")
        space = [dim for dim in STATIC if dim in whole.dims]
        ordered = whole.transpose("member", *store.axes, *space).values
        means[str(name)] = np.asarray(area_mean(ordered, areas) if space else ordered)
    return means


def global_means(
    store: PhysicsStore, positions: Positions, *, client: Client | None = None, threads: int | None = None
) -> Means:
    """Return means over the globe of a store's maps.

    Parameters
    ----------
    store : PhysicsStore
        What is read.
    positions : dict of str to ndarray of int
        Ascending positions along its axes.
    client, threads
        As for `climbench.tasks.forecast.engine.accumulate`.

    Returns
    -------
    dict of str to ndarray of shape (member, *axes)
        By map; memory does not grow with the store.
    """
    result: Means = {}
    if not store.maps or not all(p.size for p in positions.values()):
        return result
    cuts = list(blocks(store, positions))
    pieces = [{a: positions[a][cut] for a, cut in zip(store.axes, block, strict=True)} for block in cuts]
    for n, means in spread(_numbered, store, list(enumerate(pieces)), client, threads):
        for name, values in means.items():
            if name not in result:
                shape = (values.shape[0], *(positions[a].size for a in store.axes))
                result[name] = np.full(shape, np.nan)
            result[name][(slice(None), *cuts[n[0]])] = values
    return result


def _numbered(store: PhysicsStore, piece: tuple[int, Positions]) -> Means:
    return work(store, piece[1])


def blocks(store: PhysicsStore, positions: Positions) -> Iterator[tuple[slice, ...]]:
    """Yield slices of positions along the store's axes, in its order, each of whole chunks."""
    data = store.open()
    arrays = [data[v] for v in _variables(data, store) if set(store.axes) <= set(data[v].dims)]
    one = sum(map_bytes(a) * a.sizes.get("level", 1) * a.sizes.get("member", 1) for a in arrays)
    cuts: list[list[slice]] = []
    room = max(1, BLOCK_BYTES // max(1, one))
    for axis in reversed(store.axes):
        chunk = max(_chunk(array, axis) for array in arrays)
        cuts.insert(0, along_chunks(positions[axis], chunk, room))
        longest = max(cut.stop - cut.start for cut in cuts[0])
        room = max(1, room // longest)
    if len(cuts) == 1:
        yield from ((cut,) for cut in cuts[0])
    else:
        yield from ((i, j) for i in cuts[0] for j in cuts[1])


def _chunk(array: xr.DataArray, axis: str) -> int:
    chunked = array.encoding.get("chunks") is not None or array.chunks is not None
    return chunk_size(array, axis, 1) if chunked else 1
