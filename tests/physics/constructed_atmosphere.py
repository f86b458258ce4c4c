"""A random but plausible atmosphere on hybrid layers whose residuals are known, built by plain NumPy alone.

Where the residuals come from: surface pressure is set from given dry air and water, humidity from given water, and
temperature is shifted evenly until the mean energy is what fluxes and the given residual make of it.

Conditioning: a state is some 1e4 kg m-2 of air and 2.5e9 J m-2 of energy, known to 1e-16 of that; so a residual is
known to some 2e-12 kg m-2 a step, or 5e-7 J m-2 over the length of a step. Steps of ten days with residuals of some 20
W m-2, and drifts of dry air of some 50 kg m-2 a step, leave that ten times below 1e-12 of the residual itself. Over six
hours and 1 W m-2 no float64 arithmetic can give a mean residual to better than some 1e-11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

RADIUS, GRAVITY = 6.371e6, 9.80665
A = np.array([100.0, 5000.0, 11000.0, 16000.0, 15000.0, 10000.0, 4000.0, 1000.0, 0.0])  # Pa
B = np.array([0.0, 0.0, 0.02, 0.1, 0.27, 0.5, 0.76, 0.93, 1.0])
LAYERS, STEPS, SECONDS = 8, 4, 864000.0


@dataclass
class Constructed:
    """Quantities by role, and what is to be found in them; the first time has no step."""

    quantities: xr.Dataset
    areas: np.ndarray
    seconds: float
    water_residual: np.ndarray  # (step, latitude, longitude), kg m-2 s-1, of columns with what winds bring them
    convergence: np.ndarray  # (step,), kg m-2 s-1, of the area mean
    energy_residual: np.ndarray  # (step,), W m-2, of the area mean
    dry_air_change: np.ndarray  # (step,), kg m-2, of the area mean


def cell_areas(rows, columns):
    edges = np.sin(np.deg2rad(np.linspace(-90.0, 90.0, rows + 1)))
    return np.repeat(RADIUS**2 * np.diff(edges)[:, None] * 2.0 * np.pi / columns, columns, axis=1)


def mean(field, areas):
    return (field * areas).sum((-2, -1)) / areas.sum()


def thickness(ps):
    """Of shape (layer, latitude, longitude)."""
    edges = A[:, None, None] + B[:, None, None] * ps
    return edges[1:] - edges[:-1]


def credit_column(t, q, phi, u, v, ps):
    """Energy of columns by CREDIT's definition, one layer after the other."""
    total = np.zeros_like(ps)
    for k in range(LAYERS):
        dp = (A[k + 1] - A[k]) + (B[k + 1] - B[k]) * ps
        heat = ((1.0 - q[k]) * 1004.64 + q[k] * 1810.0) * t[k]
        total += (heat + 2.501e6 * q[k] + phi + 0.5 * (u[k] ** 2 + v[k] ** 2)) * dp / 9.80665
    return total


def ace_column(t, q, phi, u, v, ps):
    """Energy of columns by ACE's definition, one layer after the other, from the ground up."""
    total, below = np.zeros_like(ps), np.maximum(phi / 9.80665, 0.0)
    for k in reversed(range(LAYERS)):
        upper, lower = A[k] + B[k] * ps, A[k + 1] + B[k + 1] * ps
        virtual = t[k] * (1.0 + (461.5 / 287.05 - 1.0) * q[k])
        above = below + np.log(lower / upper) * 287.05 * virtual / 9.80665
        energy = (1004.6 - 287.05) * t[k] + 2.5e6 * q[k] + 9.80665 * 0.5 * (below + above)
        total, below = total + energy * (lower - upper) / 9.80665, above
    return total


COLUMNS_OF = {"energy_credit": credit_column, "energy_ace": ace_column}


def random_fluxes(rng, shape):
    """Means over the step that ends at each time; evaporation and precipitation in kg m-2 s-1."""
    ranges = {
        "top_solar_down": (0.0, 1000.0),
        "top_thermal_up": (150.0, 300.0),
        "surface_solar_down": (0.0, 700.0),
        "surface_thermal_down": (200.0, 450.0),
        "surface_thermal_up": (250.0, 500.0),
        "latent_up": (0.0, 200.0),
        "sensible_up": (-50.0, 100.0),
        "precipitation": (0.0, 1e-4),
        "frozen_precipitation": (0.0, 1e-5),
    }
    fluxes = {name: rng.uniform(*limits, shape) for name, limits in ranges.items()}
    fluxes["top_solar_up"] = 0.3 * fluxes["top_solar_down"]
    fluxes["surface_solar_up"] = 0.2 * fluxes["surface_solar_down"]
    fluxes["evaporation"] = fluxes["latent_up"] / 2.5e6
    return fluxes


