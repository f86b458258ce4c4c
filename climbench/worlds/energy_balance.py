"""From emissions to global temperature: carbon cycle, methane, radiative forcing, two-box energy balance.

References
----------
Joos et al. (2013), doi:10.5194/acp-13-2793-2013, Table 5: impulse response of carbon dioxide.
Myhre et al. (1998), doi:10.1029/98GL01908, Table 3: forcing of carbon dioxide and methane.
Prather et al. (2012), doi:10.1029/2012GL051440: lifetime of methane, 9.1 years.
Geoffroy et al. (2013), doi:10.1175/JCLI-D-12-00195.1, Table 3: two-box parameters, mean of CMIP5 models.
Trenberth and Smith (2005), doi:10.1175/JCLI-3299.1: mass of dry air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

AIR_MOLES = 5.1352e18 / 28.9647e-3  # mass of dry air [kg] over its molar mass [kg/mol]
PGC_PER_PPM = AIR_MOLES * 1e-6 * 12.011e-3 / 1e12
GTCO2_PER_PPM = PGC_PER_PPM * 44.01 / 12.011
TGCH4_PER_PPB = AIR_MOLES * 1e-9 * 16.043e-3 / 1e9
CO2_1850, CH4_1850 = 284.3, 808.2  # ppm, ppb: CMIP6 concentrations of 1850, Meinshausen et al. 2017
RESPONSE = ((0.2173, np.inf), (0.2240, 394.4), (0.2824, 36.54), (0.2763, 4.304))  # fraction, years
CH4_LIFETIME = 9.1  # years
SO2_FORCING = -1.5e-5  # W m-2 per Gg S/yr: assumed, about -0.8 W m-2 in 2014
BC_FORCING = 0.025  # W m-2 per Tg/yr: assumed, about 0.2 W m-2 in 2014


def carbon_dioxide(emissions: np.ndarray) -> np.ndarray:
    """Return the concentration of carbon dioxide that emissions bring about.

    Parameters
    ----------
    emissions : ndarray of shape (year,)
        Net emissions in PgC/yr, from 1850.

    Returns
    -------
    ndarray of shape (year,)
        In ppm at the end of each year.
    """
    age = np.arange(emissions.size)
    airborne = np.sum([fraction * np.exp(-age / lifetime) for fraction, lifetime in RESPONSE], axis=0)
    return CO2_1850 + np.convolve(emissions, airborne)[: emissions.size] / PGC_PER_PPM


def methane(emissions: np.ndarray) -> np.ndarray:
    """Return the concentration of methane with a constant lifetime, in balance in the first year.

    Parameters
    ----------
    emissions : ndarray of shape (year,)
        Anthropogenic emissions in Tg/yr, from 1850.

    Returns
    -------
    ndarray of shape (year,)
        In ppb at the end of each year.
    """
    keep = np.exp(-1.0 / CH4_LIFETIME)
    excess, level = np.empty(emissions.size), 0.0
    for year, emitted in enumerate(emissions - emissions[0]):
        level = level * keep + emitted * CH4_LIFETIME * (1.0 - keep)
        excess[year] = level
    return CH4_1850 + excess / TGCH4_PER_PPB


def forcing_carbon_dioxide(concentration: np.ndarray) -> np.ndarray:
    """Return 5.35 ln(C / C0) in W m-2 for a concentration in ppm."""
    return 5.35 * np.log(concentration / CO2_1850)


def forcing_methane(concentration: np.ndarray) -> np.ndarray:
    """Return 0.036 (sqrt(M) - sqrt(M0)) in W m-2 for a concentration in ppb, overlap with nitrous oxide left out."""
    return 0.036 * (np.sqrt(concentration) - np.sqrt(CH4_1850))


@dataclass(frozen=True)
class TwoBoxModel:
    r"""Energy balance of an upper box and the deep ocean.

    .. math:: C \dot T = F - \lambda T - \gamma (T - T_d), \qquad C_d \dot T_d = \gamma (T - T_d)

    Attributes
    ----------
    feedback : float
        :math:`\lambda` in W m-2 K-1.
    exchange : float
        :math:`\gamma` in W m-2 K-1.
    upper, deep : float
        Heat capacities C and C_d in W yr m-2 K-1.
    """

    feedback: float = 1.13
    exchange: float = 0.73
    upper: float = 7.3
    deep: float = 106.0

    def respond(self, forcing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the temperatures that a forcing brings about, exactly for a forcing constant within each year.

        Parameters
        ----------
        forcing : ndarray of shape (year,)
            In W m-2.

        Returns
        -------
        upper, deep : ndarray of shape (year,)
            Temperature anomalies in K at the end of each year, from rest.
        """
        rates = np.array(
            [
                [-(self.feedback + self.exchange) / self.upper, self.exchange / self.upper],
                [self.exchange / self.deep, -self.exchange / self.deep],
            ]
        )
        step = expm(rates)
        push = np.linalg.solve(rates, step - np.eye(2)) @ np.array([1.0 / self.upper, 0.0])
        state, states = np.zeros(2), np.empty((forcing.size, 2))
        for year, value in enumerate(forcing):
            state = step @ state + push * value
            states[year] = state
        return states[:, 0], states[:, 1]
