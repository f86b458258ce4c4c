"""Global emissions of a scenario from before industry to its last year, from inputs that may begin late.

Slow parts of the climate remember emissions of long ago, and ClimateBench's future scenarios begin in 2015. What the
inputs do not say is filled from the historical record: years before the first one, and carbon dioxide from land use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.grids import cell_areas

SPECIES = ("CO2", "CH4", "SO2", "BC")
MASS_IN_AIR = ("1pctCO2", "abrupt-4xCO2")  # where ClimateBench's CO2 is none of emissions
START, CUMULATED_FROM = 1750, 1850
EARTH_RADIUS = 6.371e6  # m
SECONDS_PER_YEAR = 365.0 * 86400.0
GTCO2_PER_PGC = 44.01 / 12.011

# The historical record, linear between these years: fossil CO2 and CO2 from land use [PgC/yr], CH4 [Tg/yr],
# SO2 [Tg/yr], BC [Tg/yr]. From RCMIP v5.1 (Nicholls et al. 2020, doi:10.5194/gmd-13-5175-2020), after Hoesly et al.
# (2018), doi:10.5194/gmd-11-369-2018, for SO2, BC and CH4.
RECORD_YEARS = (1750, 1800, 1850, 1870, 1890, 1910, 1930, 1950, 1960, 1970, 1980, 1990, 2000, 2010, 2014, 2015)
RECORD = {
    "CO2": (
        0.003,
        0.008,
        0.051,
        0.137,
        0.325,
        0.766,
        1.073,
        1.696,
        2.728,
        4.324,
        5.651,
        6.187,
        6.893,
        8.976,
        9.719,
        9.725,
    ),
    "CH4": (19.0, 27.1, 43.1, 57.0, 77.1, 97.8, 119.7, 152.2, 197.3, 244.4, 283.3, 305.3, 310.2, 370.9, 387.9, 388.1),
    "SO2": (2.44, 2.70, 4.55, 7.78, 15.5, 34.2, 41.6, 58.3, 85.9, 123.1, 137.6, 134.2, 111.3, 116.5, 114.2, 100.9),
    "BC": (2.10, 2.22, 2.57, 2.83, 3.16, 3.77, 3.91, 4.33, 5.29, 5.55, 6.62, 7.51, 7.46, 9.67, 9.74, 9.73),
}
LAND_USE = (
    0.081,
    0.202,
    0.503,
    0.519,
    0.688,
    0.946,
    1.023,
    1.045,
    1.462,
    1.532,
    1.244,
    1.445,
    1.201,
    0.885,
    1.096,
    0.960,
)
LAND_USE_ENDS = 2100  # assumed: after the record it falls linearly to zero, as no input says what it does


@dataclass(frozen=True)
class Emissions:
    """Global emissions of one scenario, a value a year from 1750 on.

    Attributes
    ----------
    years : ndarray of shape (year,)
        Integer years without gaps.
    co2 : ndarray of shape (year,)
        Carbon dioxide from fossil fuels and industry and from land use, in PgC/yr.
    ch4, so2, bc : ndarray of shape (year,)
        Methane, sulfur dioxide and black carbon in Tg/yr.
    """

    years: np.ndarray
    co2: np.ndarray
    ch4: np.ndarray
    so2: np.ndarray
    bc: np.ndarray


def global_total(flux: xr.DataArray) -> xr.DataArray:
    """Return what a flux adds up to over the globe and a year of 365 days.

    Parameters
    ----------
    flux : DataArray of shape (time, latitude, longitude)
        In kg m-2 s-1. Without a map it must be zero (as ClimateBench's idealised experiments give it).

    Returns
    -------
    DataArray of shape (time,)
        In Tg/yr.

    Raises
    ------
    ModelError
        If it is no map and not zero.
    """
    if "latitude" in flux.dims:
        areas = cell_areas(flux) * EARTH_RADIUS**2
        return xr.dot(flux.astype("float64"), areas) * (SECONDS_PER_YEAR / 1e9)
    if bool((flux != 0.0).any()):
        raise ModelError(f"{flux.name} must be a map in kg m-2 s-1; it has the dimensions {flux.dims}.")
    return flux.astype("float64")


def global_series(inputs: xr.Dataset) -> xr.Dataset:
    """Return the inputs as global totals, a value for every year between the first and the last.

    Parameters
    ----------
    inputs : Dataset
        ``CO2`` (time,) cumulative in GtCO2, ``CH4`` (time,) in GtCH4/yr, ``SO2`` and ``BC`` (time, latitude,
        longitude) in kg m-2 s-1, at ascending integer years. Years that are missing are interpolated linearly.

    Returns
    -------
    Dataset of shape (time,)
        ``CO2`` cumulative in GtCO2, the others in Tg/yr.

    Raises
    ------
    ModelError
        If an input is missing, years do not ascend, or there is only one.
    """
    lacking = [name for name in SPECIES if name not in inputs]
    if lacking:
        raise ModelError(f"The inputs lack {', '.join(lacking)}; emissions of {', '.join(SPECIES)} are needed.")
    years = inputs["time"].values
    if years.size < 2 or (np.diff(years) <= 0).any():
        raise ModelError(f"Emission inputs need two ascending years or more; found {years.size}, first {years[:1]}.")
    series = {name: global_total(inputs[name]) for name in ("SO2", "BC")}
    totals = xr.Dataset({"CO2": inputs["CO2"], "CH4": inputs["CH4"] * 1e3, **series}).astype("float64")
    totals = totals.drop_vars([c for c in totals.coords if c != "time"]).broadcast_like(inputs["time"])
    return totals.interp(time=np.arange(years[0], years[-1] + 1))


def global_past(train: Mapping[str, xr.Dataset]) -> xr.Dataset | None:
    """Return the global totals that precede those of later scenarios.

    Parameters
    ----------
    train : mapping of str to Dataset
        The training scenarios, with inputs as for `global_series`.

    Returns
    -------
    Dataset of shape (time,) or None
        Those of ``historical``; None where it is not trained on.

    Raises
    ------
    ModelError
        If a scenario gives no emissions of carbon dioxide, but what is in the air.
    """
    for name in MASS_IN_AIR:
        if name in train:
            raise ModelError(
                f"{name} cannot be trained on: its input CO2 is the mass in the air, not cumulative emissions. "
                "Leave it out with --set train=[...]."
            )
    return global_series(train["historical"]) if "historical" in train else None


def after(past: xr.Dataset | None, totals: xr.Dataset) -> xr.Dataset:
    """Return global totals with those of an earlier period before them, where it reaches them.

    Parameters
    ----------
    past : Dataset of shape (time,) or None
        From `global_series`, for example of ``historical``.
    totals : Dataset of shape (time,)
        Likewise, of a later scenario.

    Returns
    -------
    Dataset of shape (time,)
        `totals` alone where the past ends too early or begins no earlier.
    """
    if past is None or int(past["time"][-1]) + 1 < int(totals["time"][0]):
        return totals
    return xr.concat([past.sel(time=past["time"] < totals["time"][0]), totals], "time")


def emissions(totals: xr.Dataset) -> Emissions:
    """Return emissions from 1750 on, with the historical record before the first year that is given.

    The record of each species is scaled so that it meets the first year's emissions, that of carbon dioxide so that
    it adds up, from 1850, to the cumulative total of the first year. Where all of a species' inputs are zero
    (``hist-GHG``, ``hist-aer``) there is none of it in the past either, and no land use where there is no CO2.

    Parameters
    ----------
    totals : Dataset of shape (time,)
        From `global_series`.

    Returns
    -------
    Emissions
    """
    first, last = int(totals["time"][0]), int(totals["time"][-1])
    past = np.arange(min(START, first), first)
    series = {name: totals[name].values for name in ("CH4", "SO2", "BC")}
    extended = {name: np.concatenate([_past(name, past, v[0]), v]) for name, v in series.items()}
    years = np.arange(past[0] if past.size else first, last + 1)
    co2 = _carbon_dioxide(totals["CO2"].values, past)
    co2 = co2 + _land_use(years, bool((co2 != 0.0).any()))
    return Emissions(years, co2, extended["CH4"], extended["SO2"], extended["BC"])


def _past(name: str, years: np.ndarray, first: float) -> np.ndarray:
    """Return the record of years before the inputs, scaled to meet their first value."""
    if years.size == 0:
        return np.empty(0)
    next_year = int(years[-1]) + 1
    if next_year <= RECORD_YEARS[-1]:
        known = np.interp(np.append(years, next_year), RECORD_YEARS, RECORD[name])
        return known[:-1] * (first / known[-1])
    return np.interp(years, [*RECORD_YEARS, next_year], [*RECORD[name], first])


def _carbon_dioxide(cumulative: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Return fossil emissions in PgC/yr of the past and of the inputs' years."""
    total = cumulative / GTCO2_PER_PGC
    rate = np.diff(total, prepend=np.nan)
    first_year = int(past[-1]) + 1 if past.size else CUMULATED_FROM
    rate[0] = total[0] if first_year == CUMULATED_FROM else rate[1]
    if not cumulative.any():
        return np.zeros(past.size + total.size)
    before = _past("CO2", past, rate[0])
    counted = past >= CUMULATED_FROM
    if counted.any() and before[counted].sum() > 0.0:
        before[counted] *= (total[0] - rate[0]) / before[counted].sum()
    return np.concatenate([before, rate])


def _land_use(years: np.ndarray, wanted: bool) -> np.ndarray:
    """Return emissions of carbon dioxide from land use in PgC/yr: recorded, then assumed to end in 2100."""
    if not wanted:
        return np.zeros(years.size)
    return np.interp(years, [*RECORD_YEARS, LAND_USE_ENDS], [*LAND_USE, 0.0])
