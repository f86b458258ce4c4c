"""Physical constants, each with its unit and source."""

from __future__ import annotations

GRAVITY = 9.80665  # m s-2: standard acceleration of free fall, CGPM 1901; WMO geopotential metre
WATER_DENSITY = 1000.0  # kg m-3: liquid water, the convention by which 1 kg m-2 is 1 mm
SECONDS_PER_DAY = 86400.0  # s
EARTH_RADIUS = 6.371e6  # m: mean radius of the Earth, as most models of the atmosphere take it
