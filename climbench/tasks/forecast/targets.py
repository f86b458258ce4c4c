"""What a forecast task's targets name: a variable, one of its levels, or a wind vector."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import xarray as xr

from climbench.errors import PredictionError, did_you_mean
from climbench.variables import known_name

LEVEL = re.compile(r"(.+)_(\d{1,4})")
VECTORS = {
    "wind_vector": ("u_component_of_wind", "v_component_of_wind"),
    "10m_wind_vector": ("10m_u_component_of_wind", "10m_v_component_of_wind"),
}
SPEEDS = {
    "wind_speed": ("u_component_of_wind", "v_component_of_wind"),
    "10m_wind_speed": ("10m_u_component_of_wind", "10m_v_component_of_wind"),
}


@dataclass(frozen=True)
class Target:
    """One field that is scored.

    Attributes
    ----------
    name : str
        As it stands in the score table, such as ``geopotential_500``.
    variable : str
        The variable, or the name of a wind vector or speed.
    components : tuple of str
        The variables that are read: one, or the two components of a wind.
    level : int or None
        In hPa; None where the variable is stored without levels.
    """

    name: str
    variable: str
    components: tuple[str, ...]
    level: int | None = None

    @property
    def is_vector(self) -> bool:
        """Whether both components are scored together."""
        return self.variable in VECTORS

    @property
    def is_derived(self) -> bool:
        """Whether a speed is made from two components."""
        return self.variable in SPEEDS and len(self.components) == 2


def resolve(names: Sequence[str], forecast: xr.Dataset, truth: xr.Dataset, task: str) -> list[Target]:
    """Return the fields that a task's targets stand for in two stores.

    Parameters
    ----------
    names : sequence of str
        Variables, with ``_LEVEL`` at the end for one level; a variable that has levels in both stores stands for all
        levels they share.
    forecast, truth : Dataset
        Canonical.
    task : str
        What to call the task in messages.

    Returns
    -------
    list of Target

    Raises
    ------
    PredictionError
        Naming every target that is missing from either store.
    """
    found: dict[str, Target] = {}
    problems = []
    for name in names:
        try:
            found.update({target.name: target for target in _fields(name, forecast, truth)})
        except PredictionError as error:
            problems.append(str(error))
    if problems:
        raise PredictionError(
            "\n  ".join([f"Not everything that '{task}' scores is there:", *problems])
            + "\n  Choose what is there with --set 'targets=[...]'."
        )
    return list(found.values())


def _fields(name: str, forecast: xr.Dataset, truth: xr.Dataset) -> Iterator[Target]:
    variable, level = _parsed(name, forecast, truth)
    components = _components(variable, forecast, truth, name)
    has = [_levels(data, components) for data in (forecast, truth)]
    if None in has:  # at least one store has it on one level only, and says no number
        if has != [None, None] and level is None:
            raise PredictionError(
                f"{name} is on levels in the {'truth' if has[0] is None else 'forecast'} only; name one, "
                f"such as {name}_{next(h for h in has if h)[0]}"
            )
        yield Target(name, variable, components, level if has != [None, None] else None)
        return
    shared = [n for n in has[0] or () if n in (has[1] or ())]
    if level is not None and level not in shared:
        where = "forecast" if level not in (has[0] or ()) else "truth"
        there = ", ".join(map(str, (has[0] if where == "forecast" else has[1]) or ()))
        raise PredictionError(f"{name}: the {where} has no level {level}; it has {there}")
    if not shared:
        raise PredictionError(f"{name}: forecast and truth have no level in common")
    for n in shared if level is None else [level]:
        yield Target(f"{variable}_{n}", variable, components, n)


def _parsed(name: str, *stores: xr.Dataset) -> tuple[str, int | None]:
    """Return variable and level of a name; a variable that bears the name itself comes first."""
    everywhere = {str(v) for data in stores for v in data.data_vars}
    if known_name(name, everywhere) in everywhere or name in VECTORS or name in SPEEDS:
        return known_name(name, everywhere), None
    match = LEVEL.fullmatch(name)
    return (known_name(match[1], everywhere), int(match[2])) if match else (known_name(name, everywhere), None)


def _components(variable: str, forecast: xr.Dataset, truth: xr.Dataset, name: str) -> tuple[str, ...]:
    if variable in VECTORS:
        wanted: Collection[str] = VECTORS[variable]
    elif variable in SPEEDS and not (variable in forecast and variable in truth):
        wanted = SPEEDS[variable]
    else:
        wanted = (variable,)
    for what, data in (("forecast", forecast), ("truth", truth)):
        for part in wanted:
            if part not in data:
                names = [str(v) for v in data.data_vars]
                raise PredictionError(f"{name}: the {what} has no variable '{part}'. {did_you_mean(part, names)}")
    return tuple(wanted)


def _levels(data: xr.Dataset, components: Sequence[str]) -> tuple[int, ...] | None:
    """Return the levels that all components have; None where they have no level axis."""
    if not all("level" in data[c].dims for c in components):
        return None
    return tuple(int(n) for n in data["level"].values)
