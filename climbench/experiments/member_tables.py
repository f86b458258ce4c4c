"""The tables of a members experiment: errors against the number of members, verdicts at each, and crossovers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from climbench.experiments.crossover import crossover
from climbench.experiments.kept_results import Kept
from climbench.experiments.subset_scores import METRICS, Statistics, TargetFrame
from climbench.metrics.significance import Interval

Target = Literal["all", "same"]
TARGETS: tuple[Target, ...] = ("all", "same")
DRAW_COLUMNS = ("model", "variable", "metric", "target", "n", "memberseed", "value", "true_value", "units")
SCORE_COLUMNS = (
    *("model", "variable", "metric", "target", "n", "draws", "value", "sd", "lowest", "highest", "floor", "ratio"),
    *("true_value", "units"),
)
VERDICT_COLUMNS = (
    *("model", "against", "variable", "metric", "n", "draws", "difference", "low", "high", "verdict", "truth", "right"),
    *("seen_better", "seen_tie", "seen_worse", "reason"),
)
CROSSOVER_COLUMNS = (
    *("model", "against", "variable", "metric", "target", "n", "low", "high", "share", "stays", "draws"),
)


@dataclass(frozen=True)
class Grid:
    """Everything that was found, and what it was found on.

    Attributes
    ----------
    frames : mapping of str to TargetFrame
        The target, by variable.
    units : mapping of str to str
        By variable.
    places : mapping of (int, int) to sequence of int
        By size and memberseed: which target members the subset has.
    kept : mapping of str to mapping of (int, int) to Kept
        By model, then by size and memberseed.
    """

    frames: Mapping[str, TargetFrame]
    units: Mapping[str, str]
    places: Mapping[tuple[int, int], Sequence[int]]
    kept: Mapping[str, Mapping[tuple[int, int], Kept]]

    def sizes(self) -> list[int]:
        """Return the numbers of members, ascending."""
        return sorted({n for n, _ in self.places})

    def seeds(self, model: str, n: int) -> list[int]:
        """Return the memberseeds of a model's draws of a size."""
        return sorted(seed for size, seed in self.kept[model] if size == n)

    def chosen(self, n: int, seed: int, target: Target) -> Sequence[int]:
        """Return the target members to score against."""
        return range(next(iter(self.frames.values())).members) if target == "all" else self.places[n, seed]

    def statistics(self, model: str, n: int, seed: int, variable: str) -> Statistics:
        """Return what is kept of one prediction."""
        return self.kept[model][n, seed].statistics[variable]


def draw_table(grid: Grid) -> pd.DataFrame:
    """Return the error of every draw: `DRAW_COLUMNS`; ``true_value`` is that against the known forced response."""
    rows: list[dict[str, Any]] = []
    for model, found in grid.kept.items():
        for variable, frame in grid.frames.items():
            for n, seed in sorted(found):
                kept = grid.statistics(model, n, seed, variable)
                for target in TARGETS:
                    squares = frame.mean_squares(kept, grid.chosen(n, seed, target))
                    for metric, square, true in zip(METRICS, squares, kept.true_squares, strict=True):
                        rows.append(
                            {
                                **{"model": model, "variable": variable, "metric": metric, "target": target},
                                **{"n": n, "memberseed": seed, "value": np.sqrt(square), "true_value": np.sqrt(true)},
                                "units": grid.units[variable],
                            }
                        )
    return pd.DataFrame(rows, columns=list(DRAW_COLUMNS))


