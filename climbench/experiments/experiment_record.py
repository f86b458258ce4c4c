"""What the records of experiments have in common: the task's card, what was run where, tables as plain content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from climbench import records
from climbench.cards import TaskCard
from climbench.records import Data
from climbench.run_directory import RECORD, write_text


def made_record(
    experiment: str, card: TaskCard, data: Data, *, modified: bool, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the provenance of an experiment: task, data, versions, hardware and command, and what is further told."""
    return {
        "experiment": experiment,
        "task": card.name,
        "task_hash": card.hash(),
        "modified": modified,
        "data": data.__dict__,
        "versions": records.versions(),
        "hardware": records.hardware(),
        "command": records.command_line(),
        **about,
    }


def write_card(folder: Path, card: TaskCard) -> None:
    """Write a task's resolved card."""
    content = card.model_dump(mode="json")
    write_text(folder / "task.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the provenance; last, as it says that all else is whole."""
    write_text(folder / RECORD, json.dumps(record, indent=1, allow_nan=False))


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain content; what is not known is None."""
    return [
        {str(k): None if pd.isna(v) else v.item() if hasattr(v, "item") else v for k, v in row.items()}
        for row in table.to_dict("records")
    ]


def number(value: float | None) -> str:
    """Return a number in four digits; a dash where there is none."""
    return "–" if value is None else f"{value:.4g}"
