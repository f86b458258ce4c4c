"""Bringing variables to a common size before a network sees them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from climbench.errors import ModelError
from climbench.variables import without_model


@dataclass(frozen=True)
class Scaling:
    """Takes each variable to (value - offset) / scale.

    Attributes
    ----------
    offset, scale : mapping of str to float
        In the units of the variables.
    """

    offset: Mapping[str, float]
    scale: Mapping[str, float]

    @classmethod
    def none(cls, names: Sequence[str]) -> Scaling:
        """Return the scaling that leaves variables as they are."""
        return cls(dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0))

    @classmethod
    def ranges(cls, names: Sequence[str], ranges: Mapping[str, tuple[float, float]]) -> Scaling:
        """Return the scaling that takes fixed ranges to [0, 1].

        Raises
        ------
        ModelError
            If there is no range for a variable.
        """
        for name in map(without_model, names):
            if name not in ranges:
                raise ModelError(f"There is no fixed range to scale '{name}' by; scale by training statistics instead.")
        lowest = {name: float(ranges[without_model(name)][0]) for name in names}
        return cls(lowest, {name: float(ranges[without_model(name)][1]) - lowest[name] for name in names})

    @classmethod
    def standard(cls, datasets: Sequence[xr.Dataset], names: Sequence[str]) -> Scaling:
        """Return the scaling to mean 0 and standard deviation 1 over all years and cells of data sets.

        A variable that does not vary gets a scale of 1.
        """
        offset, scale = {}, {}
        for name in names:
            values = [data[name].astype("float64") for data in datasets]
            count = sum(v.size for v in values)
            mean = sum(float(v.sum()) for v in values) / count
            spread = np.sqrt(sum(float(((v - mean) ** 2).sum()) for v in values) / count)
            offset[name] = mean
            scale[name] = float(spread) if spread > 1e-12 * abs(mean) else 1.0
        return cls(offset, scale)

    def apply(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return a variable's values without unit."""
        return (values - self.offset[name]) / self.scale[name]

    def invert(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return a variable's values in its unit."""
        return values * self.scale[name] + self.offset[name]

    def to_json(self) -> dict[str, dict[str, float]]:
        """Return offsets and scales as plain content."""
        return {key: dict(value) for key, value in asdict(self).items()}
