"""Mass and energy of a layer of fluid: against integrals by hand, and against the equations that conserve them."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.physics.areas import area_mean, exact_cell_areas
from climbench.physics.shallow_water import layer_depth, layer_energy


def test_energy_of_a_turning_layer_by_its_integral():
    """Solid-body rotation over flat ground: phi = a - b x^2, u^2 = c (1 - x^2) with x the sine of latitude.

    Means over the sphere of x^2 and x^4 are 1/3 and 1/5.
    """
    a, b, c = 2.94e4, 1.7e4, 40.0**2
    latitude = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(12)[0]))
    longitude = np.arange(0.0, 360.0, 30.0)
    x = np.sin(np.deg2rad(latitude))[:, None] * np.ones(longitude.size)
    surface, wind = a - b * x**2, np.sqrt(c * (1.0 - x**2))
    found = area_mean(layer_energy(surface, wind, 0.0 * wind, 0.0), exact_cell_areas(latitude, longitude))
    motion = 0.5 * c * (a - a / 3.0 - b / 3.0 + b / 5.0)
    depth = 0.5 * (a**2 - 2.0 * a * b / 3.0 + b**2 / 5.0)
    assert found == pytest.approx(motion + depth, rel=1e-10)


def test_parts_by_hand():
    assert layer_depth(np.float32([[12.0]]), 2.0) == 10.0
    # depth 10, motion (3^2 + 4^2) / 2 = 12.5, ground 2: 10 (12.5 + 5 + 2)
    assert layer_energy(np.array([[12.0]]), np.array([[3.0]]), np.array([[4.0]]), np.array([[2.0]])) == 195.0


def test_the_equations_conserve_mass_and_energy():
    """On a plane that repeats, with derivatives that are exact: the mean tendency of both is 0 over any ground."""
    n = 64
    x = 2.0 * np.pi * np.arange(n) / n
    y = x[:, None]
    wave = np.fft.fftfreq(n, 1.0 / n)
    d_x = lambda f: np.fft.ifft(1j * wave * np.fft.fft(f, axis=1), axis=1).real  # noqa: E731
    d_y = lambda f: np.fft.ifft(1j * wave[:, None] * np.fft.fft(f, axis=0), axis=0).real  # noqa: E731
    ground = 0.5 + 0.3 * np.cos(x + 2.0 * y)
    surface = 4.0 + 0.4 * np.sin(2.0 * x - y)
    u, v = 0.7 * np.cos(y) + 0.2 * np.sin(3.0 * x), 0.5 * np.sin(x + y)
    depth = layer_depth(surface, ground)
    head = 0.5 * (u**2 + v**2) + surface
    absolute = 1.3 + d_x(v) - d_y(u)  # vorticity with that of the turning plane
    d_surface = -(d_x(depth * u) + d_y(depth * v))
    d_u, d_v = absolute * v - d_x(head), -absolute * u - d_y(head)
    ahead, behind = (
        layer_energy(surface + s * d_surface, u + s * d_u, v + s * d_v, ground).mean() for s in (1e-4, -1e-4)
    )
    changes = np.abs(layer_energy(surface, u + 1e-4 * d_u, v, ground) - layer_energy(surface, u, v, ground)).mean()
    assert abs(d_surface.mean()) < 1e-12 * np.abs(d_surface).mean()
    assert abs(ahead - behind) < 1e-7 * changes
