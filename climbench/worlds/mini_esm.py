"""mini-esm: a small simulated Earth system model in ClimateBench's experiments, variables, years, units and layout.

Physics in small: emissions raise concentrations, concentrations and aerosols force, a two-box energy balance responds,
greenhouse gases and aerosols each with a pattern of their own; precipitation rises with temperature, falls at once
under carbon dioxide and soot, and its tropical belt moves away from the hemisphere that aerosols cool, which is not
linear; the spread of daily rain grows with warming, and the diurnal range shrinks under clouds and haze. Internal
variability is added on top. All of it is simulated: no number here is evidence about the real climate.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr
from scipy.stats import gamma

from climbench.errors import DataError, did_you_mean
from climbench.records import WORLD_ATTRIBUTE
from climbench.worlds import emissions, patterns, variability
from climbench.worlds import energy_balance as balance

SECONDS_PER_DAY = 86400.0
SECONDS_PER_YEAR = 365.0 * SECONDS_PER_DAY
GTCO2_PER_PGC = 44.01 / 12.011
SO2_PER_S = 64.066 / 32.06
IDEALISED = {"1pctCO2": 150, "abrupt-4xCO2": 150}
PAST = ("historical", "hist-GHG", "hist-aer")
FUTURE = ("ssp126", "ssp245", "ssp370", "ssp370-lowNTCF", "ssp585")
VARIABLES = {
    "tas": ("K", "near-surface air temperature anomaly"),
    "diurnal_temperature_range": ("K", "diurnal temperature range anomaly"),
    "pr": ("kg m-2 s-1", "precipitation anomaly"),
    "pr90": ("kg m-2 s-1", "anomaly of the 90th percentile of daily precipitation"),
}


@cache
def _drivers(experiment: str) -> dict[str, np.ndarray]:
    """Return forcings in W m-2 and concentrations of an experiment from 1850 to its end, by name."""
    if experiment == "piControl":
        return _forced(np.full(251, balance.CO2_1850), np.full(251, balance.CH4_1850), np.zeros(251), np.zeros(251))
    if experiment in IDEALISED:
        years = IDEALISED[experiment]
        growth = 1.01 ** np.arange(1, years + 1) if experiment == "1pctCO2" else np.full(years, 4.0)
        zero = np.zeros(years)
        return _forced(balance.CO2_1850 * growth, np.full(years, balance.CH4_1850), zero, zero)
    totals = emissions.yearly_totals("historical" if experiment in PAST else experiment)
    co2 = balance.carbon_dioxide(totals["co2_fossil"] + totals["co2_land_use"])
    ch4 = balance.methane(totals["ch4"])
    so2, bc = (totals[s] - totals[s][0] for s in ("so2", "bc"))
    if experiment == "hist-GHG":
        so2, bc = np.zeros_like(so2), np.zeros_like(bc)
    if experiment == "hist-aer":
        co2, ch4 = np.full_like(co2, balance.CO2_1850), np.full_like(ch4, balance.CH4_1850)
    return _forced(co2, ch4, so2, bc)


def _forced(co2: np.ndarray, ch4: np.ndarray, so2: np.ndarray, bc: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "co2": co2,
        "so2": so2,
        "carbon_dioxide": balance.forcing_carbon_dioxide(co2),
        "methane": balance.forcing_methane(ch4),
        "sulfate": balance.SO2_FORCING * so2,
        "soot": balance.BC_FORCING * bc,
    }


@cache
def _warming(experiment: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return temperature anomalies in K, of shape (year,): global by greenhouse gases and by aerosols, and deep."""
    drivers = _drivers(experiment)
    model = balance.TwoBoxModel()
    greenhouse, deep = model.respond(drivers["carbon_dioxide"] + drivers["methane"])
    aerosol, _ = model.respond(drivers["sulfate"] + drivers["soot"])
    return greenhouse, aerosol, deep


def _maps(series: np.ndarray) -> np.ndarray:
    return series[:, None, None]


def _haze(experiment: str, years: np.ndarray) -> np.ndarray:
    """Return how hazy each place is by sulfate, in Gg S/yr of the regions upwind, of shape (year, 32, 64)."""
    load = _maps(_drivers(experiment)["so2"][years - emissions.FIRST])
    shares = emissions.regional_shares(years)
    return load * np.tensordot(shares, patterns.haze_maps(), axes=1)


def _temperature(experiment: str, years: np.ndarray) -> np.ndarray:
    """Return the forced temperature in K; cooling under haze and warming from below are balanced elsewhere."""
    greenhouse, aerosol, deep = (_maps(part[years - emissions.FIRST]) for part in _warming(experiment))
    haze = -2.5e-5 * _haze(experiment, years)
    local = haze - _maps(patterns.cosine_mean(haze))
    local = local + deep * patterns.delayed_pattern()
    return greenhouse * patterns.greenhouse_pattern() + aerosol * patterns.aerosol_pattern() + local


