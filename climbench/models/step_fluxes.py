"""Fluxes of a forecast's steps: a budget closes only by their means over the very step that states change in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.models.forecasting.steps import HOUR
from climbench.physics.opening import hours_of
from climbench.physics.quantities import QUANTITIES
from climbench.variables import LEXICON


def require_fluxes_of_steps(state: xr.Dataset, sources: Mapping[str, str], step: np.timedelta64) -> None:
    """Raise if fluxes count hours other than those of a step.

    Parameters
    ----------
    state : Dataset
        The variables that are forecast.
    sources : mapping of str to str
        By role, the variables of the fluxes that corrections take as means over a step.
    step : timedelta64
        From one time of the data to the next.

    Raises
    ------
    ModelError
        Naming all of them.
    """
    hours, wrong = float(step / HOUR), []
    for role, variable in sources.items():
        found = hours_of(state[variable], variable)
        if found in (None, hours):
            continue
        others = [s.variable for s in QUANTITIES[role].sources if LEXICON[s.variable].window in (None, hours)]
        instead = f"; in its place any of {', '.join(others)} serves" if others else ""
        wrong.append(f"'{variable}' counts {found:g} h{instead}")
    if wrong:
        raise ModelError(
            f"Correctors close the budgets of steps by the fluxes of those, and steps are {hours:g} h: "
            f"{'; '.join(dict.fromkeys(wrong))}. Take data whose steps are as long, or leave the correctors out."
        )


def require_every_step(leads: np.ndarray, step: np.timedelta64) -> None:
    """Raise if lead times are not all the steps from the initial time on.

    Parameters
    ----------
    leads : ndarray of timedelta64 of shape (lead_time,)
        In any order.
    step : timedelta64
        From one time of the data to the next.

    Raises
    ------
    ModelError
        If a gap is no step: fluxes are known for its last step alone.
    """
    ordered = np.sort(np.asarray(leads).astype("timedelta64[ns]"))
    gaps = np.diff(ordered, prepend=np.timedelta64(0, "ns"))
    if (gaps != step).any():
        hours = float(step / HOUR)
        raise ModelError(
            f"Fluxes at a lead time are means over the step of {hours:g} h that ends then, and lead times are "
            f"{', '.join(f'{gap:g}' for gap in np.unique(gaps / HOUR))} h apart: what flows in between is not known, "
            f"so no budget of water or energy can be closed. Ask for all leads: --set leads.first={hours:g} --set "
            f"leads.step={hours:g}."
        )
