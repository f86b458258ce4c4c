"""Works on one piece of a forecast: reads its block, the truth and climatology of its valid times, and makes sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from climbench.data.climatology import SEEPS_DRY
from climbench.errors import PredictionError
from climbench.tasks.forecast.binned_statistics import BinnedStatistic
from climbench.tasks.forecast.catalogue import find_statistic
from climbench.tasks.forecast.job import WEIGHT, Job, Sums
from climbench.tasks.forecast.map_statistics import MapStatistic, WholeMaps
from climbench.tasks.forecast.plan import Piece
from climbench.tasks.forecast.reading import KeptMaps, forecast_block
from climbench.tasks.forecast.statistics import DRY_FRACTION, HEAVY, Statistic
from climbench.tasks.forecast.stores import Places
from climbench.tasks.forecast.targets import Target
from climbench.tasks.forecast.tiles import MEMBER_VALUES, TILE_VALUES, Tile

Buffers = dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class Wanted:
    """The statistics of one target by kind."""

    points: dict[str, Statistic]
    binned: dict[str, BinnedStatistic]
    maps: dict[str, MapStatistic]

    @classmethod
    def of(cls, names: Sequence[str]) -> Wanted:
        """Return statistics by their names."""
        found = {name: find_statistic(name) for name in names}
        return cls(
            {n: s for n, s in found.items() if isinstance(s, Statistic)},
            {n: s for n, s in found.items() if isinstance(s, BinnedStatistic)},
            {n: s for n, s in found.items() if isinstance(s, MapStatistic)},
        )

    @property
    def extra(self) -> set[str]:
        """Suffixes of further fields of the climatology."""
        return {suffix for statistic in self.points.values() for suffix in statistic.extra}


@dataclass(frozen=True)
class Maps:
    """The maps of one initial time: forecast (component, member, lead, cell), truth and climatology without members."""

    forecast: np.ndarray
    truth: np.ndarray
    climatology: np.ndarray | None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)


@lru_cache(maxsize=6)
def kept_maps(places: Places, role: str, variable: str) -> KeptMaps:
    """Return the reader of one variable of the truth or the climatology, which keeps the chunks read last."""
    array = places.open(role)[variable]
    axes = ("time",) if role == "truth" else tuple(a for a in ("hour", "dayofyear") if a in array.dims)
    return KeptMaps(array.isel(member=0) if "member" in array.dims and array.sizes["member"] == 1 else array, axes)


@lru_cache(maxsize=4)
def _dry_fraction(places: Places, variable: str) -> np.ndarray:
    """Return the share of dry days at each cell, averaged over hours and days."""
    array = places.open("climatology")[variable + DRY_FRACTION]
    hours = [array.isel(hour=h) for h in range(array.sizes["hour"])] if "hour" in array.dims else [array]
    return np.mean([part.mean("dayofyear").values.ravel() for part in hours], axis=0)


def forget() -> None:
    """Let go of everything that was read and kept."""
    kept_maps.cache_clear()
    _dry_fraction.cache_clear()


def work(job: Job, piece: Piece) -> dict[str, Sums]:
    """Return the sums of one piece.

    Parameters
    ----------
    job : Job
        What all pieces share.
    piece : Piece
        What is read and scored.

    Returns
    -------
    dict of str to Sums
        By target, of shape (init, lead, region) of the piece.

    Raises
    ------
    PredictionError
        If values are missing where none may be.
    """
    inits, leads = job.init_positions[piece.inits], job.lead_positions[piece.leads]
    components = piece.targets[0].components
    forecast = job.places.open("forecast")
    block = _stacked([forecast_block(forecast[c], inits, leads, piece.levels) for c in components])
    positions = job.truth_positions[piece.inits, piece.leads]
    wanted = {target.name: Wanted.of(job.statistics[target.name]) for target in piece.targets}
    shape = (inits.size, leads.size)
    result = {name: _blank(job, statistics, shape) for name, statistics in wanted.items()}
    buffers: Buffers = {}
    for i in range(inits.size):
        there = np.flatnonzero(positions[i] >= 0)
        if not there.size:
            continue
        row = positions[i][there]
        truth = _stacked([_again(buffers, job, "truth", c, [row], piece.levels) for c in components])
        climatology = _climatology(job, piece, wanted, i, there, buffers)
        for v, target in enumerate(piece.targets):
            maps = Maps(
                block[:, :, i, there if there.size < leads.size else slice(None), v],
                truth[:, :, v],
                None if climatology is None else climatology[:, :, v],
                _extra(job, piece, target, wanted[target.name], i, there, v, buffers),
            )
            _score_tiles(job, target, wanted[target.name], maps, result[target.name], i, there)
            _score_whole(job, target, wanted[target.name], maps, result[target.name], i, there)
    return result


def _blank(job: Job, wanted: Wanted, shape: tuple[int, int]) -> Sums:
    whole = (*shape, job.regions.shape[1])
    return Sums({name: np.zeros(whole) for name in (WEIGHT, *wanted.points)}, {}, np.zeros(shape, int))


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0][None] if len(parts) == 1 else np.stack(parts)


def _again(
    buffers: Buffers, job: Job, role: str, variable: str, at: Sequence[np.ndarray], levels: tuple[int, ...] | None
) -> np.ndarray:
    """Return maps of the truth or climatology in the array that the last ones were in."""
    kept = kept_maps(job.places, role, variable)
    maps = kept.take(at[-len(kept.axes) :], levels, buffers.get((role, variable)))
    buffers[role, variable] = maps
    return maps


def _climatology(
    job: Job, piece: Piece, wanted: Mapping[str, Wanted], i: int, there: np.ndarray, buffers: Buffers
) -> np.ndarray | None:
    """Return the climatology at the valid times, of shape (1, lead, level, cell); None where nothing needs it."""
    if not any(s.climatology for w in wanted.values() for s in w.points.values()):
        return None
    at = [axis[piece.inits, piece.leads][i][there] for axis in job.climatology_positions]
    return _again(buffers, job, "climatology", piece.targets[0].variable, at, piece.levels)[None]


def _extra(
    job: Job, piece: Piece, target: Target, wanted: Wanted, i: int, there: np.ndarray, v: int, buffers: Buffers
) -> dict[str, np.ndarray]:
    """Return further fields of the climatology, each of shape (lead, cell)."""
    found = {}
    if HEAVY in wanted.extra:
        at = [axis[piece.inits, piece.leads][i][there] for axis in job.climatology_positions]
        found[HEAVY] = _again(buffers, job, "climatology", target.variable + HEAVY, at, piece.levels)[:, v]
    if DRY_FRACTION in wanted.extra:
        found[DRY_FRACTION] = np.broadcast_to(_dry_fraction(job.places, target.variable), (there.size, job.weight.size))
    return found


def _score_tiles(job: Job, target: Target, wanted: Wanted, maps: Maps, sums: Sums, i: int, there: np.ndarray) -> None:
    """Add the statistics of one initial time's maps to the sums, tile by tile."""
    members, rows, cells = maps.forecast.shape[1:]
    together = rows if members == 1 else 1  # members of one map fill the cache by themselves
    step = max(256, (TILE_VALUES if members == 1 else MEMBER_VALUES) // (members * together))
    for first in range(0, rows, together):
        part = slice(first, first + together)
        for start in range(0, cells, step):
            cut = slice(start, start + step)
            tile = Tile(
                maps.forecast[:, :, part, cut],
                maps.truth[:, part, cut],
                None if maps.climatology is None else maps.climatology[:, part, cut],
                job.weight[cut],
                derived=target.is_derived,
                extra={name: values[part, cut] for name, values in maps.extra.items()},
                dry=SEEPS_DRY.get(target.variable, 0.0),
            )
            _score_tile(job, target, wanted, tile, sums, i, there[part], job.regions[cut])


def _score_tile(
    job: Job, target: Target, wanted: Wanted, tile: Tile, sums: Sums, i: int, rows: np.ndarray, weights: np.ndarray
) -> None:
    totals = [statistic.values(tile) @ weights for statistic in wanted.points.values()]
    if all(np.isfinite(total).all() for total in totals):
        valid = None
        sums.totals[WEIGHT][i, rows] += weights.sum(axis=0)
    else:
        valid = _masked(job, target, tile)
        totals = [np.where(valid, s.values(tile), 0.0) @ weights for s in wanted.points.values()]
        sums.totals[WEIGHT][i, rows] += valid @ weights
        sums.masked[i, rows] += (~valid).sum(axis=1)
    for name, total in zip(wanted.points, totals, strict=True):
        sums.totals[name][i, rows] += total
    for name, binned in wanted.binned.items():
        found = _binned(binned, tile, weights, valid)
        if name not in sums.totals:
            shape = (*sums.masked.shape, *found.shape[1:])
            sums.totals[name] = np.zeros(shape)
        sums.totals[name][i, rows] += found


def _binned(binned: BinnedStatistic, tile: Tile, weights: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    if valid is None:
        return binned.sums(tile, weights)
    return np.concatenate([binned.sums(tile.row(n), weights * valid[n][:, None]) for n in range(len(valid))])


def _masked(job: Job, target: Target, tile: Tile) -> np.ndarray:
    """Leave out cells with missing values where that was asked for, and return which are left.

    Raises
    ------
    PredictionError
        If it was not asked for, or values are so large that their squares are infinite.
    """
    ours, theirs, valid = tile.mask()
    if not job.mask and (ours or (theirs and target.name not in job.may_miss)):
        what = "forecast" if ours else "truth or the climatology"
        raise PredictionError(
            f"{target.name}: the {what} has missing or infinite values (found {ours or theirs} in the first maps where "
            "there are any). Mend it, or leave such cells out, and have them counted, with --set nan=mask."
        )
    if valid.all():
        raise PredictionError(f"{target.name}: values are so large that their squares are infinite.")
    return valid


def _score_whole(job: Job, target: Target, wanted: Wanted, maps: Maps, sums: Sums, i: int, there: np.ndarray) -> None:
    """Keep the statistics of whole maps; there are none of maps with missing values."""
    if not wanted.maps:
        return
    whole = ~(sums.masked[i, there] > 0)
    if not whole.any():
        return
    forecast, truth = maps.forecast[:, :, whole], maps.truth[:, whole]
    if target.is_derived:
        forecast, truth = (np.sqrt((x**2).sum(axis=0, keepdims=True)) for x in (forecast, truth))
    latitude, longitude = job.grid
    size = (latitude.size, longitude.size)
    opened = WholeMaps(
        forecast.reshape(*forecast.shape[:-1], *size),
        truth.reshape(*truth.shape[:-1], *size),
        latitude,
        longitude,
        job.weight.reshape(size),
    )
    for name, statistic in wanted.maps.items():
        found = statistic.values(opened)
        if name not in sums.maps:
            sums.maps[name] = np.full((*sums.masked.shape, found.shape[1]), np.nan)
        sums.maps[name][i, there[whole]] = found
