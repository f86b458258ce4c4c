"""Named regions, and the weights of a grid's cells within them.

A cell belongs to a region if its centre does, both ends of each range included: the rule of WeatherBench 2, whose names
and ranges (ECMWF's) and WeatherBench-X's further ones these are. Beside them stand the 21 land boxes that IPCC reports
have been written in (Giorgi and Francisco 2000, doi:10.1029/1999GL011016), by their short names, such as
``giorgi-med``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from climbench.errors import DataError, did_you_mean

Surface = Literal["all", "land", "ocean"]

# Coordinates such as 19.999999999999996 or float32 count as what they stand for.
ROUND_OFF = 1e-4


@dataclass(frozen=True)
class Region:
    """A part of the globe.

    Attributes
    ----------
    name : str
        As WeatherBench 2 or WeatherBench-X have it, or a short name of Giorgi and Francisco.
    latitude : tuple of (float, float)
        One or more ranges from south to north, in degrees north.
    longitude : (float, float)
        From west to east, in degrees east; the west is negative where the region lies across longitude 0.
    surface : {"all", "land", "ocean"}
        What counts: everything, or each cell with its fraction of land or of sea.
    """

    name: str
    latitude: tuple[tuple[float, float], ...] = ((-90.0, 90.0),)
    longitude: tuple[float, float] = (0.0, 360.0)
    surface: Surface = "all"

    def mask(self, grid: xr.Dataset | xr.DataArray) -> xr.DataArray:
        """Return which cells lie in the region, land and sea alike.

        Parameters
        ----------
        grid : Dataset or DataArray
            With coordinates ``latitude`` and ``longitude``, in degrees.

        Returns
        -------
        DataArray of shape (latitude, longitude)
            Booleans.
        """
        latitude, longitude = (grid[name].values.astype("float64") for name in ("latitude", "longitude"))
        rows = np.zeros(latitude.size, bool)
        for south, north in self.latitude:
            rows |= (latitude >= south - ROUND_OFF) & (latitude <= north + ROUND_OFF)
        west, east = self.longitude
        # In float64, as the remainder of a float32 may be rounded up to 360.
        eastward = np.mod(longitude - west + ROUND_OFF, 360.0)
        inside = rows[:, None] & (eastward <= east - west + 2 * ROUND_OFF)
        axes = {name: grid[name] for name in ("latitude", "longitude")}
        return xr.DataArray(inside, coords=axes, dims=tuple(axes), name="region")


_TROPICS = ((-20.0, 20.0),)
_EXTRA_TROPICS = ((-90.0, -20.0), (20.0, 90.0))
_REGIONS = (
    Region("global"),
    Region("tropics", _TROPICS),
    Region("extra-tropics", _EXTRA_TROPICS),
    Region("northern-hemisphere", ((20.0, 90.0),)),
    Region("southern-hemisphere", ((-90.0, -20.0),)),
    Region("europe", ((35.0, 75.0),), (-12.5, 42.5)),
    Region("north-america", ((25.0, 60.0),), (240.0, 285.0)),
    Region("north-atlantic", ((25.0, 65.0),), (290.0, 350.0)),
    Region("north-pacific", ((25.0, 60.0),), (145.0, 230.0)),
    Region("east-asia", ((25.0, 60.0),), (102.5, 150.0)),
    Region("ausnz", ((-45.0, -12.5),), (120.0, 175.0)),
    Region("arctic", ((60.0, 90.0),)),
    Region("antarctic", ((-90.0, -60.0),)),
    Region("global_land", surface="land"),
    Region("tropics_land", _TROPICS, surface="land"),
    Region("extra-tropics_land", _EXTRA_TROPICS, surface="land"),
    Region("global_ocean", surface="ocean"),
    Region("tropics_ocean", _TROPICS, surface="ocean"),
    Region("extra-tropics_ocean", _EXTRA_TROPICS, surface="ocean"),
    # WeatherBench-X
    Region("northern-africa", ((5.0, 32.5),), (-12.5, 37.5)),
    Region("southern-africa", ((-30.0, 5.0),), (12.5, 37.5)),
    Region("south-america", ((-40.0, 5.0),), (-75.0, -45.0)),
    Region("west-asia", ((15.0, 60.0),), (42.5, 102.5)),
    Region("south-east-asia", ((-12.5, 25.0),), (95.0, 125.0)),
)
# South, north, west and east in degrees.
_GIORGI = {
    "aus": (-45.0, -11.0, 110.0, 155.0),
    "amz": (-20.0, 12.0, -82.0, -34.0),
    "ssa": (-56.0, -20.0, -76.0, -40.0),
    "cam": (10.0, 30.0, -116.0, -83.0),
    "wna": (30.0, 60.0, -130.0, -103.0),
    "cna": (30.0, 50.0, -103.0, -85.0),
    "ena": (25.0, 50.0, -85.0, -60.0),
    "ala": (60.0, 72.0, -170.0, -103.0),
    "grl": (50.0, 85.0, -103.0, -10.0),
    "med": (30.0, 48.0, -10.0, 40.0),
    "neu": (48.0, 75.0, -10.0, 40.0),
    "waf": (-12.0, 18.0, -20.0, 22.0),
    "eaf": (-12.0, 18.0, 22.0, 52.0),
    "saf": (-35.0, -12.0, -10.0, 52.0),
    "sah": (18.0, 30.0, -20.0, 65.0),
    "sea": (-11.0, 20.0, 95.0, 155.0),
    "eas": (20.0, 50.0, 100.0, 145.0),
    "sas": (5.0, 30.0, 65.0, 100.0),
    "cas": (30.0, 50.0, 40.0, 75.0),
    "tib": (30.0, 50.0, 75.0, 100.0),
    "nas": (50.0, 70.0, 40.0, 180.0),
}
_GIORGI_REGIONS = tuple(
    Region(f"giorgi-{name}", ((south, north),), (west, east), surface="land")
    for name, (south, north, west, east) in _GIORGI.items()
)
REGIONS = {region.name: region for region in (*_REGIONS, *_GIORGI_REGIONS)}


def find_region(name: str) -> Region:
    """Return the region of that name.

    Parameters
    ----------
    name : str
        For example ``"europe"``.

    Returns
    -------
    Region
        From the table `REGIONS`.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in REGIONS:
        raise DataError(f"There is no region '{name}'. {did_you_mean(name, REGIONS)}")
    return REGIONS[name]


