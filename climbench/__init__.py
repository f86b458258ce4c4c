"""climbench: a benchmark for climate and weather emulators, in which every score is shown with what it is worth."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from climbench.cards import list_cards
    from climbench.evaluate import load_task, open_dataset
    from climbench.experiments.compare import compare
    from climbench.experiments.members import members
    from climbench.experiments.reproduce import reproduce
    from climbench.harness import run, score
    from climbench.models import load_model

__all__ = [
    "compare",
    "list_cards",
    "load_model",
    "load_task",
    "members",
    "open_dataset",
    "reproduce",
    "run",
    "score",
]

_HOMES = {
    "compare": "climbench.experiments.compare",
    "members": "climbench.experiments.members",
    "reproduce": "climbench.experiments.reproduce",
    "list_cards": "climbench.cards",
    "load_model": "climbench.models",
    "load_task": "climbench.evaluate",
    "open_dataset": "climbench.evaluate",
    "run": "climbench.harness",
    "score": "climbench.harness",
}


def __getattr__(name: str) -> Any:
    """Import a public verb when it is first used."""
    if name == "__version__":
        from importlib import metadata

        return metadata.version("climbench")
    if name not in _HOMES:
        raise AttributeError(f"module 'climbench' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public verbs."""
    return [*__all__, "__version__"]