def _precipitation(experiment: str, years: np.ndarray) -> np.ndarray:
    """Return forced precipitation in mm/day: thermodynamic rise, fast fall, and a belt that moves."""
    index = years - emissions.FIRST
    drivers = {name: _maps(values[index]) for name, values in _drivers(experiment).items()}
    greenhouse, aerosol, _ = (_maps(part[index]) for part in _warming(experiment))
    mean = patterns.mean_precipitation()
    wet = np.clip(mean / patterns.cosine_mean(mean) - 1.0, -0.8, 1.2)
    slow = np.expm1((0.024 + 0.035 * wet) * (greenhouse + aerosol))
    fast = -0.0060 * drivers["carbon_dioxide"] * (1.0 + 0.8 * patterns.land_fraction()) - 0.030 * drivers["soot"]
    belt = patterns.rain_belt(8.0 * aerosol + 0.4 * greenhouse) - patterns.rain_belt()
    monsoon = -8.0e-6 * _haze(experiment, years) * mean
    return np.maximum(mean * (1.0 + slow + fast) + belt + monsoon, 0.02)


@cache
def _quantile_ratio() -> tuple[np.ndarray, np.ndarray]:
    """Return shapes of a gamma distribution and the ratio of its 0.9 quantile to its mean."""
    shapes = np.linspace(0.08, 1.6, 400)
    return shapes, gamma.ppf(0.9, shapes) / shapes


def _heavy_rain(precipitation: np.ndarray, warming: np.ndarray) -> np.ndarray:
    """Return the 0.9 quantile of gamma-distributed daily rain in mm/day; rain falls on fewer days as it warms."""
    shape = patterns.wet_day_shape() * np.exp(-0.025 * warming)
    return precipitation * np.interp(shape, *_quantile_ratio())


def _diurnal_range(precipitation: np.ndarray, warming: np.ndarray, haze: np.ndarray) -> np.ndarray:
    """Return the forced anomaly of the diurnal range in K: less under warmth, rain and haze."""
    drier = -0.10 * np.log(precipitation / patterns.mean_precipitation())
    land = patterns.land_fraction()
    return patterns.diurnal_range() * (drier - 0.004 * warming) - 6.0e-6 * haze * (0.2 + land)


