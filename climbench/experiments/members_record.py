"""What a members experiment leaves behind: tables, figure, report and, last, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from climbench.errors import RunError
from climbench.experiments.experiment_record import made_record, number, plain_rows, write_card, write_record
from climbench.experiments.member_tables import Grid, crossover_table, draw_table, score_table, verdict_table
from climbench.experiments.subset_runs import Bench
from climbench.experiments.truth import NAME as TRUTH
from climbench.records import Data
from climbench.run_directory import RunDirectory, write_text

EXPERIMENT = "members"
TEMPLATE = "experiments/members.html.j2"
TABLES = {"scores": "members", "draws": "draws", "verdicts": "verdicts", "crossovers": "crossovers"}  # and their files


@dataclass(frozen=True)
class MembersResult:
    """What a members experiment gave.

    Attributes
    ----------
    task : str
        The task's name.
    data : Data
        What it was made on.
    modified : bool
        Whether settings differ from the task's card.
    run_dir : Path
        Where it was written.
    asked : mapping
        Numbers of members, draws and models.
    scores, draws, verdicts, crossovers : DataFrame
        See `climbench.experiments.member_tables`.
    notes : list of str
        What was done to the data.
    """

    task: str
    data: Data
    modified: bool
    run_dir: Path
    asked: Mapping[str, Any]
    scores: pd.DataFrame
    draws: pd.DataFrame
    verdicts: pd.DataFrame
    crossovers: pd.DataFrame
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain content; what is not known is None."""
        return {
            "task": self.task,
            "data": self.data.summary(),
            "modified": self.modified,
            "run_dir": str(self.run_dir),
            "n": list(self.asked["n"]),
            "draws": dict(self.asked["draws"]),
            **{name: plain_rows(getattr(self, name)) for name in ("scores", "verdicts", "crossovers")},
            "notes": self.notes,
        }


def write_members(
    folder: Path,
    on: Bench,
    found: Grid,
    data: Data,
    *,
    identity: str,
    asked: Mapping[str, Any],
    about: Mapping[str, Any],
) -> None:
    """Write tables (parquet and CSV), figure, report, card and, last, provenance into a run's folder.

    Parameters
    ----------
    folder : Path
        Where the results are.
    on : Bench
        Task and data.
    found : Grid
        Everything that was found.
    data : Data
        What the data is.
    identity : str
        The experiment's fingerprint.
    asked : mapping
        What was asked for.
    about : mapping
        Further entries of the record.
    """
    opened = on.opened
    models = [m for m in found.kept if m != TRUTH]
    against = opened.card.skill_against if opened.card.skill_against in models else models[0]
    pairs = [(m, against) for m in models if m != against]
    draws = draw_table(found)
    tables = {
        "scores": score_table(found, draws),
        "draws": draws,
        "verdicts": verdict_table(found, pairs),
        "crossovers": crossover_table(found, draws, pairs),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{TABLES[name]}.parquet")
        table.to_csv(folder / f"{TABLES[name]}.csv", index=False)
    write_card(folder, opened.card)
    told = {
        "fingerprint": identity,
        "asked": dict(asked),
        "members": [str(m) for m in on.ensemble.members],
        "notes": list(opened.task.notes),
        **about,
    }
    record = made_record(EXPERIMENT, opened.card, data, modified=opened.modified, about=told)
    _write_report(folder, on, data, record, tables)
    write_record(folder, record)


def _write_report(
    folder: Path, on: Bench, data: Data, record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> None:
    from climbench import plots
    from climbench.experiments.members_chart import members_chart
    from climbench.report import filled, picture

    origin = f"{on.opened.card.name} on {data.name}" + (" (simulated data)" if data.kind == "simulated" else "")
    figures = {}
    for metric in ("rmse_spatial", "rmse_global"):
        chart = plots.png(members_chart(tables["scores"], tables["crossovers"], metric=metric, origin=origin))
        path = folder / "figures" / f"members-{metric.replace('_', '-')}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chart)
        figures[metric] = picture(chart)
    page = filled(
        TEMPLATE,
        card=on.opened.card,
        dataset=on.opened.source.card,
        data=data,
        record=record,
        figures=figures,
        tables={name: plain_rows(table) for name, table in tables.items()},
        number=number,
    )
    write_text(folder / "report.html", page)


def read_members(run_dir: Path) -> MembersResult:
    """Return the result of a finished experiment from its folder; raise `RunError` where there is none."""
    record = RunDirectory(run_dir).record()
    if record is None or record.get("experiment") != EXPERIMENT:
        raise RunError(f"There is no members experiment in {run_dir}.")
    return MembersResult(
        task=record["task"],
        data=Data(**record["data"]),
        modified=record["modified"],
        run_dir=run_dir,
        asked=record["asked"],
        notes=record["notes"],
        **{name: pd.read_parquet(run_dir / f"{file}.parquet") for name, file in TABLES.items()},
    )
