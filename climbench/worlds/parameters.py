"""The numbers that make a simulated climate, and the simulated models that differ in them.

The two-box values start from the mean of CMIP5 models (Geoffroy et al. 2013, doi:10.1175/JCLI-D-12-00195.1, Table 3);
everything else, and how the models differ, is assumed: of the size of differences between real climate models, and not
fitted to any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from climbench.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Parameters:
    """What a simulated climate is made of.

    Attributes
    ----------
    feedback, weakening : float
        Feedback in the control climate in W m-2 K-1, and by how much it weakens per kelvin in W m-2 K-2.
    exchange : float
        Heat exchange with the deep ocean in W m-2 K-1.
    direct : float
        Forcing by sulfate in clear air, in W m-2 per Gg S/yr upwind; about -0.2 W m-2 over the globe in 2014.
    indirect : float
        Forcing by sulfate in clouds, in W m-2 for each factor e in sulfur; about -0.7 W m-2 over the globe in 2014.
    soot : float
        Forcing by black carbon in W m-2 per Tg/yr; about 0.2 W m-2 in 2014.
    arctic, land : float
        How much more the Arctic and land warm than elsewhere, before the pattern is scaled to mean one.
    moistening : float
        How precipitation grows with temperature, fraction per kelvin.
    belt, belt_square : float
        How far the rain belt moves north: degrees for each kelvin that aerosols warm the globe, and degrees for the
        square of all warming in kelvin. The second is such that pattern scaling misses about as much of precipitation
        as it does with MPI-ESM1-2-LR (0.079 mm/day in 2080-2100, Lütjens et al. 2025, doi:10.1029/2024MS004619).
    variability : float
        Factor on all internal variability.
    """

    feedback: float = 1.25
    weakening: float = 0.04
    exchange: float = 0.73
    direct: float = -1.5e-4
    indirect: float = -3.6
    soot: float = 0.025
    arctic: float = 1.9
    land: float = 0.50
    moistening: float = 0.024
    belt: float = 3.0
    belt_square: float = 0.42
    variability: float = 1.0


MODELS = {
    "mini-esm": Parameters(),
    "mini-esm-warm": Parameters(feedback=1.00, weakening=0.03, exchange=0.65, land=0.58),
    "mini-esm-cool": Parameters(feedback=1.50, weakening=0.03, exchange=0.80, moistening=0.021),
    "mini-esm-hazy": Parameters(feedback=1.15, weakening=0.035, direct=-2.2e-4, indirect=-4.8, belt=5.0),
    "mini-esm-arctic": Parameters(feedback=1.30, arctic=2.6, land=0.42, variability=1.15),
    "mini-esm-calm": Parameters(exchange=0.60, indirect=-2.4, moistening=0.028, belt=2.0, variability=0.8),
}


def parameters_of(model: str) -> Parameters:
    """Return the parameters of a simulated model; raise `DataError` for one there is not."""
    if model not in MODELS:
        raise DataError(f"There is no simulated model '{model}'. {did_you_mean(model, MODELS)}")
    return MODELS[model]
