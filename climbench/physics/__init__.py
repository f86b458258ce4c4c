"""Budgets and balances of the atmosphere, one definition each: for diagnosis and correction, on NumPy, dask and torch.

All are functions of arrays of any library that follows the array API; axes are counted from the end, levels stand from
the top down, and sums are in float64. A diagnosis is in float64 from the first product on; what levels hold, asked for
alone, is in the dtype given, in which training corrects (`corrections`).

======================  =======================================================================================
`columns`               a column of air: the pressure that each level stands for
`vertical_coordinates`  columns of pressure levels, sigma and hybrid layers
`integrals`             integrals over columns
`areas`                 means and sums over area; cell areas of this suite, of CREDIT and of ACE
`water`                 dry air, water path, the budget of water
`energy`                total energy as CREDIT and ACE define it, and its budget
`fluxes`                balances at the top of the atmosphere and at the surface
`ocean`                 ocean heat content
`drift`                 changes from step to step, and drift per day and century
`hydrostatic`           residuals of hydrostatic balance between levels, and the matrix that gives them
`differences`           derivatives along latitude and longitude
`geostrophic`           the geostrophic wind
`ageostrophic`          how much of the wind is not geostrophic, over bands of latitude
`imbalance`             residuals of any balance beside the truth's own
`saturation`            how much vapour air can hold, and relative humidity
`moisture`              water below zero, above saturation, frozen above total
`drizzle`               how often it rains, and the share of drizzle
`quantities`            what all this needs, and the variables it can be taken from
`opening`               those of a data set, with its vertical coordinate
`blocks`                kernels put to named arrays, several at once, in slabs that fit a cache
`diagnosis`             the xarray face: maps of everything a data set allows, and what is missing
======================  =======================================================================================
"""

from __future__ import annotations

from climbench.physics.ageostrophic import ageostrophic_mean_squares, ageostrophic_ratio
from climbench.physics.areas import ace_weights, area_mean, area_sum, credit_cell_areas, exact_cell_areas
from climbench.physics.columns import Column
from climbench.physics.drift import Drift, drift
from climbench.physics.drizzle import RainMeans, drizzle_share, rain_means
from climbench.physics.energy import ace_energy, credit_energy, energy_residual
from climbench.physics.fluxes import surface_balance, top_balance
from climbench.physics.geostrophic import coriolis, geostrophic_wind
from climbench.physics.hydrostatic import hydrostatic_operator, hydrostatic_residual, residual_in_kelvin
from climbench.physics.integrals import column_integral
from climbench.physics.moisture import (
    above_saturation,
    below_zero,
    fraction_of_air,
    frozen_above_total,
    negative_water,
    water_above_saturation,
)
from climbench.physics.ocean import ocean_heat_content
from climbench.physics.saturation import relative_humidity, saturation_humidity, saturation_vapour_pressure
from climbench.physics.vertical_coordinates import (
    hybrid_layers,
    hybrid_levels,
    pressure_layers,
    pressure_levels,
    sigma_layers,
)
from climbench.physics.water import dry_air_mass, dry_air_pressure, evaporation_of, water_path, water_residual

__all__ = [
    "Column",
    "Drift",
    "RainMeans",
    "above_saturation",
    "ace_energy",
    "ace_weights",
    "ageostrophic_mean_squares",
    "ageostrophic_ratio",
    "area_mean",
    "area_sum",
    "below_zero",
    "column_integral",
    "coriolis",
    "credit_cell_areas",
    "credit_energy",
    "drift",
    "drizzle_share",
    "dry_air_mass",
    "dry_air_pressure",
    "energy_residual",
    "evaporation_of",
    "exact_cell_areas",
    "fraction_of_air",
    "frozen_above_total",
    "geostrophic_wind",
    "hybrid_layers",
    "hybrid_levels",
    "hydrostatic_operator",
    "hydrostatic_residual",
    "negative_water",
    "ocean_heat_content",
    "pressure_layers",
    "pressure_levels",
    "rain_means",
    "relative_humidity",
    "residual_in_kelvin",
    "saturation_humidity",
    "saturation_vapour_pressure",
    "sigma_layers",
    "surface_balance",
    "top_balance",
    "water_above_saturation",
    "water_path",
    "water_residual",
]
