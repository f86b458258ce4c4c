"""``climbench members``: how scores depend on the number of members."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from climbench.cli import console, options
from climbench.cli.run import Preset
from climbench.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

    from climbench.experiments.members_record import MembersResult

LOCAL = "local"


def members(
    task: options.Task,
    model: Annotated[
        list[str], typer.Option("--model", metavar="NAME|CARD|FILE.py:CLASS", help="Emulator. Repeatable.")
    ],
    n: Annotated[
        str | None, typer.Option("--n", metavar="1,2,3,...", help="Members averaged; 1,2,3,5,10,20,50 without.")
    ] = None,
    draws: Annotated[
        list[str] | None,
        typer.Option("--draws", metavar="N|MODEL=N", help="Draws of members; 20 without. Repeatable, for some models."),
    ] = None,
    data: options.Data = None,
    set_: options.Set = None,
    preset: Annotated[Preset, typer.Option("--preset", help="Size of the models' training.")] = Preset.standard,
    include: options.Include = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", metavar="MEMBER", help="Member not to use. Repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random but the members.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; one under runs/ without.")] = None,
    fresh: options.Fresh = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="local|tcp://HOST:PORT",
            help="Worker processes on this machine, or a dask cluster; this process alone without.",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Train emulators on means over n members and score them against all members and against the same n.

    Example: climbench members --task climatebench --data mini-esm-50 --model lps --model no-change
    """
    from climbench.experiments.members import members as run_members
    from climbench.experiments.members_work import IN_PROCESS

    with console.progress(announce_on=console.err() if json else console.out()) as progress:
        result = run_members(
            task,
            model,
            n=None if n is None else [_whole(part, "--n") for part in n.split(",")],
            draws=_draws(draws or []),
            data=data,
            set=options.settings(set_),
            preset=preset.value,
            include=include or (),
            leave_out=leave_out or (),
            seed=seed,
            out=out,
            fresh=fresh,
            scheduler={None: IN_PROCESS, LOCAL: None}.get(scheduler, scheduler),
            progress=progress,
        )
    if json:
        console.print_json(result.to_json())
    else:
        print_members(result)


def _whole(text: str, option: str) -> int:
    if not text.strip().isdigit():
        raise RunError(f"{option} takes whole numbers, such as 1,2,10; found '{text}'.")
    return int(text)


def _draws(texts: list[str]) -> dict[str, int]:
    """Return draws by model; the key "" stands for all others."""
    found = {}
    for text in texts:
        model, sign, number = text.rpartition("=")
        found[model if sign else ""] = _whole(number, "--draws")
    return found


def print_members(result: MembersResult) -> None:
    """Print error against n by variable and target, then the crossovers."""
    screen = console.out()
    title = f"{result.task} on {result.data.name}"
    title += " (SIMULATED)" if result.data.kind == "simulated" else ""
    title += " (modified settings)" if result.modified else ""
    screen.print(
        f"[bold]{escape(title)}[/]: RMSE spatial against the members averaged", highlight=False, soft_wrap=True
    )
    chosen = result.scores[result.scores["metric"] == "rmse_spatial"]
    for (variable, target), part in chosen.groupby(["variable", "target"], sort=False):
        where = "the mean over all members" if target == "all" else "the mean over the same n members"
        units = part["units"].iloc[0]
        screen.print(f"{variable} ({units}), against {where}", style="bold", highlight=False, soft_wrap=True)
        verdicts = result.verdicts[(result.verdicts["variable"] == variable) & (target == "all")]
        for line in member_lines(part, verdicts):
            screen.print(escape(line), highlight=False, soft_wrap=True)
    for line in crossover_lines(result.crossovers):
        screen.print(f"- {escape(line)}", highlight=False, soft_wrap=True)
    for note in result.notes:
        screen.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)
    screen.print(f"Record: {result.run_dir}  (open {result.run_dir}/report.html)", highlight=False, soft_wrap=True)


def member_lines(scores: pd.DataFrame, verdicts: pd.DataFrame) -> list[str]:
    """Return a table as lines: a row for each number of members, a column for the floor and each model.

    Parameters
    ----------
    scores : DataFrame
        Of one variable, metric and target.
    verdicts : DataFrame
        Of the same variable; ``+`` marks a model that is significantly better than the one it is held against, ``-``
        one that is worse, ``=`` a tie.

    Returns
    -------
    list of str
    """
    marks = {"better": "+", "worse": "-", "tie": "="}
    spatial = verdicts[verdicts["metric"] == "rmse_spatial"]
    said = {(r.model, r.n): marks.get(str(r.verdict), "") for r in spatial.itertuples()}
    models = list(dict.fromkeys(scores["model"]))
    rows = [["n", "floor", *models]]
    for n, part in scores.groupby("n"):
        values = part.set_index("model")
        cells = [_cell(values, model, said.get((model, n), "")) for model in models]
        rows.append([str(n), f"{values['floor'].iloc[0]:.4f}", *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _cell(values: pd.DataFrame, model: str, mark: str) -> str:
    if model not in values.index:
        return ""
    row = values.loc[model]
    spread = "" if row["sd"] != row["sd"] else f" ±{row['sd']:.4f}"
    return f"{row['value']:.4f}{spread}{' ' + mark if mark else ''}"


def crossover_lines(crossovers: pd.DataFrame) -> list[str]:
    """Return one line a crossover of the spatial error against all members, as it was found."""
    chosen = crossovers[(crossovers["metric"] == "rmse_spatial") & (crossovers["target"] == "all")]
    return [_crossing(row) for row in chosen.to_dict("records")]


def _crossing(row: Mapping[Hashable, Any]) -> str:
    import pandas as pd

    end = {part: "none" if pd.isna(row[part]) else str(row[part]) for part in ("n", "low", "high")}
    names = f"{row['variable']}: {row['model']}"
    interval = f"95 % over {row['draws']} draws: {end['low']} to {end['high']}"
    if end["n"] == "none":
        return f"{names} is below {row['against']} at no n ({interval})"
    stays = "" if row["stays"] else ", though not at every larger n"
    return f"{names} is below {row['against']} from n = {end['n']}{stays} ({interval})"
