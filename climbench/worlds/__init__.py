"""Worlds: small simulated climates whose truth is known; they stand in for data that is not on the machine."""

from __future__ import annotations

from climbench.registry import Registry

# Those that can be found again by the mark in their files (`of_mark`), and asked for their forced response.
WORLDS = Registry("simulated world", {"mini-esm": "climbench.worlds.mini_esm:MiniESM"})
