"""Scores: pure functions on xarray objects, built from statistics that add up over chunks."""

from __future__ import annotations
