"""The vertical coordinate of one block of times, whose layers are worked out once for all budgets."""

from __future__ import annotations

from dataclasses import dataclass, field

from climbench.physics.arrays import LEVEL, Array
from climbench.physics.columns import Column


@dataclass(frozen=True, eq=False)
class BlockColumn(Column):
    """A column beside one surface pressure: what it gave once, it gives again.

    Attributes
    ----------
    known : dict
        What was worked out, by its name.
    """

    known: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, column: Column | None) -> BlockColumn | None:
        """Return a column for one block."""
        if column is None:
            return None
        return cls(column.offset, column.slope, column.interface_offset, column.interface_slope)

    def thickness(self, surface_pressure: Array | None = None, *, axis: int = LEVEL) -> Array:
        """Return the pressure that each level stands for, as `Column.thickness` does."""
        if "thickness" not in self.known:
            self.known["thickness"] = super().thickness(surface_pressure, axis=axis)
        return self.known["thickness"]
