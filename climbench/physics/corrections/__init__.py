"""Corrections: what brings budgets back to where they belong, of the same arithmetic that diagnoses them.

Functions of arrays as all of `climbench.physics`: they can be differentiated, change nothing in place, sum over cells
in float64 and give what they change in its own dtype. What levels hold is worked out, and added up over the levels of a
column, in the dtype of the states: float64 in forecasts, so that budgets close to its round-off, float32 in training.

===============  =======================================================================================
`positivity`     what cannot be negative
`dry_air`        the mass of dry air, by CREDIT's ratios and ACE's offset
`moisture`       the budget of water, by precipitation and convergence
`energy`         the budget of energy, by CREDIT's ratio and ACE's offset
`hydrostatic`    hydrostatic balance, by projection
`by_role`        all of them on states by role, before a step and after it
`making`         those, by name, for what there is
`chain`          those, in order
===============  =======================================================================================
"""

from __future__ import annotations

from climbench.physics.corrections.dry_air import ace_surface_pressure, credit_humidity, credit_surface_pressure
from climbench.physics.corrections.energy import ace_temperature, credit_temperature
from climbench.physics.corrections.hydrostatic import balanced, projection_gain
from climbench.physics.corrections.moisture import closing_convergence, closing_precipitation
from climbench.physics.corrections.positivity import non_negative

__all__ = [
    "ace_surface_pressure",
    "ace_temperature",
    "balanced",
    "closing_convergence",
    "closing_precipitation",
    "credit_humidity",
    "credit_surface_pressure",
    "credit_temperature",
    "non_negative",
    "projection_gain",
]
