"""Effective radiative forcing of carbon dioxide and methane at given concentrations, as assessed by IPCC AR6.

References
----------
Meinshausen et al. (2020), Geosci. Model Dev. 13, Table 3, doi:10.5194/gmd-13-3571-2020: forcing after adjustment of
the stratosphere. It grows faster than the logarithm of carbon dioxide.
Forster et al. (2021), IPCC AR6 WG1, section 7.3.2: fast adjustments of the troposphere add 5 % for carbon dioxide and
take away 14 % for methane.
"""

from __future__ import annotations

import numpy as np

CO2_1750, CH4_1750 = 277.15, 731.41  # ppm, ppb, as in the table
N2O_1750 = 273.87  # ppb: the overlap with nitrous oxide is kept at its pre-industrial level, as no input says more
CO2_ADJUSTMENT, CH4_ADJUSTMENT = 1.05, 0.86
A1, B1, C1, D1 = -2.4785e-7, 7.5906e-4, -2.1492e-3, 5.2488
A3, B3, D3 = -8.9603e-5, -1.2462e-4, 0.045194


def carbon_dioxide_forcing(concentration: np.ndarray) -> np.ndarray:
    """Return the forcing of carbon dioxide.

    Parameters
    ----------
    concentration : ndarray
        In ppm, positive.

    Returns
    -------
    ndarray
        In W m-2 above 1750; 3.93 at twice the concentration of 1750.
    """
    above = np.clip(concentration - CO2_1750, 0.0, -B1 / (2.0 * A1))
    slope = D1 + A1 * above**2 + B1 * above + C1 * np.sqrt(N2O_1750)
    forcing: np.ndarray = CO2_ADJUSTMENT * slope * np.log(concentration / CO2_1750)
    return forcing


def methane_forcing(concentration: np.ndarray) -> np.ndarray:
    """Return the forcing of what methane itself absorbs.

    Parameters
    ----------
    concentration : ndarray
        In ppb, not negative.

    Returns
    -------
    ndarray
        In W m-2 above 1750.
    """
    slope = A3 * np.sqrt(concentration) + B3 * np.sqrt(N2O_1750) + D3
    forcing: np.ndarray = CH4_ADJUSTMENT * slope * (np.sqrt(concentration) - np.sqrt(CH4_1750))
    return forcing
