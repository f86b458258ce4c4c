"""Folds for choosing settings: which scenarios, or years, an emulator is trained on and which it is judged by.

The test scenario is in none of them. A scenario can be held out if it reaches into the years that are tested, as the
others do; historical experiments are always trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from climbench.cards import ProjectionCard
from climbench.errors import DataError
from climbench.variables import LEXICON, without_model

Fold = tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]
YEAR_BLOCKS = 3
INPUTS = frozenset(name for name, variable in LEXICON.items() if variable.kind == "forcing")


def check_validation(card: ProjectionCard) -> None:
    """Raise `DataError` where a task would choose settings on what it tests.

    Parameters
    ----------
    card : ProjectionCard
        With the settings used.

    Raises
    ------
    DataError
        If a validation scenario is the test scenario, or the test scenario is trained on, in a clean setting.
    """
    if card.setting != "clean":
        return
    test = card.test.scenario
    if test in card.validation:
        raise DataError(
            f"The validation scenario '{test}' is also the test scenario: settings chosen on it would be tuned to the "
            "test. Name another with --set 'validation=[...]', or say --set setting=as-published to do as the "
            "original did."
        )
    if test in card.train:
        raise DataError(f"The test scenario '{test}' is among the training scenarios. Take it out of train.")


def folds(train: Mapping[str, xr.Dataset], card: ProjectionCard) -> tuple[list[Fold], str]:
    """Return pairs of training and validation data, and in words how they were made.

    Parameters
    ----------
    train : mapping of str to Dataset
        The training scenarios.
    card : ProjectionCard
        Names the validation scenarios, and the years that are tested.

    Returns
    -------
    list of (dict, dict)
        The card's validation scenarios held out together; where none of them is trained on, each scenario in turn;
        with one scenario, its second third of years judged by the first, and its last by the two before.
    str
        For the record.
    """
    named = [name for name in card.validation if name in train]
    if named and len(named) < len(train):
        return [_held_out(train, named)], f"settings chosen with {' and '.join(named)} held out, then fitted on all"
    reaching = [name for name, data in train.items() if _reaches(data, card.test.years)]
    if len(reaching) > 1:
        words = f"settings chosen with each of {', '.join(reaching)} left out in turn, then fitted on all"
        return [_held_out(train, [name]) for name in reaching], words
    longest = reaching[0] if reaching else max(train, key=lambda name: train[name].sizes["time"])
    words = f"settings chosen by predicting the second and the last third of the years of {longest} from those before"
    return [_later_years_out(train, longest, block) for block in range(1, YEAR_BLOCKS)], f"{words}, then fitted on all"


def _is_input(name: str) -> bool:
    """Return whether a variable is an input, of all climate models or of one."""
    return without_model(name) in INPUTS


def _held_out(train: Mapping[str, xr.Dataset], names: Sequence[str]) -> Fold:
    rest = {name: data for name, data in train.items() if name not in names}
    return rest, {name: train[name] for name in names}


def _reaches(data: xr.Dataset, years: tuple[int, int]) -> bool:
    """Return whether a scenario has years among, or close before, those that are tested."""
    return int(data["time"].values[-1]) >= years[0]


def _later_years_out(train: Mapping[str, xr.Dataset], name: str, block: int) -> Fold:
    """Hold out a block of years and train on those before it; the validation's earlier years have inputs alone."""
    data = train[name]
    edges = [round(k * data.sizes["time"] / YEAR_BLOCKS) for k in range(YEAR_BLOCKS + 1)]
    seen = data.isel(time=slice(0, edges[block + 1]))
    judged = xr.DataArray(np.arange(seen.sizes["time"]) >= edges[block], dims="time")
    targets = [str(v) for v in data if {"time", "latitude", "longitude"} <= set(data[v].dims) and not _is_input(str(v))]
    validation = seen.assign({v: seen[v].where(judged) for v in targets})
    return {**train, name: data.isel(time=slice(0, edges[block]))}, {name: validation}
