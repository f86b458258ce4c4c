"""What a long roll-out leaves behind: states, tables, figures, report and, last, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from climbench import plots
from climbench.errors import RunError
from climbench.evaluate.forecasts import ForecastTask
from climbench.experiments.experiment_record import made_record, number, plain_rows, write_card, write_record
from climbench.experiments.long_rollout_budgets import rollout_budgets
from climbench.experiments.long_rollout_figures import figures
from climbench.experiments.long_rollout_tables import Measured, spectra_table, steps_table, summary_table
from climbench.experiments.long_rollout_truth import Truth
from climbench.records import Data
from climbench.report import filled, picture
from climbench.run_directory import RunDirectory, write_text

EXPERIMENT = "rollout"
TABLES = ("summary", "spectra", "steps", "budgets")
TEMPLATE = "experiments/long_rollout.html.j2"


@dataclass(frozen=True)
class RolloutResult:
    """What a long roll-out gave.

    Attributes
    ----------
    record : mapping
        Its provenance.
    run_dir : Path
        Where it was written, ``RUN/states.zarr`` among it: of ``unaided``, or of ``corrected`` and ``uncorrected``, and
        with a limiter of ``limited``.
    summary, spectra, steps : DataFrame
        See `climbench.experiments.long_rollout_tables`.
    budgets : DataFrame
        The series of `climbench.experiments.long_rollout_budgets`; their summary is in the record.
    """

    record: Mapping[str, Any]
    run_dir: Path
    summary: pd.DataFrame
    spectra: pd.DataFrame
    steps: pd.DataFrame
    budgets: pd.DataFrame

    @property
    def data(self) -> Data:
        """What it was made on."""
        return Data(**self.record["data"])

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain content; what is not known is None."""
        about = {key: self.record[key] for key in ("task", "model", "modified", "steps", "starts", "limiter", "blown")}
        return {
            **about,
            "data": self.data.summary(),
            "run_dir": str(self.run_dir),
            "summary": plain_rows(self.summary),
            "spectra": plain_rows(self.spectra),
            "budgets": self.record["budgets"],
            "budgets_missing": self.record["budgets_missing"],
        }


def write_rollout(
    folder: Path,
    on: ForecastTask,
    truth: Truth,
    runs: Mapping[str, Measured],
    starts: xr.Dataset,
    step: np.timedelta64,
    powers_at: Sequence[int],
    about: Mapping[str, Any],
) -> None:
    """Write tables, task, figures, report and, last, provenance.

    Parameters
    ----------
    folder : Path
        Where the states are.
    on : ForecastTask
        Task and data.
    truth : Truth
        What was held against.
    runs : mapping of str to mapping
        What each run measured.
    starts : Dataset
        What they began from; units are read from it.
    step : timedelta64
        From state to state.
    powers_at : sequence of int
        Steps whose power was kept.
    about : mapping
        Further entries of the record, the fingerprint among them.
    """
    hours = float(step / np.timedelta64(1, "h"))
    units = [str(v.attrs.get("units", "")) for v in starts.data_vars.values() for _ in range(v.sizes.get("level", 1))]
    made = rollout_budgets(folder, on, {run: found["blown"] for run, found in runs.items()}, hours)
    tables = {
        "summary": summary_table(runs, truth, hours, units, powers_at),
        "spectra": spectra_table(runs, truth, powers_at),
        "steps": steps_table(runs, truth),
        "budgets": made.series,
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    tables["summary"].to_csv(folder / "summary.csv", index=False)
    write_card(folder, on.card)
    told = {
        "step_hours": hours,
        "initial_times": [str(t)[:16] for t in starts["init_time"].values],
        "blown": {run: found["blown"].tolist() for run, found in runs.items()},
        "budgets": plain_rows(made.summary),
        "budgets_missing": {name: list(words) for name, words in made.missing.items()},
        **about,
    }
    record = made_record(EXPERIMENT, on.card, on.data, modified=on.modified, about=told)
    _write_report(folder, on, truth, tables, runs, units, record)
    write_record(folder, record)


def _write_report(
    folder: Path,
    on: ForecastTask,
    truth: Truth,
    tables: Mapping[str, pd.DataFrame],
    runs: Mapping[str, Measured],
    units: Sequence[str],
    record: Mapping[str, Any],
) -> None:
    origin = f"{record['model']}, {on.card.name} on {on.data.name}"
    origin += " (simulated data)" if on.data.kind == "simulated" else ""
    (folder / "figures").mkdir(exist_ok=True)
    pictures = []
    for name, caption, figure in figures(folder, on, truth, tables, runs, units, record["step_hours"], origin):
        content = plots.png(figure)
        (folder / "figures" / f"{name}.png").write_bytes(content)
        pictures.append((name, caption, picture(content)))
    page = filled(
        TEMPLATE,
        card=on.card,
        data=on.data,
        record=record,
        rows=plain_rows(tables["summary"]),
        pictures=pictures,
        number=number,
    )
    write_text(folder / "report.html", page)


def read_rollout(run_dir: Path) -> RolloutResult:
    """Return a finished roll-out from its folder; raise `RunError` where there is none."""
    record = RunDirectory(run_dir).record()
    if record is None or record.get("experiment") != EXPERIMENT:
        raise RunError(f"There is no roll-out in {run_dir}.")
    return RolloutResult(record, run_dir, *(pd.read_parquet(run_dir / f"{name}.parquet") for name in TABLES))
