r"""Scores of physics: what they are made from, and their definitions.

They are scores as any others, made from statistics of each initial and lead time; their statistics are of means over
the globe, and what the truth scores by them stands beside them, for analyses do not conserve either.
"""

from __future__ import annotations

from climbench.cards import Fluid
from climbench.constants import SECONDS_PER_DAY
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.physics_consistency import drizzle, imbalance, share, tropical_variance, water
from climbench.tasks.forecast.physics_score import ERROR, SQUARE, PhysicsScore, root_of


def _drift(of: str, units: str, words: str, *, fluid: Fluid = "air", maps: tuple[str, ...] = ()) -> PhysicsScore:
    definition = (
        f"root of the mean square over initial times of the global mean of {words} less that at the initial time"
    )
    name = f"{of}_drift{SQUARE}"
    return PhysicsScore(
        "drift", of, Metric((name,), root_of(name), units=units, definition=definition), maps, True, fluid
    )


def _closure(of: str, units: str, factor: float, words: str, unless: str = "") -> dict[str, PhysicsScore]:
    mean = Metric((of,), lambda s, m: factor * s[of], units=units, best="zero", definition=f"global mean of {words}")
    square = f"{of}{SQUARE}"
    definition = f"root of the mean square over initial times of the global mean of {words}"
    return {
        f"{of}_mean": PhysicsScore("closure", of, mean, unless=unless),
        f"{of}_rms": PhysicsScore(
            "closure", of, Metric((square,), root_of(square, factor), units=units, definition=definition), unless=unless
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
    "negative_humidity": share("negative_humidity", "share of area and levels with specific humidity below zero"),
    "negative_precipitation": share("negative_precipitation", "share of the area with precipitation below zero"),
    "frozen_above_total": share(
        "frozen_above_total", "share of the area with more frozen precipitation than precipitation in all"
    ),
    "above_saturation": share("above_saturation", "share of area and levels with relative humidity over water above 1"),
    "negative_water": water("negative_water", "mean over the area of the water that is below zero, in columns"),
    "water_above_saturation": water(
        "water_above_saturation", "mean over the area of the water above saturation over water, in columns"
    ),
    **drizzle(),
    "tropical_variance": PhysicsScore("variance", "", tropical_variance(), globe=False),
    **imbalance(),
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
