"""Writes what a run leaves behind: scores, statistics, figures, report and, last, provenance."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
import yaml
import zarr

from climbench import records
from climbench.cards import TaskCard
from climbench.evaluate import OpenTask
from climbench.records import Data, Predictions
from climbench.run_directory import RECORD, write_text
from climbench.tasks.projection_scores import ModelScores

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Cost:
    """What a model cost in this run, and what it chose on the way."""

    parameters: int | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_memory_mb: float | None = None
    chosen: dict[str, Any] = field(default_factory=dict)


def write_store(data: xr.Dataset, path: Path) -> None:
    """Write a zarr store under a temporary name and rename it when whole."""
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    with zarr.config.set({"array.write_empty_chunks": True}):  # a chunk of zeros is no missing chunk
        data.drop_encoding().to_zarr(temporary, zarr_format=3, consolidated=False)
    shutil.rmtree(path, ignore_errors=True)
    temporary.rename(path)


def write_scores(
    folder: Path, card: TaskCard, rows: Sequence[Mapping[str, Any]], statistics: Mapping[str, xr.Dataset]
) -> None:
    """Write the score table, the statistics it was made from by model, and the resolved card into a run's folder."""
    records.score_table(rows).to_parquet(folder / "scores.parquet")
    for model, part in statistics.items():
        write_store(part, folder / "statistics" / f"{model}.zarr")
    content = card.model_dump(mode="json")
    write_text(folder / "task.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def provenance(
    card: TaskCard, data: Data, *, identity: str, modified: bool, costs: Mapping[str, Cost]
) -> dict[str, Any]:
    """Return what every record says: task, data, fingerprint, costs, versions and hardware."""
    return {
        "task": card.name,
        "task_hash": card.hash(),
        "modified": modified,
        "fingerprint": identity,
        "data": data.__dict__,
        "costs": {model: cost.__dict__ for model, cost in costs.items()},
        "versions": records.versions(),
        "hardware": records.hardware(),
        "command": records.command_line(),
    }


def write_record(
    folder: Path,
    opened: OpenTask,
    data: Data,
    scores: Mapping[str, ModelScores],
    target: xr.Dataset,
    *,
    identity: str,
    costs: Mapping[str, Cost],
    extra: Mapping[str, Any],
    stage: Callable[[str], None],
) -> None:
    """Write scores, statistics, card, figures, report and, last, provenance into a run's folder.

    Parameters
    ----------
    folder : Path
        Where the predictions are.
    opened : OpenTask
        Task and data.
    data : Data
        What the data is.
    scores : mapping of str to ModelScores
        By model, in the order of the table.
    target : Dataset
        What was scored against.
    identity : str
        The run's fingerprint.
    costs : mapping of str to Cost
        By model.
    extra : mapping
        Further entries of the record.
    stage : callable
        Told what is being done.
    """
    rows = [row for part in scores.values() for row in part.rows]
    reasons = list(dict.fromkeys(reason for part in scores.values() for reason in part.reasons))
    statistics = {model: xr.Dataset(part.statistics) for model, part in scores.items() if part.statistics}
    write_scores(folder, opened.card, rows, statistics)
    record = {
        **provenance(opened.card, data, identity=identity, modified=opened.modified, costs=costs),
        "predictions": list(scores),
        "squares": [detail for part in scores.values() for detail in part.details],
        "notes": [*opened.task.notes, *reasons],
        "physics": records.physics_section({model: part.impossible for model, part in scores.items()}),
        **extra,
    }
    _write_report(folder, opened, data, record, rows, reasons, target, stage)
    write_text(folder / RECORD, json.dumps(record, indent=1, allow_nan=False))


def _write_report(
    folder: Path,
    opened: OpenTask,
    data: Data,
    record: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    reasons: Sequence[str],
    target: xr.Dataset,
    stage: Callable[[str], None],
) -> None:
    """Draw the maps and write the report; models with members (references) have no map of their own."""
    from climbench import plots, report
    from climbench.coastlines import coastlines

    stage("drawing figures")
    origin = f"{opened.card.name} on {data.name}" + (" (simulated data)" if data.kind == "simulated" else "")
    lines, missing = coastlines()
    stores = Predictions(folder / "predictions", record["predictions"])
    table = records.score_table([row for row in rows if row["region"] == "global"])
    chart = _kept(plots.score_chart(table, origin=origin), folder / "figures" / "scores.png")
    figures: dict[str, list[tuple[str, bytes]]] = {}
    for model, prediction in stores.items():
        if "member" not in prediction.dims:
            figures[model] = list(_maps(model, prediction.load(), target, lines, folder / "figures", origin))
    content = report.ReportContent(
        opened.card,
        opened.source.card,
        data,
        record,
        rows,
        reasons,
        chart,
        figures,
        [*opened.task.notes, *([missing] if missing else [])],
    )
    stage("writing the report")
    write_text(folder / "report.html", report.render(content))


def _kept(figure: Figure, path: Path) -> bytes:
    """Return a figure as PNG, and write it to a file."""
    from climbench import plots

    picture = plots.png(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    return picture


def _maps(
    model: str, prediction: xr.Dataset, target: xr.Dataset, lines: Any, folder: Path, origin: str
) -> Iterator[tuple[str, bytes]]:
    """Draw one row of maps a variable, keep it as PNG, and give it with its caption."""
    from climbench import plots

    years = f"{int(target['time'][0])}-{int(target['time'][-1])}"
    for variable in map(str, target.data_vars):
        caption = f"{variable}, mean {years}: {model}; {origin}"
        figure = plots.map_row(
            target[variable].mean(("member", "time")),
            prediction[variable].mean("time"),
            title=caption,
            units=target[variable].attrs["units"],
            variable=variable,
            lines=lines,
        )
        yield caption, _kept(figure, folder / f"{model}-{variable}.png")
