"""Budgets and balances of the atmosphere, one definition each: for diagnosis and correction, on NumPy, dask and torch.

All are functions of arrays of any library that follows the array API; axes are counted from the end, levels stand from
the top down, and sums are in float64.

===============  =======================================================================================
`columns`        vertical coordinates; integrals over columns
`areas`          means and sums over area; cell areas of this suite, of CREDIT and of ACE
`water`          dry air, water path, the budget of water
`energy`         total energy as CREDIT and ACE define it, and its budget
`fluxes`         balances at the top of the atmosphere and at the surface
`ocean`          ocean heat content
`drift`          changes from step to step, and drift per day and century
`quantities`     what all this needs, and the variables it can be taken from
`opening`        those of a data set, with its vertical coordinate
`blocks`         kernels put to named arrays, several at once, in slabs that fit a cache
`diagnosis`      the xarray face: maps of everything a data set allows, and what is missing
===============  =======================================================================================
"""

from __future__ import annotations

from climbench.physics.areas import ace_weights, area_mean, area_sum, credit_cell_areas, exact_cell_areas
from climbench.physics.columns import (
    Column,
    column_integral,
    hybrid_layers,
    hybrid_levels,
    pressure_layers,
    pressure_levels,
    sigma_layers,
)
from climbench.physics.drift import Drift, drift, tendency
from climbench.physics.energy import ace_energy, credit_energy, energy_residual
from climbench.physics.fluxes import surface_balance, top_balance
from climbench.physics.ocean import ocean_heat_content
from climbench.physics.water import dry_air_mass, dry_air_pressure, evaporation_of, water_path, water_residual

__all__ = [
    "Column",
    "Drift",
    "ace_energy",
    "ace_weights",
    "area_mean",
    "area_sum",
    "column_integral",
    "credit_cell_areas",
    "credit_energy",
    "drift",
    "dry_air_mass",
    "dry_air_pressure",
    "energy_residual",
    "evaporation_of",
    "exact_cell_areas",
    "hybrid_layers",
    "hybrid_levels",
    "ocean_heat_content",
    "pressure_layers",
    "pressure_levels",
    "sigma_layers",
    "surface_balance",
    "tendency",
    "top_balance",
    "water_path",
    "water_residual",
]
