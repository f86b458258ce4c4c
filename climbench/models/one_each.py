"""One emulator for each of several climate models, as one emulator of all their variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from climbench.variables import of_model

MEMBERS = "members"
# What a run hands an emulator, where the emulator has it.
HANDED_ON = ("progress", "as_published")


class OneEach:
    """Fits an emulator to each climate model's own variables, and predicts them side by side.

    Each is fitted and drawn from with the same seed as if its climate model were the only one.

    Parameters
    ----------
    make : callable
        Returns a new emulator, not yet fitted.
    models : sequence of str
        The climate models. Their variables are called as by `climbench.variables.of_model`.

    Attributes
    ----------
    emulators : dict of str to Emulator
        By climate model.
    chosen : dict
        What was chosen, by climate model.
    """

    def __init__(self, make: Callable[[], Any], models: Sequence[str]) -> None:
        self.emulators: dict[str, Any] = {model: make() for model in models}
        first = next(iter(self.emulators.values()))
        self.inputs = getattr(first, "inputs", None)
        needed = getattr(first, "training_variables", ())
        self.training_variables = tuple(of_model(v, model) for model in models for v in needed)
        self.history = int(getattr(first, "history", 0))
        self.zero_by_design = bool(getattr(first, "zero_by_design", False))
        self.ensemble = bool(getattr(first, "ensemble", False))
        for name in HANDED_ON:
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
        if hasattr(first, "choose"):
            self.choose = self._choose

    def _choose(self, folds: Sequence[tuple[Mapping[str, xr.Dataset], Mapping[str, xr.Dataset]]], *, seed: int) -> None:
        """Let each emulator choose on its climate model's part of the folds."""
        for model, emulator in self._handed_on():
            emulator.choose([(_parts(train, model), _parts(held, model)) for train, held in folds], seed=seed)

    def _handed_on(self) -> list[tuple[str, Any]]:
        """Return the emulators with what the run handed over."""
        for emulator in self.emulators.values():
            for name in HANDED_ON:
                if hasattr(self, name):
                    setattr(emulator, name, getattr(self, name))
        return list(self.emulators.items())

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Learn from scenarios that hold the variables of all climate models.

        Parameters
        ----------
        train : mapping of str to Dataset
            One data set a scenario: inputs, which may differ between climate models (``SO2.NorESM2-LM``), and
            targets of shape (time, latitude, longitude).
        validation : mapping of str to Dataset, optional
            The same for scenarios held out.
        seed : int
            The seed of everything random.
        """
        for model, emulator in self._handed_on():
            held = None if validation is None else _parts(validation, model)
            emulator.fit(_parts(train, model), held, seed=seed)

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate of all climate models for given inputs.

        Parameters
        ----------
        inputs : Dataset
            Of shape (time,) or (time, latitude, longitude).
        members : int
            How many members to give where the emulator is an ensemble.
        seed : int
            The seed of everything random.

        Returns
        -------
        Dataset of shape ([member,] time, latitude, longitude)
        """
        given = {"members": members} if self.ensemble else {}
        predicted = []
        for model, emulator in self.emulators.items():
            own = emulator.predict(part_of(inputs, model), seed=seed, **given)
            predicted.append(own.rename({v: of_model(str(v), model) for v in own.data_vars}))
        return xr.merge(predicted, join="exact", compat="override", combine_attrs="override")

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen, by climate model."""
        found = {model: dict(getattr(emulator, "chosen", {})) for model, emulator in self.emulators.items()}
        return {model: chosen for model, chosen in found.items() if chosen}

    @property
    def parameters(self) -> int | None:
        """The number of parameters of all of them, where they tell."""
        counts = [getattr(emulator, "parameters", None) for emulator in self.emulators.values()]
        return None if None in counts else sum(int(count) for count in counts if count is not None)

    def save(self, directory: Path) -> None:
        """Write each fitted emulator that can be written into a folder of its climate model's name."""
        for model, emulator in self.emulators.items():
            if hasattr(emulator, "save"):
                (directory / model).mkdir(parents=True, exist_ok=True)
                emulator.save(directory / model)


def _parts(scenarios: Mapping[str, xr.Dataset], model: str) -> dict[str, xr.Dataset]:
    return {scenario: part_of(data, model) for scenario, data in scenarios.items()}


def part_of(data: xr.Dataset, model: str) -> xr.Dataset:
    """Return one climate model's part of a data set under the variables' own names.

    Parameters
    ----------
    data : Dataset
        Variables of several climate models, and some that all share.
    model : str
        The climate model.

    Returns
    -------
    Dataset
        Its own variables, and those that all share where it has none of its own. The attribute ``members`` is its own.
    """
    ending = of_model("", model)
    own = {str(v): str(v).removesuffix(ending) for v in data.data_vars if str(v).endswith(ending)}
    others = [v for v in map(str, data.data_vars) if v not in own and ("." in v or v in own.values())]
    part = data.drop_vars(others).rename(own)
    members = of_model(MEMBERS, model)
    kept = {k: v for k, v in data.attrs.items() if not str(k).startswith(f"{MEMBERS}.")}
    return part.drop_attrs(deep=False).assign_attrs(
        {**kept, MEMBERS: data.attrs[members]} if members in data.attrs else kept
    )
