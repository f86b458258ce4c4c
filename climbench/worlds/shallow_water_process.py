"""One process of the making of shallow water: runs trajectories one after another and writes them into the store.

Started as ``python -m`` of this module with a job in JSON on its standard input. It prints a line for every block of
states that it has written, and one that begins with `FAULT` where a trajectory cannot be run; it ends when nobody reads
what it prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import zarr

from climbench.errors import ClimbenchError
from climbench.worlds.processes import FAULT
from climbench.worlds.shallow_water_flow import ShallowWaterFlow
from climbench.worlds.shallow_water_settings import ShallowWaterSettings


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
    """Run trajectories and write their states.

    Parameters
    ----------
    store : Path
        With an array of shape (time, latitude, longitude) for each variable.
    settings : ShallowWaterSettings
        Of the world.
    trajectories : sequence of int
        Which.
    variables : sequence of str
        Their names, in the order of `ShallowWaterFlow.fields`.
    ground : str
        The name of the geopotential of the ground, of shape (latitude, longitude): who runs trajectory 0 writes it.
    members, seed : int
        Years and seed of the world.
    told : callable
        Called after each chunk of states, those of the spin-up among them.

    Raises
    ------
    DataError
        If the flow is unstable.
    """
    with zarr.config.set({"array.write_empty_chunks": True}):  # a chunk that is not there is taken for lost
        arrays = [zarr.open_array(store / name, mode="r+") for name in variables]
        base = zarr.open_array(store / ground, mode="r+")
    flow = ShallowWaterFlow(settings)
    if 0 in trajectories:
        base[:] = flow.ground()
    for trajectory in trajectories:
        start = settings.first_state(trajectory, members)
        for block in blocks(flow, seed, trajectory):
            if block is not None:
                for array, values in zip(arrays, np.moveaxis(block, 1, 0), strict=True):
                    array[start : start + len(block)] = values
                start += len(block)
            told()


def blocks(flow: ShallowWaterFlow, seed: int, trajectory: int) -> Iterator[np.ndarray | None]:
    """Yield a trajectory chunk by chunk.

    Yields
    ------
    ndarray of shape (state, 5, latitude, longitude), or None
        As `ShallowWaterFlow.fields`; None for as many states of the spin-up.
    """
    settings = flow.settings
    with torch.inference_mode():
        state = flow.start(seed, trajectory)
        for count in range(1, settings.spin_up + 1):
            state = flow.advance(state)
            if count % settings.chunk == 0:
                yield None
        for start in range(0, settings.samples, settings.chunk):
            block = []
            for position in range(start, start + settings.chunk):
                state = flow.advance(state) if position else state
                block.append(flow.fields(state))
            yield np.stack(block)


def do_job(run: Callable[..., None]) -> None:
    """Do the job on standard input.

    Parameters
    ----------
    run : callable
        As `run_trajectories`.
    """
    torch.set_num_threads(1)
    job = json.loads(sys.stdin.readline())
    try:
        run(
            Path(job["store"]),
            ShallowWaterSettings(**job["settings"]),
            job["trajectories"],
            variables=job["variables"],
            ground=job["ground"],
            members=job["members"],
            seed=job["seed"],
            told=lambda: _say("done"),
        )
    except ClimbenchError as error:
        _say(FAULT + str(error))
        raise SystemExit(2) from None


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    do_job(run_trajectories)
