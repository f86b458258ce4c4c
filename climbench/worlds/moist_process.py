"""One process of the making of the moist atmosphere, and its states one by one, in float64.

Started and heard as `climbench.worlds.shallow_water_process` is. The air runs along the flow from the start of the
spin-up, so that it has forgotten how wet it started when the first state is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import xarray as xr
import zarr

from climbench.quadrature import quadrature
from climbench.worlds.moist_atmosphere import ABOVE, IN_LAYERS, OFFSET, PLANE, SLOPE, coefficients
from climbench.worlds.moist_budget import Air, MoistBudget
from climbench.worlds.moist_layers import LEVELS, Layers
from climbench.worlds.shallow_water import GROUND, about
from climbench.worlds.shallow_water_flow import ShallowWaterFlow
from climbench.worlds.shallow_water_process import do_job
from climbench.worlds.shallow_water_settings import ShallowWaterSettings

Fields = dict[str, np.ndarray]


def run_trajectories(
    store: Path,
    settings: ShallowWaterSettings,
    trajectories: Sequence[int],
    *,
    variables: Sequence[str],
    ground: str,
    members: int,
    seed: int,
    told: Callable[[], None],
) -> None:
    """Run trajectories and write their states, as `climbench.worlds.shallow_water_process.run_trajectories` does."""
    with zarr.config.set({"array.write_empty_chunks": True}):  # a chunk that is not there is taken for lost
        arrays = {name: zarr.open_array(store / name, mode="r+") for name in variables}
        base = zarr.open_array(store / ground, mode="r+")
    flow = ShallowWaterFlow(settings)
    budget = budget_of(flow)
    if 0 in trajectories:
        base[:] = budget.layers.ground
    for trajectory in trajectories:
        start, running = settings.first_state(trajectory, members), states(flow, budget, seed, trajectory)
        for _ in range(settings.spin_up // settings.chunk):
            _take(running, settings.chunk)
            told()
        _take(running, settings.spin_up % settings.chunk)
        for _ in range(settings.samples // settings.chunk):
            block = _take(running, settings.chunk)
            for name, array in arrays.items():
                array[start : start + len(block)] = np.stack([fields[name] for fields in block]).astype("float32")
            start += len(block)
            told()


def _take(running: Iterator[Fields], count: int) -> list[Fields]:
    return list(itertools.islice(running, count))


def budget_of(flow: ShallowWaterFlow) -> MoistBudget:
    """Return what steps the air along a flow."""
    rows = flow.settings.rows
    latitude, longitude = quadrature("legendre-gauss", rows).latitude, np.arange(2 * rows) * (180.0 / rows)
    return MoistBudget(Layers(latitude, longitude, flow.ground()), flow.settings.step_hours * 3600.0)


def states(flow: ShallowWaterFlow, budget: MoistBudget, seed: int, trajectory: int) -> Iterator[Fields]:
    """Yield a trajectory state by state, those of the spin-up first.

    Yields
    ------
    dict of str to ndarray of shape ([level,] latitude, longitude)
        By variable, float64; fluxes are means over the step that ends at the state.
    """
    with torch.inference_mode():
        state = flow.start(seed, trajectory)
        surface, _, _, *wind = flow.fields(state).astype("float64")
        air = budget.start(surface, np.stack(wind))
        while True:
            state = flow.advance(state)
            surface, _, _, *wind = flow.fields(state).astype("float64")
            air, fluxes = budget.step(air, surface, np.stack(wind))
            yield {**_of_air(air), **fluxes}


def _of_air(air: Air) -> Fields:
    eastward, northward = air.winds
    return {
        "temperature": air.temperature,
        "specific_humidity": air.humidity,
        "u_component_of_wind": eastward,
        "v_component_of_wind": northward,
        "surface_pressure": air.surface_pressure,
    }


def exact_series(settings: ShallowWaterSettings, *, seed: int = 0, trajectory: int = 0) -> xr.Dataset:
    """Return a trajectory in float64, in which budgets close to round-off; that of a store is the same in float32.

    Parameters
    ----------
    settings : ShallowWaterSettings
        Of the world.
    seed : int
        The world's.
    trajectory : int
        Its number; 0 is the first of the last year.

    Returns
    -------
    Dataset of shape (time, [level,] latitude, longitude)
        All variables of the store.
    """
    flow = ShallowWaterFlow(settings)
    budget = budget_of(flow)
    running = states(flow, budget, seed, trajectory)
    _take(running, settings.spin_up)
    block = _take(running, settings.samples)
    fields = {
        name: ((("time", *ABOVE, *PLANE) if name in IN_LAYERS else ("time", *PLANE)), values, about(name))
        for name, values in ((name, np.stack([fields[name] for fields in block])) for name in block[0])
    }
    first = settings.first_state(trajectory, members := trajectory // settings.starts + 1)
    coordinates = {
        "time": settings.times(members)[first : first + settings.samples].astype("datetime64[ns]"),
        "level": LEVELS,
        "latitude": budget.layers.latitude,
        "longitude": budget.layers.longitude,
    }
    ground = {GROUND: (PLANE, budget.layers.ground, about(GROUND))}
    a, b = coefficients()
    return xr.Dataset({**fields, **ground, OFFSET: a, SLOPE: b}, coords=coordinates)


if __name__ == "__main__":
    do_job(run_trajectories)
