"""shallow-water: rotating shallow water on the sphere with a climate, in WeatherBench's layout.

What is simulated is in `climbench.worlds.shallow_water_flow`, how it is set up in
`climbench.worlds.shallow_water_settings`; here trajectories are run side by side and written to a store. It stands for
weather where there is none on the machine: jets, waves, mountains and an error that doubles in days, without seasons,
days or moisture. All of it is simulated: no number here is evidence about a real atmosphere.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr
import zarr

from climbench import records
from climbench.errors import DataError, MissingExtraError, did_you_mean
from climbench.quadrature import quadrature
from climbench.variables import LEXICON
from climbench.worlds.processes import FAULT, run_jobs
from climbench.worlds.shallow_water_settings import LAST_YEAR, ShallowWaterSettings

PROCESS = "climbench.worlds.shallow_water_process"
# In the order of `ShallowWaterFlow.fields`.
VARIABLES = ("geopotential", "vorticity", "divergence", "u_component_of_wind", "v_component_of_wind")
GROUND = "geopotential_at_surface"
NEEDED = ("torch", "torch_harmonics")


class ShallowWater:
    """The shallow-water world.

    Parameters
    ----------
    **settings
        Of `ShallowWaterSettings`.

    Raises
    ------
    DataError
        If there is no such setting or it cannot be.
    """

    name: ClassVar[str] = "shallow-water"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "rotating shallow water on the sphere"
    process: ClassVar[str] = PROCESS
    variables: ClassVar[tuple[str, ...]] = VARIABLES

    def __init__(self, **settings: Any) -> None:
        known = asdict(ShallowWaterSettings())
        for name in settings:
            if name not in known:
                raise DataError(f"{self.name} has no setting '{name}'. {did_you_mean(name, known)}")
        self.settings = ShallowWaterSettings(**settings)

    def write(
        self, directory: Path, *, members: int = 8, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Run all trajectories and write them as one store, which has its name when it is whole.

        Trajectories run in as many processes as there are cores, each on one thread; whichever runs where, the same
        seed gives the same bytes on the same machine and libraries. Chaos makes much of the last digit, so that other
        machines may give other weather of the same climate.

        Parameters
        ----------
        directory : Path
            An existing folder.
        members : int
            Years of the made-up calendar, each with trajectories of its own; the last is 2100. More members add earlier
            years, and leave later ones as they are.
        seed : int
            The world's seed.
        progress : callable, optional
            Called with blocks of states done and in all.

        Raises
        ------
        MissingExtraError
            If torch-harmonics is not installed.
        DataError
            If the flow is unstable.
        """
        require_solver(self.name)
        temporary = directory / f".{self.store_name}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            self._template(temporary, members, seed)
            self._run(temporary, members, seed, progress)
            temporary.rename(directory / self.store_name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @property
    def store_name(self) -> str:
        """The name of the store within its folder."""
        return f"{self.name}-{self.settings.step_hours}h-{self.settings.grid}.zarr"

    def mark(self, members: int, seed: int) -> dict[str, Any]:
        """Return what the store says of the world that made it."""
        made = {"world": self.name, "version": self.version, "seed": seed, "members": members}
        changed = self.settings.changed()
        return {**made, "settings": changed} if changed else made

    def _run(self, store: Path, members: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
        settings, count = self.settings, self.settings.trajectories(members)
        processes = min(int(records.hardware()["cores"]), count)
        jobs = [
            {
                "store": str(store),
                "settings": asdict(settings),
                "trajectories": list(range(first, count, processes)),
                "variables": list(self.variables),
                "ground": GROUND,
                "members": members,
                "seed": seed,
            }
            for first in range(processes)
        ]
        total = count * (settings.spin_up // settings.chunk + settings.samples // settings.chunk)
        faults: list[str] = []
        done, one_at_a_time = iter(range(1, total + 1)), threading.Lock()

        def heard(line: str) -> None:
            with one_at_a_time:
                if line.startswith(FAULT):
                    faults.append(line.removeprefix(FAULT))
                elif progress is not None:
                    progress(next(done), total)

        try:
            run_jobs(self.process, jobs, heard)
        except DataError as error:
            raise DataError(faults[0] if faults else str(error)) from None

    def fields(self, states: int) -> dict[str, xr.Variable]:
        """Return the arrays of the store before any state is in them, by name."""
        rows = self.settings.rows
        shape, chunks = (states, rows, 2 * rows), (self.settings.chunk, rows, 2 * rows)
        return {name: blank(("time", "latitude", "longitude"), shape, chunks, about(name)) for name in self.variables}

    def _template(self, path: Path, members: int, seed: int) -> None:
        """Write a store's metadata and coordinates; fields are written by those who run trajectories."""
        times, rows = self.settings.times(members), self.settings.rows
        size = (rows, 2 * rows)
        coordinates = {
            "time": ("time", times.astype("datetime64[ns]"), {"long_name": "time of a made-up calendar"}),
            "latitude": ("latitude", quadrature("legendre-gauss", rows).latitude, {"units": "degrees_north"}),
            "longitude": ("longitude", np.arange(2 * rows) * (180.0 / rows), {"units": "degrees_east"}),
        }
        data = xr.Dataset(
            {**self.fields(times.size), GROUND: blank(("latitude", "longitude"), size, size, about(GROUND))},
            coords=coordinates,
            attrs={
                "title": f"{self.title}, simulated by climbench (no real weather)",
                records.WORLD_ATTRIBUTE: json.dumps(self.mark(members, seed)),
                "licence": "CC0 1.0",
            },
        )
        since = {"time": {"units": f"hours since {LAST_YEAR - members + 1}-01-01", "dtype": "int64"}}
        with zarr.config.set({"array.write_empty_chunks": True}):
            data.to_zarr(path, compute=False, zarr_format=3, consolidated=False, encoding=since)


def require_solver(world: str) -> None:
    """Raise `MissingExtraError` where what runs a trajectory is not installed."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtraError(f"The world '{world}'", "models")


def about(name: str) -> dict[str, str]:
    """Return the attributes of a variable of the lexicon."""
    known = LEXICON[name]
    return {"units": known.units, "long_name": known.long_name}


def blank(dims: tuple[str, ...], shape: tuple[int, ...], chunks: tuple[int, ...], attrs: dict[str, str]) -> xr.Variable:
    """Return an array of a store whose values are written later, in float32."""
    import dask.array as da

    return xr.Variable(dims, da.zeros(shape, dtype="float32", chunks=chunks), attrs)
