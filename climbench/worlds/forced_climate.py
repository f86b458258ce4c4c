"""The forced response of the simulated climate: what drives each experiment, and what that does to each variable.

Emissions raise concentrations, concentrations and aerosols force, a two-box energy balance whose feedback weakens with
warming responds, greenhouse gases and aerosols each with a pattern of their own. Precipitation rises with temperature
and falls at once under carbon dioxide and soot; its tropical belt moves with the square of warming, and away from the
hemisphere that aerosols cool, which is not linear. The spread of daily rain grows with warming, and the diurnal range
shrinks under clouds and haze.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.special import gammaincinv

from climbench.worlds import aerosols, emissions, patterns
from climbench.worlds import energy_balance as balance
from climbench.worlds.parameters import Parameters

SECONDS_PER_DAY = 86400.0
IDEALISED = {"1pctCO2": 150, "abrupt-4xCO2": 150}
PAST = ("historical", "hist-GHG", "hist-aer")
CONTROL_YEARS = emissions.LAST - emissions.FIRST + 1
LOCAL_COOLING = 0.05  # K per W m-2: what haze cools right below it, balanced elsewhere
LOCAL_DRYING = 0.016  # fraction of rain per W m-2
LOCAL_DIMMING = 0.011  # K of the diurnal range per W m-2


@dataclass(frozen=True)
class Drivers:
    """What drives an experiment, from its first year (1850) on.

    Attributes
    ----------
    co2 : ndarray of shape (year,)
        Concentration in ppm.
    greenhouse, carbon_dioxide, soot : ndarray of shape (year,)
        Forcing in W m-2 by carbon dioxide and methane together, by carbon dioxide alone, and by black carbon.
    sulfate : ndarray of shape (year, 32, 64)
        Forcing in W m-2 at each place.
    """

    co2: np.ndarray
    greenhouse: np.ndarray
    carbon_dioxide: np.ndarray
    soot: np.ndarray
    sulfate: np.ndarray


def _concentrations(experiment: str) -> tuple[np.ndarray, np.ndarray]:
    """Return carbon dioxide in ppm and methane in ppb, by year."""
    years = IDEALISED.get(experiment, CONTROL_YEARS)
    if experiment == "1pctCO2":
        return balance.CO2_1850 * 1.01 ** np.arange(1, years + 1), np.full(years, balance.CH4_1850)
    if experiment in ("abrupt-4xCO2", "piControl"):
        factor = 4.0 if experiment == "abrupt-4xCO2" else 1.0
        return np.full(years, factor * balance.CO2_1850), np.full(years, balance.CH4_1850)
    totals = emissions.yearly_totals("historical" if experiment in PAST else experiment)
    co2 = balance.carbon_dioxide(totals["co2_fossil"] + totals["co2_land_use"])
    ch4 = balance.methane(totals["ch4"])
    if experiment == "hist-aer":
        return np.full_like(co2, balance.CO2_1850), np.full_like(ch4, balance.CH4_1850)
    return co2, ch4


def _aerosols(experiment: str, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Return haze in Gg S/yr of shape (year, 32, 64), the control's first, and black carbon in Tg/yr above 1850's."""
    if experiment in IDEALISED or experiment in ("piControl", "hist-GHG"):
        first = emissions.yearly_totals("historical")["so2"][:1]
        same = aerosols.haze(first, emissions.regional_shares(np.array([emissions.FIRST])))
        return np.repeat(same, years, axis=0), np.zeros(years)
    totals = emissions.yearly_totals("historical" if experiment in PAST else experiment)
    shares = emissions.regional_shares(emissions.FIRST + np.arange(years))
    return aerosols.haze(totals["so2"], shares), totals["bc"] - totals["bc"][0]


@cache
def drivers(experiment: str, parameters: Parameters) -> Drivers:
    """Return what drives an experiment."""
    co2, ch4 = _concentrations(experiment)
    haze, soot = _aerosols(experiment, co2.size)
    carbon_dioxide = balance.forcing_carbon_dioxide(co2)
    return Drivers(
        co2,
        carbon_dioxide + balance.forcing_methane(ch4),
        carbon_dioxide,
        parameters.soot * soot,
        aerosols.forcing(haze, haze[0], parameters),
    )


@dataclass(frozen=True)
class Warming:
    """Temperature anomalies in K, of shape (year,): of the globe by greenhouse gases and by aerosols, and deep down.

    The feedback depends on temperature, so that parts do not add up on their own: ``greenhouse`` is what greenhouse
    gases bring about alone, and ``aerosol`` what aerosols change beside them.
    """

    greenhouse: np.ndarray
    aerosol: np.ndarray
    deep: np.ndarray


