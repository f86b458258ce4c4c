"""From emissions to effective radiative forcing, for the gases and aerosols that ClimateBench gives as inputs.

Every number is from the literature and fixed before any emulator is fitted.

References
----------
Thornhill et al. (2021), doi:10.5194/acp-21-853-2021, 2014 against 1850, mean over the models of AerChemMIP, which were
given the emissions that ClimateBench gives: -1.03 +- 0.37 W m-2 by SO2, 0.15 +- 0.17 W m-2 by black carbon, and
0.67 +- 0.17 W m-2 by methane at the concentrations of these years, ozone and water vapour that it makes included.
Meinshausen et al. (2017), doi:10.5194/gmd-10-2057-2017: those concentrations.
Prather et al. (2012), doi:10.1029/2012GL051440: lifetime of methane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from climbench.errors import ModelError
from climbench.models.response.carbon_cycle import CarbonCycle
from climbench.models.response.emission_history import RECORD, RECORD_YEARS, Emissions
from climbench.models.response.energy_balance import MEAN_FEEDBACK, TwoBoxes
from climbench.models.response.greenhouse_forcing import CH4_1750, carbon_dioxide_forcing, methane_forcing

CH4_1850, CH4_2014 = 808.2, 1831.5  # ppb
CH4_LIFETIME = 9.1  # years
TG_CH4_PER_PPB = 2.75  # Prather et al. 2012
SO2_FORCING, BC_FORCING, CH4_FORCING = -1.03, 0.15, 0.67  # W m-2, 2014 against 1850


def _change(name: str) -> float:
    """Return how much more of a species was emitted in 2014 than in 1850, in Tg/yr."""
    values = dict(zip(RECORD_YEARS, RECORD[name], strict=True))
    return values[2014] - values[1850]


SO2_EFFICIENCY = SO2_FORCING / _change("SO2")  # W m-2 per Tg/yr
BC_EFFICIENCY = BC_FORCING / _change("BC")
OWN_SHARE = float(np.diff(methane_forcing(np.array([CH4_1850, CH4_2014])))[0]) / CH4_FORCING  # of methane's forcing


@dataclass(frozen=True)
class Forcing:
    """What a scenario's emissions bring about, a value a year from 1750 on.

    Attributes
    ----------
    years : ndarray of shape (year,)
        Integer years.
    co2, ch4 : ndarray of shape (year,)
        Concentrations at the end of each year, in ppm and ppb.
    carbon_dioxide, methane, sulfate, soot : ndarray of shape (year,)
        Forcing by each species in W m-2; that of methane with ozone and water vapour that it makes.
    absorbed_by_methane : ndarray of shape (year,)
        What methane itself absorbs, in W m-2.
    """

    years: np.ndarray
    co2: np.ndarray
    ch4: np.ndarray
    carbon_dioxide: np.ndarray
    methane: np.ndarray
    sulfate: np.ndarray
    soot: np.ndarray
    absorbed_by_methane: np.ndarray

    @property
    def greenhouse(self) -> np.ndarray:
        """Forcing by both gases in W m-2, of shape (year,)."""
        return self.carbon_dioxide + self.methane

    @property
    def aerosol(self) -> np.ndarray:
        """Forcing by sulfate and soot in W m-2, of shape (year,)."""
        return self.sulfate + self.soot

    def now(self, series: np.ndarray, data: xr.Dataset) -> np.ndarray:
        """Return the values of a yearly series in the years of a data set."""
        return series[data["time"].values - self.years[0]]


def forcing(emissions: Emissions) -> Forcing:
    """Return the forcing that emissions bring about.

    The carbon cycle runs with the mean feedback of climate models, whatever the one emulated: its concentrations stand
    for those that all models of CMIP6 were given.

    Parameters
    ----------
    emissions : Emissions
        From 1750 on.

    Returns
    -------
    Forcing

    Raises
    ------
    ModelError
        If more carbon dioxide is taken out of the air than there is.
    """
    ch4 = methane_concentration(emissions.ch4)
    absorbed = methane_forcing(ch4)
    methane = absorbed / OWN_SHARE
    sulfate = SO2_EFFICIENCY * (emissions.so2 - emissions.so2[0])
    soot = BC_EFFICIENCY * (emissions.bc - emissions.bc[0])
    co2 = carbon_dioxide(emissions, methane + sulfate + soot)
    own = carbon_dioxide_forcing(co2)
    return Forcing(emissions.years, co2, ch4, own, methane, sulfate, soot, absorbed)


def carbon_dioxide(emissions: Emissions, other: np.ndarray) -> np.ndarray:
    """Return the concentration of carbon dioxide.

    Parameters
    ----------
    emissions : Emissions
        From 1750 on.
    other : ndarray of shape (year,)
        Forcing by all but carbon dioxide in W m-2; its warming slows the sinks.

    Returns
    -------
    ndarray of shape (year,)
        In ppm at the end of each year.

    Raises
    ------
    ModelError
        If more is taken out of the air than there is.
    """
    cycle, climate, warming = CarbonCycle(), TwoBoxes(MEAN_FEEDBACK), 0.0
    levels = np.empty(emissions.years.size)
    for year, emitted in enumerate(emissions.co2.tolist()):
        levels[year] = cycle.step(emitted, warming)
        if not levels[year] > 0.0:
            raise ModelError(f"Emissions leave no carbon dioxide in the air in {emissions.years[year]}: look at CO2.")
        warming = climate.step(float(carbon_dioxide_forcing(levels[year])) + float(other[year]))
    return levels


def methane_concentration(emissions: np.ndarray) -> np.ndarray:
    """Return the concentration of methane with a constant lifetime, in balance in the first year.

    Parameters
    ----------
    emissions : ndarray of shape (year,)
        Anthropogenic emissions in Tg/yr, from 1750.

    Returns
    -------
    ndarray of shape (year,)
        In ppb at the end of each year.
    """
    return CH4_1750 + filtered(emissions - emissions[0], CH4_LIFETIME) * CH4_LIFETIME / TG_CH4_PER_PPB


def filtered(series: np.ndarray, time_scale: float) -> np.ndarray:
    """Return a series as something with a memory sees it.

    Parameters
    ----------
    series : ndarray of shape (year,)
        Constant within each year, and at its first value for ever before.
    time_scale : float
        Of the exponential memory, in years.

    Returns
    -------
    ndarray of shape (year,)
        The weighted mean over the past at the end of each year, in the series' unit.
    """
    keep = float(np.exp(-1.0 / time_scale))
    above: np.ndarray = lfilter([1.0 - keep], [1.0, -keep], series - series[0])
    return series[0] + above
