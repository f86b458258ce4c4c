"""Statistics of whole maps: spectra, structure, and scores of fields as one object; for the whole grid only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.grids import goes_round
from climbench.harmonics import SphericalHarmonics, spherical_harmonics
from climbench.metrics.energy_score import Differences, energy_score_of_fields
from climbench.metrics.exceedance import share_above
from climbench.metrics.fields import boxes
from climbench.metrics.fractions import fraction_statistics
from climbench.metrics.spectral_kernels import kinetic_energy, power
from climbench.metrics.structural_similarity import chaosbench_ms_ssim_of_maps, ms_ssim_of_maps
from climbench.metrics.variogram_score import variogram_score_of_fields

BOX_DEGREES = 20.0  # all pairs of cells would be too many


@dataclass(frozen=True)
class WholeMaps:
    """The maps of one initial time.

    Attributes
    ----------
    members : ndarray of shape (component, member, lead, latitude, longitude)
        The forecast.
    truth : ndarray of shape (component, lead, latitude, longitude)
        In the same unit.
    latitude, longitude : ndarray
        In degrees, ascending.
    weight : ndarray of shape (latitude, longitude)
        Area weights of mean 1.
    """

    members: np.ndarray
    truth: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    weight: np.ndarray

    @property
    def transform(self) -> SphericalHarmonics:
        """The spherical-harmonic transform of the grid, kept between calls."""
        return spherical_harmonics(self.latitude, self.longitude)

    @property
    def wraps(self) -> bool:
        """Whether longitudes go all round."""
        return goes_round(self.longitude)

    def mean(self, component: int = 0) -> np.ndarray:
        """Return the mean over members, of shape (lead, latitude, longitude)."""
        return self.members[component].mean(axis=0, dtype="float64")


@dataclass(frozen=True)
class MapStatistic:
    """A statistic of whole maps.

    Attributes
    ----------
    values : callable
        Takes `WholeMaps`, gives an array of shape (lead, n), float64.
    axis : str
        What the n values are along; those of several statistics are of one length.
    members, vector, globe : bool
        Whether it needs several members, both components of a wind, or a grid all round the globe.
    """

    values: Callable[[WholeMaps], np.ndarray]
    axis: str = "value"
    members: bool = False
    vector: bool = False
    globe: bool = False


def power_of_members(maps: WholeMaps) -> np.ndarray:
    """Return the mean over members of the power at each degree: that of the mean over members would be blurred."""
    return power(maps.members[0], maps.transform).mean(axis=0)


def power_of_truth(maps: WholeMaps) -> np.ndarray:
    """Return the truth's power at each degree."""
    return power(maps.truth[0], maps.transform)


def energy_of_members(maps: WholeMaps) -> np.ndarray:
    """Return the mean over members of the kinetic energy at each degree."""
    return kinetic_energy(maps.members[0], maps.members[1], maps.transform).mean(axis=0)


def energy_of_truth(maps: WholeMaps) -> np.ndarray:
    """Return the truth's kinetic energy at each degree."""
    return kinetic_energy(maps.truth[0], maps.truth[1], maps.transform)


def energy_score(maps: WholeMaps, *, adjacent: bool = False) -> np.ndarray:
    """Return the energy score of each lead, of shape (lead, 1)."""
    count, leads = maps.members.shape[1:3]
    members = np.swapaxes(maps.members[0].reshape(count, leads, -1), 0, 1)
    differences: Differences = "adjacent" if adjacent else "pairs"
    found = energy_score_of_fields(
        members, maps.truth[0].reshape(leads, 1, -1), maps.weight.ravel(), differences=differences
    )
    return found[:, None]


def variogram_score(maps: WholeMaps) -> np.ndarray:
    """Return the variogram score of order 1/2 between means over boxes of 20 degrees, of shape (lead, 1)."""
    axes = {"latitude": maps.latitude, "longitude": maps.longitude}
    weight = xr.DataArray(maps.weight, axes, tuple(axes))
    ours = xr.DataArray(maps.members[0], axes, ("member", "lead", *axes))
    theirs = xr.DataArray(maps.truth[0], axes, ("lead", *axes))
    (boxed, sizes), (observed, _) = (boxes(field, weight, degrees=BOX_DEGREES) for field in (ours, theirs))
    members = boxed.transpose("lead", "member", "box").values
    return variogram_score_of_fields(members, observed.values[:, None], sizes.values)[:, None]


def structural_similarity(maps: WholeMaps) -> np.ndarray:
    """Return the multi-scale similarity of the mean over members, in the range of the truth's map."""
    truth = maps.truth[0].astype("float64")
    low, high = (extreme(axis=(-2, -1)) for extreme in (truth.min, truth.max))
    return ms_ssim_of_maps(maps.mean(), truth, low, high, wrap=maps.wraps)[:, None]


def chaosbench_structural_similarity(maps: WholeMaps) -> np.ndarray:
    """Return the same as ChaosBench has it: each map in its own range."""
    return chaosbench_ms_ssim_of_maps(maps.mean(), maps.truth[0])[:, None]


def fraction_sums(threshold: float, window: int) -> Callable[[WholeMaps], np.ndarray]:
    """Return a function that gives both area means the fractions skill score is made from, of shape (lead, 2)."""

    def sums(maps: WholeMaps) -> np.ndarray:
        shares = share_above(np.moveaxis(maps.members[0], 0, -1), np.asarray(threshold))
        events = (maps.truth[0] > threshold).astype("float64")
        parts = fraction_statistics(shares, events, window, weights=maps.weight[:, 0], periodic=maps.wraps)
        return np.stack(parts, axis=-1)

    return sums


MAP_STATISTICS: dict[str, MapStatistic] = {
    "power": MapStatistic(power_of_members, "degree", globe=True),
    "truth_power": MapStatistic(power_of_truth, "degree", globe=True),
    "kinetic_energy": MapStatistic(energy_of_members, "degree", vector=True, globe=True),
    "truth_kinetic_energy": MapStatistic(energy_of_truth, "degree", vector=True, globe=True),
    "energy_score": MapStatistic(energy_score, members=True),
    "variogram_score": MapStatistic(variogram_score, members=True),
    "energy_score_adjacent": MapStatistic(lambda maps: energy_score(maps, adjacent=True), members=True),
    "similarity": MapStatistic(structural_similarity),
    "similarity_stretched": MapStatistic(chaosbench_structural_similarity),
}
