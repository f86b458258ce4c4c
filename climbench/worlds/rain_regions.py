"""The regions of the rain world: where each is, what rain falls there and on what land. One table, known in full."""

from __future__ import annotations

from dataclasses import dataclass

from climbench.errors import DataError, did_you_mean

CELLS = 128  # of a region's fine grid, along each side
STEP = 0.05  # degrees between cells
SPACING = 5.5  # km between cells, both ways: the plane is taken as flat


@dataclass(frozen=True)
class Region:
    """A region: the climate of its rain, its winds and its land.

    Wet frequency and percentile are what the world is set to, over all cells and hours: threshold and scale of the
    rain follow from them (`climbench.worlds.rain_law`).

    Attributes
    ----------
    title : str
        What it is like.
    latitude, longitude : float
        Of its middle, in degrees.
    wet_frequency : float
        Share of hours with 0.1 mm or more.
    percentile_99_9 : float
        Of all hours and cells, in mm of an hour.
    eastward, northward : float
        Mean wind, m/s; each sequence of hours has one of its own around it.
    wind_spread : float
        Standard deviation of either component between sequences, m/s.
    outer : float
        Wavelength beyond which areas of rain have no more power, km.
    stretch, tilt : float
        How much longer than wide areas of rain are, squared being the ratio of lengths; and the direction of the long
        side, in degrees from east towards north.
    memory : float
        Hours in which waves of 100 km keep 1/e of themselves in air that moves with the wind.
    cells : float
        Standard deviation of the logarithm of intensity that no coarse field tells: the sub-grid randomness.
    cell_size : float
        Wavelength beyond which that has no more power, km.
    instability : float
        Standard deviation of the logarithm of intensity that goes with the convective energy.
    upslope : float
        Logarithm of the factor on rain where wind climbs fast; its negative where it descends.
    land_gain : float
        Logarithm of the factor on rain over land.
    land : float
        Share of land.
    coast : float or None
        Direction from sea to land, in degrees from east towards north; None for islands anywhere.
    ridge : float
        Height of the ridge, m.
    ridge_place, ridge_width, ridge_tilt : float
        Distance of its crest from the middle, and its half-width, in km, and the direction it runs in, in degrees.
    hills : float
        Height of hills, m.
    water, energy : float
        Median of the column's water (kg m-2) and of convective available potential energy (J kg-1).
    """

    title: str
    latitude: float
    longitude: float
    wet_frequency: float
    percentile_99_9: float
    eastward: float
    northward: float
    wind_spread: float
    outer: float
    stretch: float
    tilt: float
    memory: float
    cells: float
    cell_size: float
    instability: float
    upslope: float
    land_gain: float
    land: float
    coast: float | None
    ridge: float
    ridge_place: float
    ridge_width: float
    ridge_tilt: float
    hills: float
    water: float
    energy: float

    @property
    def wind(self) -> tuple[float, float]:
        """The mean wind, eastward and northward, m/s."""
        return self.eastward, self.northward


TITLES = {
    "storm-track": "fronts from the sea on a hilly coast, midlatitudes",
    "ranges": "high mountains inland, midlatitudes, fronts and summer storms",
    "rainforest": "wet tropics, flat, clusters of thunderstorms",
    "monsoon": "monsoon against a coastal range, tropics",
    "drylands": "desert and steppe with rare storms",
    "islands": "trade winds over islands in a warm sea",
}
# A line for each parameter, a column for each region in the order above.
TABLE: dict[str, tuple[float | None, ...]] = {
    "latitude": (53.0, 46.0, -4.0, 17.0, 24.0, -9.0),
    "longitude": (354.0, 10.0, 298.0, 75.0, 22.0, 150.0),
    "wet_frequency": (0.20, 0.14, 0.18, 0.26, 0.03, 0.10),
    "percentile_99_9": (6.0, 8.0, 17.0, 14.0, 3.5, 11.0),
    "eastward": (11.0, 5.0, -6.0, 9.0, -4.0, -7.0),
    "northward": (4.0, 3.0, 0.0, 2.0, 3.0, 2.0),
    "wind_spread": (3.0, 3.5, 2.0, 2.5, 3.0, 2.0),
    "outer": (240.0, 180.0, 180.0, 220.0, 150.0, 140.0),
    "stretch": (1.5, 1.25, 1.0, 1.2, 1.1, 1.0),
    "tilt": (60.0, 40.0, 0.0, 20.0, 0.0, 0.0),
    "memory": (8.0, 5.0, 3.5, 5.0, 2.5, 3.0),
    "cells": (0.65, 0.7, 0.75, 0.75, 0.75, 0.7),
    "cell_size": (80.0, 75.0, 70.0, 70.0, 60.0, 60.0),
    "instability": (0.15, 0.2, 0.25, 0.2, 0.25, 0.25),
    "upslope": (0.6, 0.7, 0.3, 0.9, 0.5, 0.8),
    "land_gain": (0.0, 0.0, 0.0, 0.0, 0.0, 0.5),
    "land": (0.45, 0.95, 1.0, 0.65, 1.0, 0.22),
    "coast": (0.0, 90.0, None, 0.0, None, None),
    "ridge": (900.0, 1900.0, 0.0, 1500.0, 900.0, 0.0),
    "ridge_place": (60.0, 20.0, 0.0, -30.0, -120.0, 0.0),
    "ridge_width": (45.0, 70.0, 50.0, 40.0, 60.0, 50.0),
    "ridge_tilt": (80.0, 10.0, 0.0, 95.0, 30.0, 0.0),
    "hills": (250.0, 350.0, 150.0, 300.0, 300.0, 900.0),
    "water": (17.0, 20.0, 52.0, 56.0, 22.0, 48.0),
    "energy": (60.0, 250.0, 1400.0, 900.0, 500.0, 1100.0),
}
REGIONS: dict[str, Region] = {
    # A table's rows are of several types, and mypy takes them all for one: the dataclass names each.
    name: Region(title, **{parameter: values[column] for parameter, values in TABLE.items()})  # type: ignore[arg-type]
    for column, (name, title) in enumerate(TITLES.items())
}


def region_of(name: str) -> Region:
    """Return a region by its name; raise `DataError` where there is none."""
    if name not in REGIONS:
        raise DataError(f"The world 'rain' has no region '{name}'. {did_you_mean(name, REGIONS)}")
    return REGIONS[name]
