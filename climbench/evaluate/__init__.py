"""Scores predictions made anywhere, from whatever framework: one file a protocol, and `opening` for what they share."""

from __future__ import annotations

from climbench.evaluate.opening import OpenTask, load_task, open_dataset, open_task, task_card
from climbench.evaluate.projections import Inspection, Scored, inspect, score
from climbench.evaluate.validation import validate

__all__ = [
    "Inspection",
    "OpenTask",
    "Scored",
    "inspect",
    "load_task",
    "open_dataset",
    "open_task",
    "score",
    "task_card",
    "validate",
]
