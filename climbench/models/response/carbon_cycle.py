"""How much carbon dioxide stays in the air: an impulse response that weakens as the sinks fill and the world warms.

References
----------
Millar et al. (2017), A modified impulse-response representation of the global near-surface air temperature and
atmospheric concentration response to carbon dioxide emissions, Atmos. Chem. Phys. 17, eqs. 1 to 8 and Table 1,
doi:10.5194/acp-17-7213-2017 (FaIR 1.0).
"""

from __future__ import annotations

import math

import numpy as np

CO2_PREINDUSTRIAL = 278.0  # ppm
PGC_PER_PPM = 2.123
FRACTIONS = (0.2173, 0.2240, 0.2824, 0.2763)
LIFETIMES = (1.0e6, 394.4, 36.54, 4.304)  # years
IIRF_START, IIRF_PER_CARBON, IIRF_PER_KELVIN = 32.40, 0.019, 4.165  # years, years per PgC, years per K
IIRF_LARGEST = 97.0  # years: the sinks never stop altogether
HORIZON = 100.0  # years


def integrated_response(slowing: np.ndarray) -> np.ndarray:
    """Return the impulse response integrated over 100 years.

    Parameters
    ----------
    slowing : ndarray of shape (n,)
        The factor on all lifetimes.

    Returns
    -------
    ndarray of shape (n,)
        In years; it ascends with the factor.
    """
    lifetime = np.multiply.outer(slowing, LIFETIMES)
    parts: np.ndarray = np.array(FRACTIONS) * lifetime * -np.expm1(-HORIZON / lifetime)
    return parts.sum(axis=-1)


SLOWINGS = np.geomspace(1e-3, 1e3, 6001)
INTEGRALS = integrated_response(SLOWINGS)


class CarbonCycle:
    """Four pools of carbon dioxide in the air, from the pre-industrial state, stepped a year at a time."""

    def __init__(self) -> None:
        self.pools = [0.0] * len(FRACTIONS)
        self.emitted = 0.0

    @property
    def concentration(self) -> float:
        """Carbon dioxide in the air in ppm."""
        return CO2_PREINDUSTRIAL + sum(self.pools)

    def step(self, emission: float, warming: float) -> float:
        """Emit for one year and return the concentration at its end.

        Parameters
        ----------
        emission : float
            In PgC/yr, constant over the year.
        warming : float
            Global temperature above the pre-industrial at the year's beginning, in K.

        Returns
        -------
        float
            In ppm.
        """
        taken_up = self.emitted - PGC_PER_PPM * sum(self.pools)
        integral = IIRF_START + IIRF_PER_CARBON * taken_up + IIRF_PER_KELVIN * warming
        slowing = float(np.interp(min(integral, IIRF_LARGEST), INTEGRALS, SLOWINGS))
        for pool, (fraction, lifetime) in enumerate(zip(FRACTIONS, LIFETIMES, strict=True)):
            keep = math.exp(-1.0 / (slowing * lifetime))
            added = fraction * emission / PGC_PER_PPM * slowing * lifetime * (1.0 - keep)
            self.pools[pool] = self.pools[pool] * keep + added
        self.emitted += emission
        return self.concentration
