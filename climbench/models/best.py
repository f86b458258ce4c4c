"""The best of several emulators for each variable, by validation, or the mean of those that validation cannot part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from climbench.cards import find_model
from climbench.errors import ModelError
from climbench.models import load_emulator
from climbench.models.base import Emulator
from climbench.models.fold_scores import CLEARLY_BETTER, Fold, errors_by_fold, pooled, target_names
from climbench.models.response.emission_history import SPECIES

PROTOCOL = "projection"
CANDIDATES = ("lps", "lps-impulse", "lps-multi")


class BestOf(Emulator):
    """Chooses among emulators by their errors on folds of the training data, variable by variable.

    First each candidate settles its own settings on the folds, if it has any. Then all are compared on the same folds
    (`climbench.models.fold_scores`). The one with the least pooled error is taken; any other is averaged with it,
    each weighing the same, unless the first is better on every fold and by more than a tenth on the whole.

    Parameters
    ----------
    candidates : sequence of str
        Names of models of the protocol ``projection``.

    Attributes
    ----------
    emulators : dict of str to Emulator
        The candidates.
    used : dict of str to list of str
        The candidates whose mean is taken for each variable; all of them for a variable that was not chosen for.
    chosen : dict
        What was chosen, each candidate's errors, and what the candidates chose.
    """

    inputs: ClassVar[tuple[str, ...] | None] = SPECIES
    training_variables: ClassVar[tuple[str, ...]] = ("tas",)
    history: ClassVar[int] = 400

    def __init__(self, candidates: Sequence[str] = CANDIDATES) -> None:
        if not candidates:
            raise ModelError("'best' needs candidates to choose from; name some on its card.")
        self.emulators: dict[str, Any] = {n: load_emulator(find_model(n, PROTOCOL)) for n in candidates}
        self.used: dict[str, list[str]] = {}
        self.fitted: list[str] = []
        self.chosen: dict[str, Any] = {}

    def choose(self, folds: Sequence[Fold], *, seed: int) -> None:
        """Settle which candidates to use for each variable.

        Parameters
        ----------
        folds : sequence of (train, validation)
            Mappings as in `fit`.
        seed : int
            The seed of everything random.
        """
        errors: dict[str, dict[str, list[float]]] = {}
        settled = {}
        for name, emulator in self.emulators.items():
            given = [(_given(emulator, train), _given(emulator, validation)) for train, validation in folds]
            if hasattr(emulator, "choose"):
                emulator.choose(given, seed=seed)
                settled[name] = dict(getattr(emulator, "chosen", {}))
            for variable, values in errors_by_fold(emulator, given, seed=seed).items():
                errors.setdefault(variable, {})[name] = values
        self.used = {variable: not_worse(values) for variable, values in errors.items()}
        self.chosen = {"used": self.used, "fold_errors": errors, "settings": settled}

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Fit the candidates that are used for some variable.

        Parameters
        ----------
        train : mapping of str to Dataset
            For each scenario the inputs, ``tas`` and the targets, of shape (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            Handed on.
        seed : int
            Likewise.
        """
        variables = target_names(next(iter(train.values())), SPECIES)
        self.used = {variable: self.used.get(variable, list(self.emulators)) for variable in variables}
        self.fitted = [name for name in self.emulators if any(name in names for names in self.used.values())]
        for name in self.fitted:
            emulator = self.emulators[name]
            emulator.fit(
                _given(emulator, train), None if validation is None else _given(emulator, validation), seed=seed
            )

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return for each variable the mean over the candidates that are used for it.

        Parameters
        ----------
        inputs : Dataset
            The inputs of all candidates.
        members : int
            Handed on to the candidates.
        seed : int
            Likewise.

        Returns
        -------
        Dataset
            Every variable it was fitted on, of shape (time, latitude, longitude), in every year of the inputs.

        Raises
        ------
        ModelError
            If it was not fitted.
        """
        if not self.fitted:
            raise ModelError("BestOf was not fitted; call fit(train, seed=...) or load(directory) first.")
        made = {name: self.emulators[name].predict(inputs, members=members, seed=seed) for name in self.fitted}
        means = {v: sum(made[n][v] for n in names) / len(names) for v, names in self.used.items()}
        return xr.Dataset(means)

    @property
    def parameters(self) -> int:
        """Number of fitted coefficients of all candidates in use."""
        return sum(self.emulators[name].parameters for name in self.fitted)

    def save(self, directory: Path) -> None:
        """Write the candidates in use into folders of their own; raise `ModelError` where it was not fitted."""
        if not self.fitted:
            raise ModelError("BestOf was not fitted; there is nothing to save.")
        directory.mkdir(parents=True, exist_ok=True)
        for name in self.fitted:
            self.emulators[name].save(directory / name)
        content = {"candidates": list(self.emulators), "used": self.used, "fitted": self.fitted, "chosen": self.chosen}
        (directory / "chosen.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, directory: Path) -> BestOf:
        """Return the emulator that `save` wrote into a folder."""
        content = json.loads((directory / "chosen.json").read_text())
        emulator = cls(content["candidates"])
        emulator.used, emulator.fitted, emulator.chosen = content["used"], content["fitted"], content["chosen"]
        for name in emulator.fitted:
            emulator.emulators[name] = type(emulator.emulators[name]).load(directory / name)
        return emulator


def not_worse(errors: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the candidate with the least error and those that it does not clearly beat.

    Parameters
    ----------
    errors : mapping of str to sequence of float
        Each candidate's error on every fold.

    Returns
    -------
    list of str
        The best first; another follows where it is better on some fold, or at most a tenth worse on the whole.
    """
    best = min(errors, key=lambda name: pooled(errors[name]))
    tied = [
        name
        for name, values in errors.items()
        if name != best
        and (
            any(value < other for value, other in zip(values, errors[best], strict=True))
            or pooled(errors[best]) >= CLEARLY_BETTER * pooled(values)
        )
    ]
    return [best, *tied]


def _given(emulator: Any, scenarios: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return scenarios with only the inputs that an emulator uses."""
    wanted = SPECIES if emulator.inputs is None else emulator.inputs
    return {
        name: data.drop_vars([v for v in SPECIES if v not in wanted and v in data]) for name, data in scenarios.items()
    }
