r"""Scores of physics: what they are made from, and their definitions.

They are scores as any others, made from statistics of each initial and lead time; their statistics are of means over
the globe, and what the truth scores by them stands beside them, for analyses do not conserve either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from climbench.cards import Fluid
from climbench.constants import SECONDS_PER_DAY
from climbench.physics.ageostrophic import ageostrophic_ratio
from climbench.physics.drizzle import drizzle_share
from climbench.physics.imbalance import relative
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


def _root(name: str, factor: float = 1.0) -> Callable[[Means, int], np.ndarray]:
    return lambda s, m: factor * np.sqrt(s[name])


def _drift(of: str, units: str, words: str, *, fluid: Fluid = "air", maps: tuple[str, ...] = ()) -> PhysicsScore:
    definition = (
        f"root of the mean square over initial times of the global mean of {words} less that at the initial time"
    )
    name = f"{of}_drift{SQUARE}"
    return PhysicsScore(
        "drift", of, Metric((name,), _root(name), units=units, definition=definition), maps, True, fluid
    )


def _closure(of: str, units: str, factor: float, words: str, unless: str = "") -> dict[str, PhysicsScore]:
    mean = Metric((of,), lambda s, m: factor * s[of], units=units, best="zero", definition=f"global mean of {words}")
    square = f"{of}{SQUARE}"
    definition = f"root of the mean square over initial times of the global mean of {words}"
    return {
        f"{of}_mean": PhysicsScore("closure", of, mean, unless=unless),
        f"{of}_rms": PhysicsScore(
            "closure", of, Metric((square,), _root(square, factor), units=units, definition=definition), unless=unless
        ),
    }


def _energy(of: str, whose: str, unless: str = "") -> dict[str, PhysicsScore]:
    words = (
        f"what fluxes at the top and the surface leave unexplained of the change of total energy ({whose}) since the "
        "lead time before"
    )
    return _closure(f"{of}_residual", "W m-2", 1.0, words, unless)


def _balance(of: str, words: str) -> dict[str, PhysicsScore]:
    units, error = "W m-2", f"{of}{ERROR}"
    mean = Metric((of,), lambda s, m: s[of], units=units, best="none", definition=f"global mean of {words}")
    bias = Metric((error,), lambda s, m: s[error], units=units, best="zero", definition="the same less the truth's")
    return {of: PhysicsScore("mean", of, mean), f"{of}_bias": PhysicsScore("bias", of, bias)}


def _share(of: str, words: str) -> PhysicsScore:
    return PhysicsScore("mean", of, Metric((of,), lambda s, m: s[of], units="1", definition=words), globe=False)


def _water(of: str, words: str) -> PhysicsScore:
    return PhysicsScore("mean", of, Metric((of,), lambda s, m: s[of], units="kg m-2", definition=words), globe=False)


def _drizzle() -> dict[str, PhysicsScore]:
    """Return both shares of rain too light to be, which the truth has some of."""
    part, whole, words = "drizzle_amount", "rain_amount", "rain below 1 mm/day as a mean over the step"
    area = Metric(
        ("drizzle",),
        lambda s, m: s["drizzle"],
        units="1",
        best="none",
        definition=f"share of area and time with {words}",
    )
    amount = Metric(
        (part, whole),
        lambda s, m: drizzle_share(s[part], s[whole]),
        units="1",
        best="none",
        definition=f"share of all precipitation that falls as {words}",
    )
    return {
        "drizzle_area": PhysicsScore("mean", "drizzle", area, globe=False),
        "drizzle_share": PhysicsScore("mean", part, amount, (whole,), globe=False),
    }


def _tropical() -> Metric:
    return Metric(
        (TROPICAL, f"{TRUTH}{TROPICAL}"),
        lambda s, m: s[TROPICAL] / s[f"{TRUTH}{TROPICAL}"],
        units="1",
        best="one",
        definition=(
            "mean from 20 degrees south to 20 north of the variance over initial times of precipitation, or what else "
            "the notes name, over that of the truth"
        ),
    )


def _imbalance() -> dict[str, PhysicsScore]:
    """Return both balances, each by itself, and over the truth's own."""
    of, wind, departure = "hydrostatic_square", "wind_square", "ageostrophic_square"
    residual = Metric(
        (of,),
        _root(of),
        units="m2 s-2",
        definition="root mean square of what geopotential and virtual temperature miss hydrostatic balance by",
    )
    warmth = "hydrostatic_kelvin_square"
    kelvin = Metric(
        (warmth,),
        _root(warmth),
        units="K",
        definition="the same as error of the mean virtual temperature between levels",
    )
    ratio = Metric(
        (departure, wind),
        lambda s, m: ageostrophic_ratio(s[departure], s[wind]),
        units="1",
        best="none",
        definition=(
            "root mean square of the wind that is not geostrophic over that of the wind, from 30 to 60 degrees, at the "
            "level nearest to 500 hPa, no more than 100 hPa off it"
        ),
    )
    over_truth = "over that of the truth: 1 where the forecast is as far out of balance"
    return {
        "hydrostatic_residual": PhysicsScore("mean", of, residual, globe=False),
        "hydrostatic_residual_kelvin": PhysicsScore("mean", warmth, kelvin, globe=False),
        "hydrostatic_relative": PhysicsScore(
            "ratio",
            of,
            Metric(
                (of, f"{TRUTH}{of}"),
                lambda s, m: relative(s[of], s[f"{TRUTH}{of}"]),
                units="1",
                best="one",
                definition=f"hydrostatic_residual {over_truth}",
            ),
            globe=False,
        ),
        "ageostrophic_ratio": PhysicsScore("mean", departure, ratio, (wind,), globe=False),
        "ageostrophic_relative": PhysicsScore(
            "ratio",
            departure,
            Metric(
                (departure, wind, f"{TRUTH}{departure}", f"{TRUTH}{wind}"),
                lambda s, m: (
                    ageostrophic_ratio(s[departure], s[wind])
                    / ageostrophic_ratio(s[f"{TRUTH}{departure}"], s[f"{TRUTH}{wind}"])
                ),
                units="1",
                best="one",
                definition=f"ageostrophic_ratio {over_truth}",
            ),
            (wind,),
            globe=False,
        ),
    }


