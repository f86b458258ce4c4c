"""Rows of the score table, what they were made from, and why numbers are missing from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from climbench.metrics import noise_floor
from climbench.metrics.significance import Interval

NUMBERS = ("value", "floor", "low", "high")
GLOBE = "global"


@dataclass
class ModelScores:
    """All scores of one model, and what they were made from.

    Attributes
    ----------
    rows : list of dict
        Rows of the score table.
    why_null : dict of str to list of str
        Reasons why values or intervals are null, and what each holds for.
    details : list of dict
        Per variable and part: mean square, squared floor, unclipped debiased mean square and its interval.
    statistics : dict of str to DataArray
        Per-sample statistics, from which every spatial score and interval can be made again.
    impossible : dict of str to tuple of str
        By score of physics that the targets do not allow, what is missing.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    why_null: dict[str, list[str]] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)
    statistics: dict[str, xr.DataArray] = field(default_factory=dict)
    impossible: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add_reason(self, what: str, reason: str) -> None:
        """Keep why something is null, once."""
        if reason and what not in self.why_null.get(reason, []):
            self.why_null.setdefault(reason, []).append(what)

    @property
    def reasons(self) -> list[str]:
        """Why values or intervals are null, a line a reason."""
        return [f"{', '.join(what)}: {reason}" for reason, what in self.why_null.items()]

    def add(
        self,
        model: str,
        variable: str,
        metric: str,
        units: str,
        values: Mapping[str, float | None],
        *,
        region: str = GLOBE,
    ) -> None:
        """Append one row; a number that is missing from `values`, or not finite, is None."""
        names = {"model": model, "variable": variable, "metric": metric, "region": region, "lead_time": None}
        numbers = {key: _finite(values.get(key)) for key in NUMBERS}
        self.rows.append({**names, **numbers, "units": units})


@dataclass(frozen=True)
class Part:
    """The mean square of one part (spatial or global) of an error, its floor and the interval of their difference."""

    mean_square: float
    floor_square: float
    interval: Interval

    def rooted(self, norm: float = 1.0) -> dict[str, float | None]:
        """Return value, floor and interval of the root-mean-square error, root last."""
        low, high = self.interval.low, self.interval.high
        return {
            "value": _finite(np.sqrt(self.mean_square) / norm),
            "floor": _finite(np.sqrt(self.floor_square) / norm),
            "low": None if low is None else root(low + self.floor_square) / norm,
            "high": None if high is None else root(high + self.floor_square) / norm,
        }

    def debiased(self) -> dict[str, float | None]:
        """Return the clipped debiased error and its interval."""
        low, high = self.interval.low, self.interval.high
        known = np.isfinite(self.floor_square)
        return {
            "value": noise_floor.debiased_rmse(self.mean_square, self.floor_square) if known else None,
            "floor": None,
            "low": None if low is None else root(low),
            "high": None if high is None else root(high),
        }

    def detail(self, **names: str) -> dict[str, Any]:
        """Return the squares, unclipped, for the record."""
        return {
            **names,
            "mean_square": _finite(self.mean_square),
            "floor_square": _finite(self.floor_square),
            "debiased_mean_square": _finite(self.mean_square - self.floor_square),
            "low": self.interval.low,
            "high": self.interval.high,
            "reason": self.interval.reason,
        }


def root(square: float) -> float:
    """Return the root of a mean square, 0 where it is negative."""
    return float(np.sqrt(max(square, 0.0)))


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