class MiniESM:
    """The simulated Earth system model.

    Attributes
    ----------
    experiments : tuple of str
        ClimateBench's experiments.
    """

    name: ClassVar[str] = "mini-esm"
    version: ClassVar[str] = "1"
    experiments: ClassVar[tuple[str, ...]] = (*IDEALISED, *PAST, "piControl", *FUTURE)

    def years(self, experiment: str) -> np.ndarray:
        """Return the years of an experiment; raise `DataError` for one it does not have."""
        if experiment in IDEALISED:
            return np.arange(emissions.FIRST, emissions.FIRST + IDEALISED[experiment])
        if experiment in PAST:
            return np.arange(emissions.FIRST, emissions.LAST_PAST + 1)
        if experiment in FUTURE:
            return np.arange(emissions.LAST_PAST + 1, emissions.LAST + 1)
        if experiment == "piControl":
            return np.arange(emissions.FIRST, emissions.LAST + 1)
        raise DataError(f"mini-esm has no experiment '{experiment}'. {did_you_mean(experiment, self.experiments)}")

    def forced_response(self, experiment: str, years: tuple[int, int] | None = None) -> xr.Dataset:
        """Return the truth: what the mean over infinitely many members is.

        Parameters
        ----------
        experiment : str
            One of `experiments`.
        years : tuple of int, optional
            First and last year; all without it.

        Returns
        -------
        Dataset of shape (time, lat, lon)
            ``tas`` and ``diurnal_temperature_range`` in K, ``pr`` and ``pr90`` in kg m-2 s-1, anomalies from the
            control, float64.
        """
        chosen = self._chosen(experiment, years)
        warming = _temperature(experiment, chosen)
        rain = _precipitation(experiment, chosen)
        mean = patterns.mean_precipitation()
        fields = {
            "tas": warming,
            "diurnal_temperature_range": _diurnal_range(rain, warming, _haze(experiment, chosen)),
            "pr": (rain - mean) / SECONDS_PER_DAY,
            "pr90": (_heavy_rain(rain, warming) - _heavy_rain(mean, np.zeros_like(mean))) / SECONDS_PER_DAY,
        }
        return self._dataset(fields, ("time", "lat", "lon"), {"time": chosen})

    def members(
        self, experiment: str, members: Sequence[int], *, seed: int = 0, years: tuple[int, int] | None = None
    ) -> xr.Dataset:
        """Return members: the forced response and their own internal variability.

        Parameters
        ----------
        experiment : str
            One of `experiments`.
        members : sequence of int
            Which; a member is the same whatever others are asked for.
        seed : int
            The world's seed.
        years : tuple of int, optional
            First and last year; all without it.

        Returns
        -------
        Dataset of shape (member, time, lat, lon)
            As `forced_response`, in float32.
        """
        chosen, whole = self._chosen(experiment, years), self.years(experiment)
        window = slice(int(chosen[0] - whole[0]), int(chosen[-1] - whole[0]) + 1)
        forced = self.forced_response(experiment, years)
        shape = (len(members), *forced["tas"].shape)
        fields = {name: np.empty(shape, "float32") for name in VARIABLES}
        for place, member in enumerate(members):
            rng = np.random.default_rng([seed, zlib.crc32(experiment.encode()), member])
            noise = variability.draw(rng, whole.size, window)
            for name, values in fields.items():
                scale = SECONDS_PER_DAY if name.startswith("pr") else 1.0
                values[place] = forced[name].values + noise[name] / scale
        coordinates = {"member": np.asarray(members, "int64"), "time": chosen}
        return self._dataset(fields, ("member", "time", "lat", "lon"), coordinates)

    def inputs(self, experiment: str) -> xr.Dataset:
        """Return what drives an experiment, as ClimateBench states it.

        Parameters
        ----------
        experiment : str
            One of `experiments`.

        Returns
        -------
        Dataset
            ``CO2`` of shape (time,) in GtCO2: cumulative fossil emissions since 1850, or in 1pctCO2 and abrupt-4xCO2
            the atmospheric mass above the control; ``CH4`` in GtCH4/year; ``SO2`` and ``BC`` of shape
            (time, latitude, longitude) in kg m-2 s-1.
        """
        years = self.years(experiment)
        units = {"CO2": "GtCO2", "CH4": "GtCH4/year", "SO2": "kg m-2 s-1", "BC": "kg m-2 s-1"}
        grid = {"latitude": patterns.latitude(), "longitude": patterns.longitude()}
        if experiment in (*IDEALISED, "piControl"):
            above = (_drivers(experiment)["co2"] - balance.CO2_1850) * balance.GTCO2_PER_PPM
            data = xr.Dataset({"CO2": ("time", above), "CH4": 0.0, "SO2": 0.0, "BC": 0.0}, coords={"time": years})
        else:
            data = xr.Dataset(self._emitted(experiment, years), coords={"time": years, **grid})
        for name, unit in units.items():
            data[name].attrs["units"] = unit
        return data

    def _emitted(self, experiment: str, years: np.ndarray) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        totals = emissions.yearly_totals("historical" if experiment in PAST else experiment)
        index = years - emissions.FIRST
        cumulative = np.cumsum(totals["co2_fossil"])[index] * GTCO2_PER_PGC
        where = np.tensordot(emissions.regional_shares(years), patterns.source_maps(), axes=1)
        so2 = _maps(totals["so2"][index]) * 1e6 * SO2_PER_S / SECONDS_PER_YEAR * where
        bc = _maps(totals["bc"][index]) * 1e9 / SECONDS_PER_YEAR * where
        gases, aerosols = float(experiment != "hist-aer"), float(experiment != "hist-GHG")
        maps = ("time", "latitude", "longitude")
        return {
            "CO2": (("time",), gases * cumulative),
            "CH4": (("time",), gases * totals["ch4"][index] * 1e-3),
            "SO2": (maps, (aerosols * so2).astype("float32")),
            "BC": (maps, (aerosols * bc).astype("float32")),
        }

    def write(
        self, directory: Path, *, members: int = 3, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write all experiments in ClimateBench's layout; every file carries the world's mark.

        Parameters
        ----------
        directory : Path
            An existing folder.
        members : int
            Members of each experiment; the control has one.
        seed : int
            The world's seed.
        progress : callable, optional
            Called with experiments written and experiments in all.
        """
        mark = json.dumps({"world": self.name, "version": self.version, "seed": seed, "members": members})
        about = {WORLD_ATTRIBUTE: mark, "licence": "CC0 1.0"}
        for done, experiment in enumerate(self.experiments):
            count = 1 if experiment == "piControl" else members
            outputs = self.members(experiment, range(1, count + 1), seed=seed).assign_coords(quantile=0.9)
            title = f"simulated by mini-esm (not a real climate model), {experiment}"
            _write(outputs.assign_attrs(title=title, **about), directory / f"outputs_{experiment}.nc")
            if experiment != "piControl":
                _write(
                    self.inputs(experiment).assign_attrs(title=title, **about), directory / f"inputs_{experiment}.nc"
                )
            if progress is not None:
                progress(done + 1, len(self.experiments))

    def _chosen(self, experiment: str, years: tuple[int, int] | None) -> np.ndarray:
        whole = self.years(experiment)
        if years is None:
            return whole
        if years[0] < whole[0] or years[1] > whole[-1]:
            raise DataError(
                f"mini-esm's {experiment} has the years {whole[0]}..{whole[-1]}, not {years[0]}..{years[1]}."
            )
        return np.arange(years[0], years[1] + 1)

    def _dataset(
        self, fields: dict[str, np.ndarray], dims: tuple[str, ...], coordinates: dict[str, np.ndarray]
    ) -> xr.Dataset:
        variables = {
            name: (dims, fields[name], {"units": units, "long_name": long_name})
            for name, (units, long_name) in VARIABLES.items()
        }
        grid = {"lat": patterns.latitude(), "lon": patterns.longitude()}
        return xr.Dataset(variables, coords={**coordinates, **grid})


def _write(data: xr.Dataset, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data.to_netcdf(temporary)
    temporary.replace(path)