PHYSICS_SCORES: dict[str, PhysicsScore] = {
    "dry_air_drift": _drift("dry_air_mass", "kg m-2", "the mass of dry air (surface pressure less water, over g)"),
    "dry_air_mass_drift": _drift(
        "dry_air_between_levels",
        "kg m-2",
        "the mass of dry air between the first and the last level of pressure (CREDIT's definition)",
    ),
    **_closure(
        "water_residual",
        "mm/day",
        SECONDS_PER_DAY,
        "what evaporation less precipitation leaves unexplained of the change of water since the lead time before",
    ),
    **_energy("energy_credit", "CREDIT's definition"),
    **_energy(
        "energy_credit_without_motion",
        "CREDIT's definition, without that of motion, where winds are missing",
        unless="energy_credit_residual",
    ),
    **_energy("energy_ace", "ACE's definition, over layers"),
    **_balance("toa_net", "the net downward flux at the top of the atmosphere"),
    **_balance("surface_net", "the net downward flux at the surface"),
    "negative_humidity": _share("negative_humidity", "share of area and levels with specific humidity below zero"),
    "negative_precipitation": _share("negative_precipitation", "share of the area with precipitation below zero"),
    "frozen_above_total": _share(
        "frozen_above_total", "share of the area with more frozen precipitation than precipitation in all"
    ),
    "above_saturation": _share(
        "above_saturation", "share of area and levels with relative humidity over water above 1"
    ),
    "negative_water": _water("negative_water", "mean over the area of the water that is below zero, in columns"),
    "water_above_saturation": _water(
        "water_above_saturation", "mean over the area of the water above saturation over water, in columns"
    ),
    **_drizzle(),
    "tropical_variance": PhysicsScore("variance", "", _tropical(), globe=False),
    **_imbalance(),
    "layer_mass_drift": _drift("layer_mass", "m2 s-2", "the geopotential of the free surface", fluid="shallow-water"),
    "layer_energy_drift": _drift(
        "layer_energy",
        "m2 s-2",
        "the energy of the layer over its mass at the initial time",
        fluid="shallow-water",
        maps=("layer_depth",),
    ),
}
PHYSICS_METRICS: dict[str, Metric] = {name: score.metric for name, score in PHYSICS_SCORES.items()}
