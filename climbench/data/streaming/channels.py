"""What a batch is made of: parts such as inputs and targets, each some variables at some steps, as channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from climbench.errors import DataError, did_you_mean

DIMENSIONS = frozenset({"time", "member", "level", "latitude", "longitude"})
PLANE = frozenset({"latitude", "longitude"})


@dataclass(frozen=True)
class Part:
    """One tensor of a batch: which variables, and at which steps.

    Parameters
    ----------
    variables : sequence of str, or mapping of str to sequence of float or None
        The variables in the order of the channels. A mapping names the levels of each; None, or no mapping, takes all
        levels of a variable that has them.
    offsets : sequence of int
        Steps from the window's position: ``(-1, 0)`` are the two times up to it, ``(1,)`` is the next.

    Raises
    ------
    DataError
        If there is no variable or no offset, or one is named twice.
    """

    variables: Mapping[str, Sequence[float] | None] | Sequence[str]
    offsets: Sequence[int] = (0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))
        names = [self.variables] if isinstance(self.variables, str) else list(self.variables)
        levels = self.variables if isinstance(self.variables, Mapping) else dict.fromkeys(names)
        object.__setattr__(self, "variables", levels)
        for what, given in (("variables", names), ("offsets", self.offsets)):
            if not given or len(set(given)) < len(given):
                raise DataError(f"A part of a batch needs {what}, each once; found {list(given)}.")


@dataclass(frozen=True)
class Channel:
    """One map of a part: a variable, at one level where it has levels."""

    variable: str
    level: float | None = None

    @property
    def name(self) -> str:
        """Such as ``"2m_temperature"`` or ``"geopotential_500"``."""
        return self.variable if self.level is None else f"{self.variable}_{self.level:g}"


@dataclass(frozen=True)
class Channels:
    """The channels of some variables, by what kind of field they are.

    Attributes
    ----------
    maps : tuple of Channel
        Fields in time and space, each once.
    series : tuple of Channel
        Numbers in time, which are spread over the map.
    parts : mapping of str to tuple of Channel
        Those of each part, in its order.
    static : tuple of Channel
        Maps without time.
    """

    maps: tuple[Channel, ...]
    series: tuple[Channel, ...]
    parts: Mapping[str, tuple[Channel, ...]]
    static: tuple[Channel, ...]

    @property
    def all(self) -> tuple[Channel, ...]:
        """Every channel once."""
        return (*self.maps, *self.series, *self.static)


def channels_of(data: xr.Dataset, parts: Mapping[str, Part], static: Sequence[str] = ()) -> Channels:
    """Return the channels of parts and static fields.

    Parameters
    ----------
    data : Dataset
        Canonical.
    parts : mapping of str to Part
        Such as inputs, targets and forcings.
    static : sequence of str
        Variables without time.

    Returns
    -------
    Channels

    Raises
    ------
    DataError
        If a variable or level is not there, has other dimensions than time, member, level, latitude and longitude, or
        does not hold numbers.
    """
    by_part: dict[str, tuple[Channel, ...]] = {}
    for name, part in parts.items():
        assert isinstance(part.variables, Mapping)
        by_part[name] = tuple(c for v, levels in part.variables.items() for c in _channels(data, v, levels))
    used = tuple(dict.fromkeys(channel for chosen in by_part.values() for channel in chosen))
    for channel in used:
        if "time" not in data[channel.variable].dims:
            raise DataError(f"'{channel.variable}' has no time; name it among the static fields.")
    series = tuple(c for c in used if not PLANE & set(data[c.variable].dims))
    maps = tuple(c for c in used if c not in series)
    fixed = tuple(channel for name in static for channel in _channels(data, name, None))
    for name in static:
        if {"time", "member"} & set(data[name].dims):
            raise DataError(f"'{name}' has dimensions {data[name].dims}; a static field has neither time nor member.")
    for channel in (*maps, *fixed):
        if not set(data[channel.variable].dims) >= PLANE:
            raise DataError(f"'{channel.variable}' has dimensions {data[channel.variable].dims}, and so is no map.")
    return Channels(maps, series, by_part, fixed)


def _channels(data: xr.Dataset, name: str, levels: Iterable[float] | None) -> list[Channel]:
    if name not in data.data_vars:
        raise DataError(f"The data have no variable '{name}'. {did_you_mean(name, map(str, data.data_vars))}")
    variable = data[name]
    if extra := [str(dim) for dim in variable.dims if dim not in DIMENSIONS]:
        raise DataError(
            f"'{name}' has the dimensions {variable.dims}; streaming knows {', '.join(sorted(DIMENSIONS))}. Choose "
            f"along {', '.join(extra)} first, such as data.isel({extra[0]}=0)."
        )
    if variable.dtype.kind not in "fiub":
        raise DataError(f"'{name}' holds {variable.dtype}, not numbers.")
    if "level" not in variable.dims:
        if levels is not None:
            raise DataError(f"'{name}' has no levels, and levels {list(levels)} were asked for.")
        return [Channel(name)]
    there = [float(level) for level in data["level"].values]
    chosen = there if levels is None else [float(level) for level in levels]
    for level in chosen:
        if level not in there:
            raise DataError(f"'{name}' has no level {level:g}. There is: {', '.join(f'{x:g}' for x in there)}.")
    return [Channel(name, level) for level in chosen]
