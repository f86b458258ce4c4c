"""Worlds: small simulated climates whose truth is known; they stand in for data that is not on the machine."""

from __future__ import annotations
