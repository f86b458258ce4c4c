"""What a score of physics is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from climbench.cards import Fluid
from climbench.tasks.forecast.metrics import Means, Metric

PHYSICS = "physics"  # stands for the variable in rows of the score table
SQUARE, ERROR, TRUTH = "_square", "_error", "truth_"
TROPICAL = "tropical_square"
Kind = Literal["drift", "closure", "mean", "bias", "ratio", "variance"]


@dataclass(frozen=True)
class PhysicsScore:
    """A score of physics.

    Attributes
    ----------
    kind : {"drift", "closure", "mean", "bias", "ratio", "variance"}
        What is taken of the means over the globe: how far they are from those at the initial time, what fluxes leave
        unexplained of their changes, they themselves, their difference from the truth's, or they and the truth's. A
        variance is none of them (`climbench.tasks.forecast.physics_tropics`).
    of : str
        The map, or the closure (`climbench.physics.diagnosis.CLOSURES`), that it is made from; none of a variance.
    metric : Metric
        The score of those statistics.
    maps : tuple of str
        Further maps that it needs; of a drift, what it is taken per unit of, at the initial time.
    globe : bool
        Whether it means nothing of a part of the globe.
    fluid : {"air", "shallow-water"}
        What it is for.
    unless : str
        The closure that says more, where that can be had and is wanted.
    """

    kind: Kind
    of: str
    metric: Metric
    maps: tuple[str, ...] = ()
    globe: bool = True
    fluid: Fluid = "air"
    unless: str = ""


def root_of(name: str, factor: float = 1.0) -> Callable[[Means, int], np.ndarray]:
    """Return what takes the root of a mean square, in another unit where there is a factor."""
    return lambda s, m: factor * np.sqrt(s[name])
