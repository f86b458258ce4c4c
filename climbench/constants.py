"""Physical constants, each with its unit and source."""

from __future__ import annotations

from dataclasses import dataclass

GRAVITY = 9.80665  # m s-2: standard acceleration of free fall, CGPM 1901; WMO geopotential metre
WATER_DENSITY = 1000.0  # kg m-3: liquid water, the convention by which 1 kg m-2 is 1 mm
SECONDS_PER_DAY = 86400.0  # s
DAYS_PER_CENTURY = 36525.0  # Julian century, IAU
EARTH_RADIUS = 6.371e6  # m: mean radius of the Earth, as most models of the atmosphere take it
ROTATION_RATE = 7.292e-5  # rad s-1: of the Earth, as WeatherBench 2 and the shallow-water tests take it
FREEZING_POINT = 273.15  # K: of water at standard pressure
SEA_WATER_DENSITY = 1035.0  # kg m-3: Boussinesq reference of GFDL's CM4, as Ai2's ACE takes it
SEA_WATER_HEAT_CAPACITY = 3992.0  # J kg-1 K-1: as above


@dataclass(frozen=True)
class MoistAir:
    """The constants of moist air as one published code takes them.

    Attributes
    ----------
    gravity : float
        In m s-2.
    dry_gas, vapour_gas : float
        Gas constants of dry air and of water vapour, in J kg-1 K-1.
    dry_heat, vapour_heat : float
        Heat capacities at constant pressure, in J kg-1 K-1.
    vaporisation, fusion : float
        Latent heats, in J kg-1.
    """

    gravity: float
    dry_gas: float
    vapour_gas: float
    dry_heat: float
    vapour_heat: float
    vaporisation: float
    fusion: float

    @property
    def dry_heat_at_constant_volume(self) -> float:
        """Heat capacity of dry air at constant volume, in J kg-1 K-1."""
        return self.dry_heat - self.dry_gas

    @property
    def vapour_lightness(self) -> float:
        """How much lighter vapour makes air: virtual temperature is T (1 + this times q)."""
        return self.vapour_gas / self.dry_gas - 1.0


# NCAR's CREDIT, credit/physics_constants.py (miles-credit 2026.2.0).
CREDIT_AIR = MoistAir(9.80665, 287.05, 461.5, 1004.64, 1810.0, 2.501e6, 3.337e5)
# Ai2's ACE, fme/core/constants.py (57c54a7). It gives vapour the heat capacity of dry air.
ACE_AIR = MoistAir(9.80665, 287.05, 461.5, 1004.6, 1004.6, 2.5e6, 3.34e5)
