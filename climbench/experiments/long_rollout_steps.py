"""Rolls a forecaster out step by step, each state made from those before; written and measured block by block.

A step is a forecast to one lead time, the step; what is fed on is the float32 state that is written, so that a roll-out
that was killed goes on to the same bytes from the last block that was finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from climbench.errors import PredictionError
from climbench.experiments.long_rollout_limiter import SpectralLimiter
from climbench.experiments.long_rollout_truth import Truth, area_moments, stacked
from climbench.harness import emulators_fault
from climbench.metrics.spectral_kernels import power
from climbench.models.forecaster import initial_state
from climbench.models.step_corrections import StepCorrections
from climbench.physics.corrections.chain import Targets
from climbench.progress import Progress
from climbench.run_directory import write_text

BLOCK_BYTES = 48 * 2**20
BLOWN = 10.0  # half widths of the truth's range
PARTS = ("low", "high", "mean", "variance", "power", "hits")


@dataclass
class Rollout:
    """A roll-out of several starts at once.

    Attributes
    ----------
    forecaster : Forecaster
        Fitted.
    truth : Truth
        What states are held against.
    starts : Dataset of shape (init_time, history, [level,] latitude, longitude)
        States that it begins from.
    step : timedelta64
        From state to state.
    steps : int
        How many.
    powers_at : sequence of int
        Steps whose power is kept.
    static : Dataset of shape (latitude, longitude)
        Variables without time that the forecaster is given beside the states.
    limiter : SpectralLimiter or None
        Acts on every state.
    seed : int
        Step n has ``seed + n``.
    name : str
        The forecaster's, for messages.
    vertical : Dataset
        What says where layers lie (`climbench.tasks.forecast.task.vertical_of`).
    corrections : StepCorrections or None
        Act on every state, before the limiter: the state before it is that of the step before, and what is kept from
        the initial state on is that of the start.
    """

    forecaster: Any
    truth: Truth
    starts: xr.Dataset
    step: np.timedelta64
    steps: int
    powers_at: Sequence[int]
    static: xr.Dataset
    limiter: SpectralLimiter | None = None
    seed: int = 0
    name: str = "forecaster"
    vertical: xr.Dataset = field(default_factory=xr.Dataset)
    corrections: StepCorrections | None = None

    @property
    def block(self) -> int:
        """How many steps are written at once."""
        one = self.starts.isel(history=0).nbytes
        return int(max(1, min(self.steps, BLOCK_BYTES // max(1, one))))

    def into(self, folder: Path, progress: Progress) -> dict[str, np.ndarray]:
        """Roll out into ``states.zarr`` of a folder, from where an earlier attempt ended.

        Returns
        -------
        dict of str to ndarray
            ``low``, ``high``, ``mean`` and ``variance`` of shape (step, start, field); ``power`` of shape (chosen step,
            start, field, degree); ``hits`` of shape (field, degree), as numbers of states; ``blown`` of shape (start,),
            the step at which a start blew up, 0 where none did; NaN after that.
        """
        folder.mkdir(parents=True, exist_ok=True)
        store, mark = folder / "states.zarr", folder / "progress.json"
        done, blown = 0, np.zeros(self.starts.sizes["init_time"], int)
        if mark.is_file():
            about = json.loads(mark.read_text())
            done, blown = int(about["done"]), np.array(about["blown"])
        else:
            self._template(store)
        window = self._window(store, done)
        while done < self.steps and not blown.all():
            count = min(self.block, self.steps - done)
            states, hits, blown, window = self._rolled(window, done, count, blown)
            self._write(store, states, done)
            _keep(folder / f"measured-{done:06d}.npz", self._measured(states, done) | {"hits": hits})
            done += count
            write_text(mark, json.dumps({"done": done, "blown": blown.tolist()}))
            progress.step(f"{self.name}, {folder.name}: steps", done, self.steps)
        return self._collected(folder) | {"blown": blown}

    def _rolled(
        self, window: np.ndarray, done: int, count: int, blown: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return states of shape (start, step, field, latitude, longitude), hits, blow-ups and the last states."""
        states = np.full((len(window), count, *window.shape[2:]), np.nan, "float32")
        hits = np.zeros(self.limiter.caps.shape if self.limiter else (len(self.truth.names), 0), int)
        blown = blown.copy()
        for place in range(count):
            alive = np.flatnonzero(blown == 0)
            if not alive.size:
                break
            number = done + place + 1
            ahead = self._ahead(window[alive], alive, number)
            finite = np.isfinite(ahead).all((1, 2, 3))
            if self.limiter is not None:
                ahead[finite], acted = self.limiter(ahead[finite])
                hits += acted.sum(0)
            with np.errstate(invalid="ignore"):
                reach = self.truth.excursion(ahead.min((2, 3)), ahead.max((2, 3))).max(1)
            blown[alive[~finite | ~(reach <= BLOWN)]] = number
            states[alive, place] = ahead
            window[alive] = np.concatenate([window[alive, 1:], ahead[:, None]], axis=1)
        return states, hits, blown, window

    def _ahead(self, window: np.ndarray, alive: np.ndarray, number: int) -> np.ndarray:
        """Return the next state of some starts, of shape (start, field, latitude, longitude)."""
        given = self._as_states(window, self.starts.isel(init_time=alive)).assign_coords(
            init_time=self.starts["init_time"].values[alive] + (number - 1) * self.step
        )
        given = given.assign(self.static.data_vars)
        leads = np.array([self.step]).astype("timedelta64[ns]")
        with emulators_fault(self.name, "predict"):
            said = self.forecaster.predict(given, leads=leads, members=1, seed=self.seed + number)
        missing = [str(v) for v in self.starts.data_vars if v not in said]
        if missing:
            raise PredictionError(f"'{self.name}' does not forecast {', '.join(missing)}; it cannot be rolled out.")
        said = said[list(self.starts.data_vars)]
        said = said.isel(member=0) if "member" in said.dims else said
        if self.corrections is not None:
            kept = {name: values[alive] for name, values in self.kept.items()}
            said = self.corrections.after(said, initial_state(given), kept)
        return stacked(said.isel(lead_time=0).transpose("init_time", ...)).astype("float32")

    @cached_property
    def kept(self) -> Targets:
        """What corrections keep of the starts, of shape (start,); found from them again where a roll-out goes on."""
        assert self.corrections is not None
        return self.corrections.targets(self.starts.isel(history=-1, drop=True).astype("float32"))

    def _as_states(self, values: np.ndarray, like: xr.Dataset) -> xr.Dataset:
        made, place = {}, 0
        for name, array in like.data_vars.items():
            dims = ("init_time", "history", *(d for d in ("level", "latitude", "longitude") if d in array.dims))
            count = array.sizes.get("level", 1)
            part = values[:, :, place : place + count]
            made[name] = (dims, part if "level" in dims else part[:, :, 0], array.attrs)
            place += count
        return xr.Dataset(made, coords=like.coords)

    def _window(self, store: Path, done: int) -> np.ndarray:
        """Return the last states before a step, of shape (start, history, field, latitude, longitude)."""
        given = stacked(self.starts.transpose("init_time", "history", ...)).astype("float32")
        length = given.shape[1]
        if not done:
            return given
        with xr.open_zarr(store, consolidated=False) as written:
            last = written.isel(prediction_timedelta=slice(max(0, done - length), done)).load()
        made = stacked(last.transpose("time", "prediction_timedelta", ...)[list(self.starts.data_vars)])
        return np.concatenate([given, made], axis=1)[:, -length:]

    def _measured(self, states: np.ndarray, done: int) -> dict[str, np.ndarray]:
        by_step = states.swapaxes(0, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            mean, variance = area_moments(by_step, self.truth.weights)
            found = {"low": by_step.min((3, 4)), "high": by_step.max((3, 4)), "mean": mean, "variance": variance}
        chosen = [n - done - 1 for n in self.powers_at if done < n <= done + len(by_step)]
        degrees = 0 if self.truth.transform is None else self.truth.transform.degree + 1
        found["power"] = np.zeros((len(chosen), *by_step.shape[1:3], degrees))
        if chosen and self.truth.transform is not None:
            found["power"] = power(by_step[chosen], self.truth.transform)
        return found

    def _collected(self, folder: Path) -> dict[str, np.ndarray]:
        blocks = []
        for path in sorted(folder.glob("measured-*.npz")):
            with np.load(path, allow_pickle=False) as arrays:
                blocks.append({part: arrays[part] for part in PARTS})
        found = {part: np.concatenate([b[part] for b in blocks]) for part in PARTS if part != "hits"}
        return found | {"hits": np.sum([b["hits"] for b in blocks], axis=0)}

    def _write(self, store: Path, states: np.ndarray, done: int) -> None:
        data = self._as_states(states, self.starts.isel(history=0, drop=True))
        data = data.drop_vars(list(data.coords))
        region = {"time": slice(None), "prediction_timedelta": slice(done, done + states.shape[1])}
        laid = data.rename({"init_time": "time", "history": "prediction_timedelta"})
        with zarr.config.set({"array.write_empty_chunks": True}):
            laid.to_zarr(store, region=region, consolidated=False)

    def _template(self, store: Path) -> None:
        import dask.array as da

        leads = (np.arange(1, self.steps + 1) * self.step).astype("timedelta64[ns]")
        inits = self.starts["init_time"].values.astype("datetime64[ns]")
        coords = {c: v for c, v in self.starts.coords.items() if c not in ("init_time", "history")}
        arrays = {}
        for name, array in self.starts.data_vars.items():
            rest = [d for d in ("level", "latitude", "longitude") if d in array.dims]
            shape = (inits.size, self.steps, *(array.sizes[d] for d in rest))
            empty = da.full(shape, np.nan, dtype="float32", chunks=(1, self.block, *shape[2:]))
            arrays[name] = (("time", "prediction_timedelta", *rest), empty, array.attrs)
        whole = xr.Dataset(arrays, coords={"time": inits, "prediction_timedelta": leads, **coords})
        whole = whole.assign(self.vertical.drop_encoding().data_vars)
        whole.to_zarr(store, mode="w", compute=False, zarr_format=3, consolidated=False)


def _keep(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays under a temporary name and rename it when whole; no pickle."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    temporary.replace(path)
