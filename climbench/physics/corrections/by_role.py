"""Corrections of a step of any emulator: states are mappings of arrays by role, before the step and after it.

Roles and units are those of `climbench.physics.quantities`. A correction gives the quantities that it changes, and no
others. Fluxes of the state after a step are means over the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np

from climbench.physics.areas import area_mean
from climbench.physics.arrays import Array
from climbench.physics.blocks import Way
from climbench.physics.columns import Column
from climbench.physics.corrections.dry_air import ace_surface_pressure, credit_humidity, credit_surface_pressure
from climbench.physics.corrections.energy import ace_temperature, credit_temperature
from climbench.physics.corrections.hydrostatic import balanced
from climbench.physics.corrections.moisture import closing_convergence, closing_precipitation
from climbench.physics.corrections.positivity import non_negative
from climbench.physics.diagnosis import FIELDS

State = Mapping[str, Array]
Form = Literal["credit", "ace"]
CONVERGENCE = "moisture_convergence"


@dataclass(frozen=True)
class Step:
    """What a correction is given of a step.

    Attributes
    ----------
    before, after : mapping of str to array
        States by role, of shape (..., [level,] latitude, longitude); what does not change with time may lack the
        leading dimensions.
    areas : array of shape (latitude, longitude)
        Of cells, of the whole globe.
    seconds : float
        Length of the step.
    column : Column or None
        The vertical coordinate, where there is one.
    target : array of shape (...) or None
        What `Correction.target` gave for the initial state.
    """

    before: State
    after: State
    areas: Array
    seconds: float
    column: Column | None = None
    target: Array | None = None

    @property
    def upright(self) -> Column:
        """The vertical coordinate, for what cannot be made without one."""
        assert self.column is not None
        return self.column


class Correction(Protocol):
    """What all corrections have.

    Attributes
    ----------
    changes : tuple of str
        The roles of what it changes.
    fluxes : tuple of str
        The roles of what it takes as means over the step.
    """

    @property
    def changes(self) -> tuple[str, ...]:
        """The roles of what it changes."""
        ...

    @property
    def fluxes(self) -> tuple[str, ...]:
        """The roles of what it takes as means over the step."""
        ...

    def target(self, initial: State, areas: Array, column: Column | None) -> Array | None:
        """Return what is to be kept of an initial state, of shape (...), where there is such a thing."""
        ...

    def __call__(self, step: Step) -> State:
        """Return the quantities it changes, by role."""
        ...


class _WithoutTarget:
    """What has nothing to keep of the initial state."""

    def target(self, initial: State, areas: Array, column: Column | None) -> Array | None:
        """Return None."""
        return None


class _WithoutFluxes:
    """What looks at states alone."""

    @property
    def fluxes(self) -> tuple[str, ...]:
        """None."""
        return ()


class Route(NamedTuple):
    """One of the ways to a field of the diagnosis, by name and place, so that processes can send it to one another."""

    field: str
    number: int

    @property
    def way(self) -> Way:
        """The way itself."""
        return FIELDS[self.field].ways[self.number]


def diagnosed(route: Route, column: Column | None, state: State) -> Array:
    """Return what the diagnosis makes of a state: maps of shape (..., latitude, longitude)."""
    way = route.way
    return way.kernel(column, *(state.get(name) for name in way.names))


@dataclass(frozen=True)
class NonNegative(_WithoutTarget, _WithoutFluxes):
    """Clips quantities at 0 (`non_negative`).

    Attributes
    ----------
    changes : tuple of str
        Which.
    straight : bool
        Whether gradients go through.
    """

    changes: tuple[str, ...]
    straight: bool = False

    def __call__(self, step: Step) -> State:
        """Return what is clipped."""
        return {name: non_negative(step.after[name], straight=self.straight) for name in self.changes}


@dataclass(frozen=True)
class DryAir(_WithoutFluxes):
    """Keeps the dry air of the initial state, as the diagnosis of the field has it.

    Attributes
    ----------
    form : {"credit", "ace"}
        Ratio or offset.
    way : Route
        To dry air: its mass for CREDIT's form, its pressure for ACE's.
    levels : int or None
        How many of the lower levels change in humidity, where thickness does not depend on surface pressure; None where
        it does, and surface pressure changes.
    """

    form: Form
    way: Route
    levels: int | None = None

    @property
    def changes(self) -> tuple[str, ...]:
        """Surface pressure or humidity."""
        return ("surface_pressure",) if self.levels is None else ("humidity",)

    def target(self, initial: State, areas: Array, column: Column | None) -> Array:
        """Return the area mean of dry air."""
        return area_mean(diagnosed(self.way, column, initial), areas)

    def __call__(self, step: Step) -> State:
        """Return surface pressure or humidity."""
        humidity, column = step.after["humidity"], step.upright
        if self.levels is not None:
            changed = credit_humidity(humidity, column.thickness(), step.areas, step.target, levels=self.levels)
            return {"humidity": changed}
        change = credit_surface_pressure if self.form == "credit" else ace_surface_pressure
        pressure = change(step.after["surface_pressure"], humidity, column, step.areas, step.target)
        return {"surface_pressure": pressure}


@dataclass(frozen=True)
class Moisture(_WithoutTarget):
    """Closes the budget of water: the globe's by precipitation, and in ACE's form each column's by convergence.

    Attributes
    ----------
    way : Route
        To the water path.
    columnwise : bool
        Whether there is a convergence to set.
    """

    way: Route
    columnwise: bool = False

    @property
    def changes(self) -> tuple[str, ...]:
        """Precipitation, and convergence where it is set."""
        return ("precipitation", CONVERGENCE) if self.columnwise else ("precipitation",)

    @property
    def fluxes(self) -> tuple[str, ...]:
        """Precipitation and evaporation."""
        return ("precipitation", "evaporation")

    def __call__(self, step: Step) -> State:
        """Return precipitation, and convergence where it is set."""
        after = step.after
        now, then = (diagnosed(self.way, step.column, state) for state in (after, step.before))
        tendency = (now - then) / step.seconds
        rain = closing_precipitation(after["precipitation"], after["evaporation"], tendency, step.areas)
        if not self.columnwise:
            return {"precipitation": rain}
        return {
            "precipitation": rain,
            CONVERGENCE: closing_convergence(tendency, after["evaporation"], rain, after[CONVERGENCE]),
        }


@dataclass(frozen=True)
class Energy(_WithoutTarget):
    """Closes the budget of energy by temperature.

    Attributes
    ----------
    form : {"credit", "ace"}
        Ratio or offset, each of its own definition of energy.
    way, top, surface : Route
        To energy and to the net downward fluxes at the top and at the surface.
    motion : bool
        Whether energy has that of motion (CREDIT's form).
    """

    form: Form
    way: Route
    top: Route
    surface: Route
    motion: bool = True

    @property
    def changes(self) -> tuple[str, ...]:
        """Temperature."""
        return ("temperature",)

    @property
    def fluxes(self) -> tuple[str, ...]:
        """All that goes through the top and the surface."""
        return (*self.top.way.names, *self.surface.way.names)

    def __call__(self, step: Step) -> State:
        """Return temperature."""
        after, areas, column = step.after, step.areas, step.upright
        gained = diagnosed(self.top, column, after) - diagnosed(self.surface, column, after)
        target = area_mean(diagnosed(self.way, column, step.before) + gained * step.seconds, areas)
        warm, humid, ground = (after[name] for name in ("temperature", "humidity", "surface_geopotential"))
        pressure = after.get("surface_pressure")
        thickness = column.thickness(pressure)
        if self.form == "ace":
            interfaces, above = column.interface_pressure(pressure), column.above().thickness(pressure)
            changed = ace_temperature(warm, humid, ground, interfaces, thickness, above, areas, target)
        else:
            east, north = (after[name] if self.motion else None for name in ("eastward", "northward"))
            changed = credit_temperature(warm, humid, ground, east, north, thickness, areas, target)
        return {"temperature": changed}


@dataclass(frozen=True, eq=False)
class Hydrostatic(_WithoutTarget, _WithoutFluxes):
    """Gives columns the truth's mean hydrostatic residual (`balanced`).

    Attributes
    ----------
    pressure : ndarray of shape (level,)
        In Pa.
    gain : array of shape (2 level, level - 1)
        Of `projection_gain`.
    mean_residual : array of shape (level - 1, 1, 1) or (level - 1, latitude, longitude)
        The truth's, in m2 s-2.
    strength : float
        1 for the whole of it.
    """

    pressure: np.ndarray
    gain: Array
    mean_residual: Array
    strength: float = 1.0

    @property
    def changes(self) -> tuple[str, ...]:
        """Geopotential and temperature."""
        return ("geopotential", "temperature")

    def __call__(self, step: Step) -> State:
        """Return geopotential and temperature."""
        height, warm, humid = (step.after[name] for name in ("geopotential", "temperature", "humidity"))
        changed = balanced(height, warm, humid, self.pressure, self.gain, self.mean_residual, strength=self.strength)
        return dict(zip(self.changes, changed, strict=True))