@cache
def warming(experiment: str, parameters: Parameters) -> Warming:
    """Return the temperatures of an experiment."""
    driven = drivers(experiment, parameters)
    model = balance.TwoBoxModel(parameters.feedback, parameters.weakening, parameters.exchange)
    alone, _ = model.respond(driven.greenhouse)
    together, deep = model.respond(driven.greenhouse + driven.soot + patterns.cosine_mean(driven.sulfate))
    return Warming(alone, together - alone, deep)


def _maps(series: np.ndarray) -> np.ndarray:
    return series[:, None, None]


@dataclass(frozen=True)
class ForcedClimate:
    """The forced response of an experiment over some of its years; anomalies from the control.

    Attributes
    ----------
    experiment : str
        Its name.
    years : ndarray of shape (year,)
        Which; 1850 is the first of every experiment.
    parameters : Parameters
        The simulated model's.
    """

    experiment: str
    years: np.ndarray
    parameters: Parameters

    def _of(self, series: np.ndarray) -> np.ndarray:
        return series[self.years - emissions.FIRST]

    @cached_property
    def _sulfate(self) -> np.ndarray:
        return self._of(drivers(self.experiment, self.parameters).sulfate)

    @cached_property
    def temperature(self) -> np.ndarray:
        """The warming in K; cooling under haze and warming from below are balanced elsewhere."""
        found, p = warming(self.experiment, self.parameters), self.parameters
        haze = LOCAL_COOLING * self._sulfate
        local = haze - _maps(patterns.cosine_mean(haze)) + _maps(self._of(found.deep)) * patterns.delayed_pattern()
        greenhouse = _maps(self._of(found.greenhouse)) * patterns.greenhouse_pattern(p.arctic, p.land)
        return greenhouse + _maps(self._of(found.aerosol)) * patterns.aerosol_pattern() + local

    @cached_property
    def precipitation(self) -> np.ndarray:
        """Precipitation itself in mm/day: thermodynamic rise, fast fall, and a belt that moves."""
        driven, found = drivers(self.experiment, self.parameters), warming(self.experiment, self.parameters)
        greenhouse, aerosol = _maps(self._of(found.greenhouse)), _maps(self._of(found.aerosol))
        carbon_dioxide, soot = _maps(self._of(driven.carbon_dioxide)), _maps(self._of(driven.soot))
        mean, total = patterns.mean_precipitation(), greenhouse + aerosol
        wet = np.clip(mean / patterns.cosine_mean(mean) - 1.0, -0.8, 1.2)
        slow = np.expm1((self.parameters.moistening + 0.035 * wet) * total)
        fast = -0.0060 * carbon_dioxide * (1.0 + 0.8 * patterns.land_fraction()) - 0.030 * soot
        north = self.parameters.belt * aerosol + self.parameters.belt_square * total * np.abs(total)
        belt = patterns.rain_belt(north) - patterns.rain_belt()
        return np.maximum(mean * (1.0 + slow + fast + LOCAL_DRYING * self._sulfate) + belt, 0.02)

    def anomalies(self, name: str) -> np.ndarray:
        """Return a variable's anomaly of shape (year, 32, 64): in K, or in kg m-2 s-1 for ``pr`` and ``pr90``."""
        mean = patterns.mean_precipitation()
        if name == "tas":
            return self.temperature
        if name == "diurnal_temperature_range":
            return self._diurnal_range()
        if name == "pr":
            return (self.precipitation - mean) / SECONDS_PER_DAY
        heavy = _heavy_rain(self.precipitation, self.temperature) - _heavy_rain(mean, np.zeros_like(mean))
        return heavy / SECONDS_PER_DAY

    def _diurnal_range(self) -> np.ndarray:
        """Return the anomaly of the diurnal range in K: less under warmth, rain and haze."""
        drier = -0.10 * np.log(self.precipitation / patterns.mean_precipitation())
        dimmed = LOCAL_DIMMING * self._sulfate * (0.2 + patterns.land_fraction())
        return patterns.diurnal_range() * (drier - 0.004 * self.temperature) + dimmed


def control_amounts() -> dict[str, np.ndarray]:
    """Return what ``pr`` and ``pr90`` are anomalies from, in kg m-2 s-1, each of shape (32, 64)."""
    mean = patterns.mean_precipitation()
    return {"pr": mean / SECONDS_PER_DAY, "pr90": _heavy_rain(mean, np.zeros_like(mean)) / SECONDS_PER_DAY}


@cache
def _quantile_ratio() -> tuple[np.ndarray, np.ndarray]:
    """Return shapes of a gamma distribution and the ratio of its 0.9 quantile to its mean."""
    shapes = np.linspace(0.08, 1.6, 400)
    return shapes, gammaincinv(shapes, 0.9) / shapes


def _heavy_rain(precipitation: np.ndarray, warming: np.ndarray) -> np.ndarray:
    """Return the 0.9 quantile of gamma-distributed daily rain in mm/day; rain falls on fewer days as it warms."""
    shape = patterns.wet_day_shape() * np.exp(-0.025 * warming)
    return precipitation * np.interp(shape, *_quantile_ratio())