def region_weights(
    weights: xr.DataArray,
    grid: xr.Dataset | xr.DataArray,
    name: str,
    *,
    land_fraction: xr.DataArray | None = None,
    land_threshold: float | None = None,
) -> xr.DataArray:
    """Return area weights within a region, zero outside.

    Parameters
    ----------
    weights : DataArray of shape (latitude,) or (latitude, longitude)
        Area weights of the whole grid.
    grid : Dataset or DataArray
        With coordinates ``latitude`` and ``longitude``, in degrees.
    name : str
        The name of a region.
    land_fraction : DataArray of shape (latitude, longitude), optional
        From 0 (sea) to 1 (land), on the grid; needed for the regions of land and of ocean.
    land_threshold : float, optional
        Count cells with a larger fraction wholly and all others not at all, rather than by their fraction.

    Returns
    -------
    DataArray of shape (latitude, longitude)
        `weights` times the region's mask, and times the fraction of land or of sea in a region of one; not normalised.

    Raises
    ------
    DataError
        If there is no such region, no cell of the grid lies in it, or the fraction of land is missing, on another
        grid, or not a fraction.
    """
    region = find_region(name)
    mask = region.mask(grid).astype("float64")
    if region.surface != "all":
        land = _land(name, mask, land_fraction, land_threshold).astype("float64")
        mask = mask * (land if region.surface == "land" else 1.0 - land)
    if not (mask > 0).any():
        raise DataError(f"No cell of the grid lies in the region '{name}'. Leave that region out for these data.")
    return (weights * mask).transpose("latitude", "longitude").rename("weights")


def _land(name: str, mask: xr.DataArray, fraction: xr.DataArray | None, threshold: float | None) -> xr.DataArray:
    if fraction is None:
        raise DataError(f"The region '{name}' needs the fraction of land in each cell (land_fraction); none was given.")
    for axis in ("latitude", "longitude"):
        if axis not in fraction.coords or not np.array_equal(fraction[axis].values, mask[axis].values):
            raise DataError(f"The fraction of land for '{name}' lies on another {axis} than the grid. Regrid it first.")
    lowest, highest = float(fraction.min(skipna=False)), float(fraction.max(skipna=False))
    if not (lowest >= 0.0 and highest <= 1.0):
        raise DataError(
            f"The fraction of land for '{name}' must lie between 0 and 1 in every cell; found {lowest:g} to {highest:g}"
            ". Percent must be divided by 100."
        )
    return fraction > threshold if threshold is not None else fraction
