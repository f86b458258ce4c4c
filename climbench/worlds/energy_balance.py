"""From emissions to global temperature: carbon cycle, methane, radiative forcing, two-box energy balance.

References
----------
Joos et al. (2013), doi:10.5194/acp-13-2793-2013, Table 5: impulse response of carbon dioxide.
Myhre et al. (1998), doi:10.1029/98GL01908, Table 3: forcing of carbon dioxide and methane.
Prather et al. (2012), doi:10.1029/2012GL051440: lifetime of methane, 9.1 years.
Geoffroy et al. (2013), doi:10.1175/JCLI-D-12-00195.1, Table 3: two-box parameters, mean of CMIP5 models.
Bloch-Johnson et al. (2015), doi:10.1002/2015GL064240: a feedback that depends on temperature, as a quadratic term.
Trenberth and Smith (2005), doi:10.1175/JCLI-3299.1: mass of dry air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AIR_MOLES = 5.1352e18 / 28.9647e-3  # mass of dry air [kg] over its molar mass [kg/mol]
PGC_PER_PPM = AIR_MOLES * 1e-6 * 12.011e-3 / 1e12
GTCO2_PER_PPM = PGC_PER_PPM * 44.01 / 12.011
TGCH4_PER_PPB = AIR_MOLES * 1e-9 * 16.043e-3 / 1e9
CO2_1850, CH4_1850 = 284.3, 808.2  # ppm, ppb: CMIP6 concentrations of 1850, Meinshausen et al. 2017
RESPONSE = ((0.2173, np.inf), (0.2240, 394.4), (0.2824, 36.54), (0.2763, 4.304))  # fraction, years
CH4_LIFETIME = 9.1  # years
STEPS = 12  # Runge-Kutta steps a year: with these rates the error is about 1e-9 of the temperature


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
    r"""Energy balance of an upper box and the deep ocean, with a feedback that weakens as it warms.

    .. math:: C \dot T = F - (\lambda - a T) T - \gamma (T - T_d), \qquad C_d \dot T_d = \gamma (T - T_d)

    A doubling of carbon dioxide (3.7 W m-2) settles at 3.3 K, as with Geoffroy's constant 1.13 W m-2 K-1; a second
    doubling adds 4.6 K. There is no equilibrium beyond a forcing of :math:`\lambda^2 / 4a`, 9.8 W m-2 as it stands.

    Attributes
    ----------
    feedback : float
        :math:`\lambda` in W m-2 K-1, in the control climate.
    weakening : float
        a in W m-2 K-2.
    exchange : float
        :math:`\gamma` in W m-2 K-1.
    upper, deep : float
        Heat capacities C and C_d in W yr m-2 K-1.
    """

    feedback: float = 1.25
    weakening: float = 0.04
    exchange: float = 0.73
    upper: float = 7.3
    deep: float = 106.0

    def rates(self, upper: float, deep: float, forcing: float) -> tuple[float, float]:
        """Return how fast both temperatures change, in K/yr, at given temperatures in K and forcing in W m-2."""
        down = self.exchange * (upper - deep)
        return (forcing - (self.feedback - self.weakening * upper) * upper - down) / self.upper, down / self.deep

    def respond(self, forcing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the temperatures that a forcing brings about, by classical Runge-Kutta steps of a month.

        Parameters
        ----------
        forcing : ndarray of shape (year,)
            In W m-2, constant within each year.

        Returns
        -------
        upper, deep : ndarray of shape (year,)
            Temperature anomalies in K at the end of each year, from rest.
        """
        upper, deep = 0.0, 0.0
        states = np.empty((forcing.size, 2))
        for year, value in enumerate(forcing.tolist()):
            for _ in range(STEPS):
                upper, deep = self._step(upper, deep, value, 1.0 / STEPS)
            states[year] = upper, deep
        return states[:, 0], states[:, 1]

    def _step(self, upper: float, deep: float, forcing: float, years: float) -> tuple[float, float]:
        """Return the temperatures one classical Runge-Kutta step later."""
        first = self.rates(upper, deep, forcing)
        second = self.rates(upper + 0.5 * years * first[0], deep + 0.5 * years * first[1], forcing)
        third = self.rates(upper + 0.5 * years * second[0], deep + 0.5 * years * second[1], forcing)
        fourth = self.rates(upper + years * third[0], deep + years * third[1], forcing)
        change = [a + 2.0 * b + 2.0 * c + d for a, b, c, d in zip(first, second, third, fourth, strict=True)]
        return upper + years / 6.0 * change[0], deep + years / 6.0 * change[1]
