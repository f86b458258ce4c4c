"""Protocols: what is fed, what is predicted, what is scored."""

from __future__ import annotations

from climbench.registry import Registry

PROTOCOLS = Registry("protocol", {"projection": "climbench.tasks.earth_system_models:projection_task"})