def score_table(grid: Grid, draws: pd.DataFrame) -> pd.DataFrame:
    """Return errors against the number of members: `SCORE_COLUMNS`.

    Parameters
    ----------
    grid : Grid
        Everything that was found.
    draws : DataFrame
        From `draw_table`.

    Returns
    -------
    DataFrame
        ``value`` is the mean over draws, ``sd`` its standard deviation over draws; ``floor`` is that of the target, and
        ``ratio`` the mean square over the squared floor: 1 in expectation for the forced response itself.
    """
    keys = ["model", "variable", "metric", "target", "n"]
    rows = []
    for names, part in draws.groupby(keys, sort=False):
        entry: dict[str, Any] = dict(zip(keys, names, strict=True))
        frame = grid.frames[entry["variable"]]
        size = frame.members if entry["target"] == "all" else entry["n"]
        square = float(frame.floor_squares(size)[METRICS.index(entry["metric"])])
        values = part["value"]
        rows.append(
            {
                **entry,
                **{"draws": len(part), "value": values.mean(), "sd": values.std(ddof=1) if len(part) > 1 else np.nan},
                **{"lowest": values.min(), "highest": values.max(), "floor": np.sqrt(square)},
                "ratio": (values**2).mean() / square if square > 0.0 else np.nan,
                "true_value": part["true_value"].mean(),
                "units": grid.units[entry["variable"]],
            }
        )
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def verdict_table(grid: Grid, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return who is better at each number of members: `VERDICT_COLUMNS`.

    Parameters
    ----------
    grid : Grid
        Everything that was found.
    pairs : sequence of (str, str)
        A model, and the one it is held against.

    Returns
    -------
    DataFrame
        ``difference`` of mean squares against the mean over all members, mean over the draws both have, with the paired
        interval over target members and years. ``truth`` is the sign against the known forced response, ``right``
        whether the verdict has it; a tie is neither right nor wrong. The shares ``seen_better`` and so on are those of
        draws in which someone with only these n members in the target would have come to that verdict.
    """
    rows = []
    for model, against in pairs:
        for variable in grid.frames:
            for n in grid.sizes():
                rows += _verdicts(grid, model, against, variable, n)
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))


def _verdicts(grid: Grid, model: str, against: str, variable: str, n: int) -> list[dict[str, Any]]:
    frame = grid.frames[variable]
    seeds = common_seeds(grid, model, against, n)
    if not seeds:
        return []
    ours, theirs = ([grid.statistics(m, n, seed, variable) for seed in seeds] for m in (model, against))
    everyone = range(frame.members)
    true = np.mean([a.true_squares - b.true_squares for a, b in zip(ours, theirs, strict=True)], axis=0)
    seen = [
        frame.differences([a], [b], grid.places[n, seed]) if n > 1 else None
        for a, b, seed in zip(ours, theirs, seeds, strict=True)
    ]
    rows = []
    for place, (metric, (gap, interval)) in enumerate(
        zip(METRICS, frame.differences(ours, theirs, everyone), strict=True)
    ):
        verdict, truth = verdict_of(interval), _sign(float(true[place]))
        there = [verdict_of(s[place][1]) for s in seen if s is not None]
        shares = {v: there.count(v) / len(there) if there else None for v in ("better", "tie", "worse")}
        rows.append(
            {
                **{"model": model, "against": against, "variable": variable, "metric": metric, "n": n},
                **{"draws": len(seeds), "difference": gap, "low": interval.low, "high": interval.high},
                **{"verdict": verdict, "truth": truth},
                "right": None if truth is None or verdict in (None, "tie") else verdict == truth,
                **{f"seen_{v}": share for v, share in shares.items()},
                "reason": interval.reason,
            }
        )
    return rows


def common_seeds(grid: Grid, model: str, against: str, n: int) -> list[int]:
    """Return the memberseeds of the draws that two models both have."""
    return [seed for seed in grid.seeds(model, n) if (n, seed) in grid.kept[against]]


def verdict_of(interval: Interval) -> str | None:
    """Return what an interval of a difference says: ``better`` where it lies below zero, ``tie`` where it holds it."""
    if interval.low is None or interval.high is None:
        return None
    return "better" if interval.high < 0.0 else "worse" if interval.low > 0.0 else "tie"


def _sign(difference: float) -> str | None:
    return None if not np.isfinite(difference) or difference == 0.0 else "better" if difference < 0.0 else "worse"


def crossover_table(grid: Grid, draws: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return from how many members on a model's error lies below the other's: `CROSSOVER_COLUMNS`.

    Parameters
    ----------
    grid : Grid
        Everything that was found.
    draws : DataFrame
        From `draw_table`.
    pairs : sequence of (str, str)
        A model, and the one it is held against.

    Returns
    -------
    DataFrame
        See `climbench.experiments.crossover.Crossover`; draws are those that both models have at every size.
    """
    rows = []
    keys = ["model", "variable", "metric", "target"]
    curves = {k: part.pivot(index="memberseed", columns="n", values="value") for k, part in draws.groupby(keys)}
    for model, against in pairs:
        for variable in grid.frames:
            for metric in METRICS:
                for target in TARGETS:
                    ours, theirs = (curves[m, variable, metric, target].dropna() for m in (model, against))
                    shared = ours.index.intersection(theirs.index)
                    if not len(shared):
                        continue
                    sizes = [int(n) for n in ours.columns]
                    found = crossover(sizes, ours.loc[shared].values, theirs.loc[shared].values)
                    names = {"model": model, "against": against, "variable": variable, "metric": metric}
                    rows.append({**names, "target": target, **found.__dict__, "draws": len(shared)})
    table = pd.DataFrame(rows, columns=list(CROSSOVER_COLUMNS))
    return table.astype({"n": "Int64", "low": "Int64", "high": "Int64"})
