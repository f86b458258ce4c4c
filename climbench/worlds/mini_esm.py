"""mini-esm: a small simulated Earth system model in ClimateBench's experiments, variables, years, units and layout.

Its forced response is in `climbench.worlds.forced_climate`, its internal variability in `climbench.worlds.variability`;
here both are put together, driven by emissions, and written to files. All of it is simulated: no number here is
evidence about the real climate.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from climbench.errors import DataError, did_you_mean
from climbench.records import WORLD_ATTRIBUTE
from climbench.worlds import emissions, patterns, variability
from climbench.worlds import energy_balance as balance
from climbench.worlds.forced_climate import IDEALISED, PAST, SECONDS_PER_DAY, ForcedClimate, control_amounts, drivers
from climbench.worlds.parameters import parameters_of

SECONDS_PER_YEAR = 365.0 * SECONDS_PER_DAY
GTCO2_PER_PGC = 44.01 / 12.011
SO2_PER_S = 64.066 / 32.06
FUTURE = ("ssp126", "ssp245", "ssp370", "ssp370-lowNTCF", "ssp585")
EXPERIMENTS = (*IDEALISED, *PAST, "piControl", *FUTURE)
VARIABLES = {
    "tas": ("K", "near-surface air temperature anomaly"),
    "diurnal_temperature_range": ("K", "diurnal temperature range anomaly"),
    "pr": ("kg m-2 s-1", "precipitation anomaly"),
    "pr90": ("kg m-2 s-1", "anomaly of the 90th percentile of daily precipitation"),
}


class MiniESM:
    """The simulated Earth system model.

    Parameters
    ----------
    model : str
        Which of the simulated models (`climbench.worlds.parameters.MODELS`).
    experiments : sequence of str
        Those that `write` writes; all of ClimateBench's without.
    variables : sequence of str
        Those that `write` writes, of ``tas``, ``diurnal_temperature_range``, ``pr``, ``pr90``.

    Raises
    ------
    DataError
        If there is no such model, experiment or variable.
    """

    name: ClassVar[str] = "mini-esm"
    version: ClassVar[str] = "3"

    def __init__(
        self,
        model: str = "mini-esm",
        experiments: Sequence[str] = EXPERIMENTS,
        variables: Sequence[str] = tuple(VARIABLES),
    ) -> None:
        self.model = model
        self.parameters = parameters_of(model)
        self.experiments = tuple(experiments)
        self.variables = tuple(variables)
        for wanted, there, what in ((experiments, EXPERIMENTS, "experiment"), (variables, VARIABLES, "variable")):
            for name in wanted:
                if name not in there:
                    raise DataError(f"mini-esm has no {what} '{name}'. {did_you_mean(name, there)}")

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
        raise DataError(f"mini-esm has no experiment '{experiment}'. {did_you_mean(experiment, EXPERIMENTS)}")

    def forced_response(self, experiment: str, years: tuple[int, int] | None = None) -> xr.Dataset:
        """Return the truth: what the mean over infinitely many members is.

        Parameters
        ----------
        experiment : str
            One of ClimateBench's.
        years : tuple of int, optional
            First and last year; all without it.

        Returns
        -------
        Dataset of shape (time, lat, lon)
            The world's variables: ``tas`` and ``diurnal_temperature_range`` in K, ``pr`` and ``pr90`` in kg m-2 s-1,
            anomalies from the control, float64.
        """
        climate = ForcedClimate(experiment, self._chosen(experiment, years), self.parameters)
        fields = {name: climate.anomalies(name) for name in self.variables}
        return self._dataset(fields, ("time", "lat", "lon"), {"time": climate.years})

    def members(
        self, experiment: str, members: Sequence[int], *, seed: int = 0, years: tuple[int, int] | None = None
    ) -> xr.Dataset:
        """Return members: the forced response and their own internal variability.

        Parameters
        ----------
        experiment : str
            One of ClimateBench's.
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
        shape = (len(members), chosen.size, forced.sizes["lat"], forced.sizes["lon"])
        fields = {name: np.empty(shape, "float32") for name in self.variables}
        for place, member in enumerate(members):
            own = (seed, zlib.crc32(f"{self.model} {experiment}".encode()), member)
            noise = variability.draw(own, whole.size, window, self.variables)
            for name, values in fields.items():
                scale = self.parameters.variability / (SECONDS_PER_DAY if name.startswith("pr") else 1.0)
                values[place] = forced[name].values + noise[name] * scale
        coordinates = {"member": np.asarray(members, "int64"), "time": chosen}
        return self._dataset(fields, ("member", "time", "lat", "lon"), coordinates)

    def inputs(self, experiment: str) -> xr.Dataset:
        """Return what drives an experiment, as ClimateBench states it.

        Parameters
        ----------
        experiment : str
            One of ClimateBench's.

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
            above = (drivers(experiment, self.parameters).co2 - balance.CO2_1850) * balance.GTCO2_PER_PPM
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
        so2 = totals["so2"][index, None, None] * 1e6 * SO2_PER_S / SECONDS_PER_YEAR * where
        bc = totals["bc"][index, None, None] * 1e9 / SECONDS_PER_YEAR * where
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
        """Write the world's experiments in ClimateBench's layout; every file carries the world's mark.

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
        mark = json.dumps(self.mark(members, seed))
        about = {WORLD_ATTRIBUTE: mark, "licence": "CC0 1.0"}
        for done, experiment in enumerate(self.experiments):
            count = 1 if experiment == "piControl" else members
            outputs = self.members(experiment, range(1, count + 1), seed=seed).assign_coords(quantile=0.9)
            title = f"simulated by {self.model} (not a real climate model), {experiment}"
            _write(outputs.assign_attrs(title=title, **about), directory / f"outputs_{experiment}.nc")
            if experiment != "piControl":
                _write(
                    self.inputs(experiment).assign_attrs(title=title, **about), directory / f"inputs_{experiment}.nc"
                )
            if progress is not None:
                progress(done + 1, len(self.experiments))
        for name, fields in self.fixed_fields().items():
            title = f"simulated by {self.model} (not a real climate model), {name}"
            _write(fields.assign_attrs(title=title, **about), directory / f"{name}.nc")

    def fixed_fields(self) -> dict[str, xr.Dataset]:
        """Return what does not change with time, by the name of its file.

        Returns
        -------
        dict of str to Dataset of shape (lat, lon)
            ``sftlf``, the land area fraction in per cent; ``control_climatology``, what ``pr`` and ``pr90`` are
            anomalies from, in kg m-2 s-1.
        """
        grid = {"lat": patterns.latitude(), "lon": patterns.longitude()}
        land = {"sftlf": (("lat", "lon"), 100.0 * patterns.land_fraction(), {"units": "%"})}
        amounts = {name: (("lat", "lon"), v, {"units": VARIABLES[name][0]}) for name, v in control_amounts().items()}
        return {"sftlf": xr.Dataset(land, coords=grid), "control_climatology": xr.Dataset(amounts, coords=grid)}

    def mark(self, members: int, seed: int) -> dict[str, Any]:
        """Return what every file says of the world that made it; `of_mark` finds the world again by it."""
        made = {"world": self.name, "version": self.version, "seed": seed, "members": members}
        return made if self.model == self.name else {**made, "model": self.model}

    @classmethod
    def of_mark(cls, mark: Mapping[str, Any]) -> MiniESM:
        """Return the world that made some files, by their mark; raise `DataError` where this version did not."""
        if mark.get("version") != cls.version:
            raise DataError(
                f"The data was made by version {mark.get('version')} of mini-esm; this is version {cls.version}, which "
                "is another world. Make the data again: climbench data make."
            )
        return cls(mark.get("model", cls.name))

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
            if name in fields
        }
        grid = {"lat": patterns.latitude(), "lon": patterns.longitude()}
        return xr.Dataset(variables, coords={**coordinates, **grid})


def _write(data: xr.Dataset, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data.to_netcdf(temporary)
    temporary.replace(path)
