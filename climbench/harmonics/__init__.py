"""Scalar and vector spherical-harmonic transforms on NumPy, for spectra and balances.

`transform` has the transform of a grid; `rows` how its rows are integrated; `legendre` the functions along a meridian.
"""

from __future__ import annotations

from climbench.harmonics.transform import SphericalHarmonics, spherical_harmonics

__all__ = ["SphericalHarmonics", "spherical_harmonics"]
