"""The known forced response of simulated data, in the task's units: the truth that no real ensemble can give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from climbench.data.canonical import canonical, with_units
from climbench.tasks.projection import ProjectionTask
from climbench.worlds import WORLDS

NAME = "forced-response"


def forced_response(task: ProjectionTask, mark: Mapping[str, Any]) -> xr.Dataset | None:
    """Return what the mean over infinitely many members of the test scenario is.

    Parameters
    ----------
    task : ProjectionTask
        Names scenario, years and targets.
    mark : mapping
        What the data's files say of the world that made them; empty for real data.

    Returns
    -------
    Dataset of shape (time, latitude, longitude), or None
        In scoring units; None where the data is real, or the world is not one whose truth can be asked for.

    Raises
    ------
    DataError
        If another version of the world made the data.
    """
    if mark.get("world") not in WORLDS.places:
        return None
    world = WORLDS.load(mark["world"]).of_mark(mark)
    test = task.card.test
    data, _ = canonical(world.forced_response(test.scenario, test.years), f"the truth of {test.scenario}", annual=True)
    where = f"The truth of {test.scenario}"
    known = {n: with_units(data[n], task.units(n), assumed=None, where=where)[0] for n in task.card.targets}
    return xr.Dataset(known)
