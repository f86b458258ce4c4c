"""A small moist atmosphere that conserves nothing: two random states and the fluxes of the step between them."""

from __future__ import annotations

import numpy as np

from climbench.physics.areas import exact_cell_areas
from climbench.physics.vertical_coordinates import hybrid_layers, pressure_levels

LATITUDE, LONGITUDE = np.linspace(-75.0, 75.0, 6), np.arange(0.0, 360.0, 45.0)
AREAS = exact_cell_areas(LATITUDE, LONGITUDE)
SECONDS = 21600.0
HYBRID = hybrid_layers(np.array([200.0, 9000.0, 6000.0, 0.0]), np.array([0.0, 0.1, 0.5, 1.0]))
LEVELS = pressure_levels(np.array([30000.0, 50000.0, 100000.0]))
COLUMNS = {"hybrid": HYBRID, "levels": LEVELS}
NAMES = ("positivity", "dry_air", "moisture", "energy")

TALL = {"temperature": (250.0, 10.0), "humidity": (4e-3, 1e-3), "eastward": (5.0, 9.0), "northward": (0.0, 9.0)}
FLAT = {
    "surface_pressure": (98000.0, 900.0),
    "precipitation": (3e-5, 1e-5),
    "evaporation": (3e-5, 1e-5),
    "moisture_convergence": (0.0, 1e-5),
    "top_solar_net": (240.0, 40.0),
    "top_thermal_up": (235.0, 20.0),
    "surface_solar_net": (160.0, 30.0),
    "surface_thermal_net": (-60.0, 10.0),
    "latent_up": (80.0, 9.0),
    "sensible_up": (20.0, 5.0),
}


def state(seed: int, batch: tuple[int, ...] = (2,)) -> dict[str, np.ndarray]:
    """Return quantities by role, of shape (batch, [level,] latitude, longitude)."""
    draw, shape = np.random.default_rng(seed), (LATITUDE.size, LONGITUDE.size)
    made = {name: m + s * draw.standard_normal((*batch, 3, *shape)) for name, (m, s) in TALL.items()}
    made |= {name: m + s * draw.standard_normal((*batch, *shape)) for name, (m, s) in FLAT.items()}
    return made | {"surface_geopotential": np.abs(500.0 * np.random.default_rng(9).standard_normal(shape))}
