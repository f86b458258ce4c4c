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
        In hPa; None where the variable is stored without levels and the task names none.
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
        Naming every target that is missing from either store, and several of which a store has one field only.
    """
    found: dict[str, Target] = {}
    problems = []
    for name in names:
        try:
            found.update({target.name: target for target in _fields(name, forecast, truth)})
        except PredictionError as error:
            problems.append(str(error))
    problems += _same_fields(found.values(), forecast, truth)
    if problems:
        raise PredictionError(
            "\n  ".join([f"Not everything that '{task}' scores is there:", *problems])
            + "\n  Choose what is there with --set 'targets=[...]'."
        )
    return list(found.values())


def _fields(name: str, forecast: xr.Dataset, truth: xr.Dataset) -> Iterator[Target]:
    variable, level = _parsed(name, forecast, truth)
    components = _components(variable, forecast, truth, name)
    has = {where: _levels(data, components, where, name) for where, data in _named(forecast, truth)}
    there = {where: levels for where, levels in has.items() if levels is not None}
    for where, levels in there.items():
        if level is not None and level not in levels:
            raise PredictionError(
                f"{name}: the {where} has no level {level}; it has {', '.join(map(str, levels)) or 'none'}"
            )
    if len(there) < len(has):  # at least one store has it on one level only, and says no number
        if there and level is None:
            where, levels = next(iter(there.items()))
            raise PredictionError(f"{name} is on levels in the {where} only; name one, such as {name}_{levels[0]}")
        yield Target(name, variable, components, level)
        return
    shared = [n for n in there["forecast"] if n in there["truth"]]
    if not shared:
        raise PredictionError(f"{name}: forecast and truth have no level in common")
    for n in shared if level is None else [level]:
        yield Target(f"{variable}_{n}", variable, components, n)


def _named(forecast: xr.Dataset, truth: xr.Dataset) -> tuple[tuple[str, xr.Dataset], ...]:
    return ("forecast", forecast), ("truth", truth)


def _same_fields(targets: Collection[Target], forecast: xr.Dataset, truth: xr.Dataset) -> Iterator[str]:
    """Yield a complaint for every variable of which several targets would read one and the same field."""
    for variable in dict.fromkeys(target.variable for target in targets):
        alike = [target for target in targets if target.variable == variable]
        for where, data in _named(forecast, truth):
            if len(alike) > 1 and not any("level" in data[c].dims for c in alike[0].components):
                yield (
                    f"{', '.join(target.name for target in alike)}: the {where} has no level axis for '{variable}', so "
                    "that it holds one field of it, and all of these would be scored with that; name one of them"
                )


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
    for what, data in _named(forecast, truth):
        for part in wanted:
            if part not in data:
                names = [str(v) for v in data.data_vars]
                raise PredictionError(f"{name}: the {what} has no variable '{part}'. {did_you_mean(part, names)}")
    return tuple(wanted)


def _levels(data: xr.Dataset, components: Sequence[str], where: str, name: str) -> tuple[int, ...] | None:
    """Return the levels that components have; None where they have no level axis."""
    on_levels = [c for c in components if "level" in data[c].dims]
    if not on_levels:
        return None
    if len(on_levels) < len(components):
        flat = next(c for c in components if c not in on_levels)
        raise PredictionError(f"{name}: the {where} has {on_levels[0]} on levels, and {flat} without a level axis")
    return tuple(int(n) for n in data["level"].values)
