"""Corrections one after the other, each of what those before it have left."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from climbench.physics.arrays import LEVEL, Array, in_dtype_of
from climbench.physics.columns import Column
from climbench.physics.corrections.by_role import Correction, State, Step
from climbench.physics.integrals import UnmadeThickness

Targets = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Unmade(Column):
    """A column whose thickness is not made where it depends on surface pressure: integrals can do without.

    Attributes
    ----------
    known : dict
        Sums over levels, which corrections of one step share (`UnmadeThickness`).
    higher : list of Unmade
        That of `above`, once it was asked for.
    """

    known: dict[int, tuple[Array, Array, Array]] = field(default_factory=dict)
    higher: list[Unmade] = field(default_factory=list)

    @classmethod
    def of(cls, column: Column | None) -> Unmade | None:
        """Return that of a column for one step, where there is one."""
        if column is None:
            return None
        return cls(column.offset, column.slope, column.interface_offset, column.interface_slope)

    def above(self) -> Unmade:
        """Return that of `Column.above`, unmade; there is one a step."""
        if not self.higher:
            self.higher.append(cast(Unmade, Unmade.of(super().above())))
        return self.higher[0]

    def interface_pressure(self, surface_pressure: Array | None = None, *, axis: int = LEVEL) -> Array:
        """Return that of `Column.interface_pressure`, in the dtype of surface pressure."""
        made = super().interface_pressure(surface_pressure, axis=axis)
        return made if surface_pressure is None else in_dtype_of(made, surface_pressure)

    def line(self, surface_pressure: Array) -> UnmadeThickness:
        """Return thickness that is not made, and knows the sums of this step."""
        return replace(super().line(surface_pressure), known=self.known)

    def thickness(self, surface_pressure: Array | None = None, *, axis: int = LEVEL) -> Any:
        """Return that of `Column.thickness`, or what stands for it in `column_integral`."""
        if axis != LEVEL or surface_pressure is None or not self.needs_surface_pressure:
            return super().thickness(surface_pressure, axis=axis)
        return self.line(surface_pressure)


@dataclass(frozen=True)
class Chain:
    """Corrections in order.

    Attributes
    ----------
    corrections : mapping of str to Correction
        In the order they act in, as `climbench.physics.corrections.making.make_corrections` has it.
    column : Column or None
        The vertical coordinate, where there is one.
    """

    corrections: Mapping[str, Correction]
    column: Column | None = None

    @property
    def changes(self) -> tuple[str, ...]:
        """The roles of what is changed."""
        return tuple(dict.fromkeys(role for part in self.corrections.values() for role in part.changes))

    def targets(self, initial: State, areas: Array) -> Targets:
        """Return what is kept of an initial state all the way, by correction.

        Parameters
        ----------
        initial : mapping of str to array
            By role, of shape (..., [level,] latitude, longitude).
        areas : array of shape (latitude, longitude)
            Of cells, of the whole globe.

        Returns
        -------
        dict of str to array
            Each of shape (...), float64.
        """
        found = {name: part.target(initial, areas, Unmade.of(self.column)) for name, part in self.corrections.items()}
        return {name: target for name, target in found.items() if target is not None}

    def __call__(self, before: State, after: State, targets: Targets, areas: Array, seconds: float) -> State:
        """Return the state after a step, corrected.

        Parameters
        ----------
        before, after : mapping of str to array
            By role, of shape (..., [level,] latitude, longitude).
        targets : mapping of str to array
            Of the initial state.
        areas : array of shape (latitude, longitude)
            Of cells, of the whole globe.
        seconds : float
            Length of the step.

        Returns
        -------
        dict of str to array
            By role; what no correction changes is the very array that was given.
        """
        return {**after, **self.changed(before, after, targets, areas, seconds)}

    def changed(self, before: State, after: State, targets: Targets, areas: Array, seconds: float) -> State:
        """Return what is changed of the state after a step, and look up no more of the states than is needed for it."""
        found: dict[str, Array] = {}
        step = Step(before, ChainMap(found, cast(dict[str, Array], after)), areas, seconds, Unmade.of(self.column))
        for name, correction in self.corrections.items():
            found.update(correction(replace(step, target=targets.get(name))))
        return found