def net_into_the_air(f):
    top = f["top_solar_down"] - f["top_solar_up"] - f["top_thermal_up"]
    sun = f["surface_solar_down"] - f["surface_solar_up"]
    thermal = f["surface_thermal_down"] - f["surface_thermal_up"]
    return top - (sun + thermal - f["latent_up"] - f["sensible_up"] - 3.34e5 * f["frozen_precipitation"])


def constructed_atmosphere(seed=0, *, energy="energy_credit", rows=6, columns=8, made_by_winds=0.0):
    """Return an atmosphere whose residual of `energy` (of `COLUMNS_OF`), of water and of dry air are known.

    Winds make water out of nothing, `made_by_winds` over the globe in kg m-2 s-1.
    """
    rng, areas = np.random.default_rng(seed), cell_areas(rows, columns)
    flat = (STEPS + 1, rows, columns)
    fluxes = random_fluxes(rng, flat)
    convergence = rng.normal(0.0, 3e-5, flat)
    convergence += made_by_winds / 0.05 - mean(convergence, areas)[:, None, None]
    fluxes["moisture_convergence"] = convergence
    residual = rng.normal(0.0, 1e-6, flat)
    source = fluxes["evaporation"] - fluxes["precipitation"] + convergence + residual
    source *= 0.05  # ten days of it must leave water in every column
    for name in ("evaporation", "precipitation", "moisture_convergence"):
        fluxes[name] = 0.05 * fluxes[name]
    residual = 0.05 * residual
    water = rng.uniform(20.0, 40.0, flat[1:]) + SECONDS * np.cumsum(np.where(np.arange(STEPS + 1), source.T, 0.0).T, 0)
    drift = np.array([0.0, 50.0, -30.0, 40.0, 60.0])
    spread = rng.normal(0.0, 50.0, flat)
    dry = 9900.0 + spread - mean(spread, areas)[:, None, None] + np.cumsum(drift)[:, None, None]
    ps = GRAVITY * (dry + water) + A[0]

    shape = np.exp(-3.0 * (1.0 - np.arange(1, LAYERS + 1) / LAYERS))[:, None, None] * rng.uniform(0.8, 1.2, (8, 1, 1))
    q = np.stack([w * GRAVITY * shape / (shape * thickness(p)).sum(0) for w, p in zip(water, ps, strict=True)])
    deep = (STEPS + 1, LAYERS, rows, columns)
    u, v = rng.normal(10.0, 15.0, deep), rng.normal(0.0, 10.0, deep)
    t = np.linspace(215.0, 290.0, LAYERS)[:, None, None] + rng.normal(0.0, 5.0, deep)
    phi = GRAVITY * rng.uniform(0.0, 1500.0, flat[1:])
    unexplained = np.array([0.0, 20.0, -15.0, 25.0, -30.0])
    aim = SECONDS * (mean(net_into_the_air(fluxes), areas) + unexplained)
    for n in range(1, STEPS + 1):
        state = (q[n], phi, u[n], v[n], ps[n])
        before = mean(COLUMNS_OF[energy](t[n - 1], q[n - 1], phi, u[n - 1], v[n - 1], ps[n - 1]), areas)
        for _ in range(3):  # energy is linear in temperature; again takes away what rounding left
            now, warmer = (mean(COLUMNS_OF[energy](t[n] + d, *state), areas) for d in (0.0, 1.0))
            t[n] += (before + aim[n] - now) / (warmer - now)
    return Constructed(
        _quantities(fluxes, {"temperature": t, "humidity": q, "eastward": u, "northward": v}, ps, phi),
        areas,
        SECONDS,
        residual[1:],
        np.full(STEPS, made_by_winds),
        unexplained[1:],
        drift[1:],
    )


def _quantities(fluxes, layers, ps, phi):
    rows, columns = phi.shape
    coords = {
        "time": np.datetime64("2001-01-01", "ns") + np.arange(STEPS + 1) * np.timedelta64(int(SECONDS), "s"),
        "latitude": -90.0 + 180.0 / rows * (np.arange(rows) + 0.5),
        "longitude": np.arange(columns) * 360.0 / columns,
    }
    flat = ("time", "latitude", "longitude")
    fields = {name: (flat, values) for name, values in (fluxes | {"surface_pressure": ps}).items()}
    fields |= {name: (("time", "level", *flat[1:]), values) for name, values in layers.items()}
    return xr.Dataset(fields | {"surface_geopotential": (flat[1:], phi)}, coords)
