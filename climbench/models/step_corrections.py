"""Corrections of a forecast's steps, made for the variables of a task: which is what quantity, areas, the vertical."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from climbench.cards import Correct
from climbench.errors import DataError, ModelError
from climbench.grids import covers_globe, describe_grid
from climbench.models.forecasting.steps import HOUR, step_of
from climbench.models.step_fluxes import require_every_step, require_fluxes_of_steps
from climbench.physics.areas import exact_cell_areas
from climbench.physics.arrays import Array
from climbench.physics.blocks import LEVEL as VERTICAL
from climbench.physics.corrections.chain import Chain, Targets
from climbench.physics.corrections.making import Balance, Given, make_corrections
from climbench.physics.energy import virtual_temperature
from climbench.physics.hydrostatic import hydrostatic_residual
from climbench.physics.opening import OFFSET, SLOPE, column_of, open_quantities, scaling_of
from climbench.physics.quantities import QUANTITIES, STATIC, source_of

SPACE = ("latitude", "longitude")
SAMPLED = 32  # states that the truth's own hydrostatic residual is the mean of
TALL = ("temperature", "humidity", "eastward", "northward", "geopotential")
TUNED = ["geopotential", "temperature", "humidity"]


@dataclass(frozen=True)
class Part:
    """A variable of a state that is a quantity: `factor` times it plus `offset`."""

    variable: str
    factor: float
    offset: float

    def quantity(self, values: Array) -> Array:
        """Return the quantity."""
        return values * self.factor + self.offset

    def value(self, quantity: Array) -> Array:
        """Return the variable."""
        return (quantity - self.offset) / self.factor


@dataclass(frozen=True, eq=False)
class StepCorrections:
    """Corrections, and what they need to know of the states they act on.

    Attributes
    ----------
    chain : Chain
        The corrections.
    parts : mapping of str to Part
        By role, the variables of a state.
    fixed : mapping of str to ndarray of shape (latitude, longitude)
        By role, what does not change with time.
    areas : ndarray of shape (latitude, longitude)
        Of cells.
    step : timedelta64
        From one time of the data to the next, which fluxes are means over.
    about : dict
        JSON-able: what was asked for, and the variables it acts on.
    """

    chain: Chain
    parts: Mapping[str, Part]
    fixed: Mapping[str, np.ndarray]
    areas: np.ndarray
    step: np.timedelta64
    about: dict[str, Any]

    @classmethod
    def of(cls, correct: Correct, state: xr.Dataset, truth: xr.Dataset) -> StepCorrections:
        """Return corrections for states.

        Parameters
        ----------
        correct : Correct
            What a model's card asks for.
        state : Dataset of shape (time, [level,] latitude, longitude)
            The variables that are forecast, in training, lazily.
        truth : Dataset
            Where what does not change is looked up: hybrid coefficients ``ak`` and ``bk`` along ``interface``, and the
            ground.

        Raises
        ------
        ModelError
            If quantities lack, the grid is not the whole globe, a unit or the vertical coordinate is none, or fluxes
            count hours other than those of a step.
        """
        _require_globe(state)
        unknown: list[str] = []
        step = step_of({"train": state})
        try:
            parts = _parts(state, step, unknown)
            ground = open_quantities(truth.drop_dims("time", errors="ignore"), wanted=STATIC).quantities
            lines = truth[[name for name in (OFFSET, SLOPE) if name in truth]]
            column = column_of(xr.Dataset(coords=state.coords).assign(lines.data_vars), [])
        except DataError as error:
            raise ModelError(f"Nothing can be corrected: {error}") from None
        there = state.sizes.get(VERTICAL, 0)
        if column is not None and column.levels != there:
            raise ModelError(
                f"The vertical coordinate (ak, bk) is that of {column.levels} layers, and {there} are forecast. "
                "Correctors need all of them: take all levels as targets."
            )
        fixed = {str(name): values.transpose(*SPACE).values.astype("float64") for name, values in ground.items()}
        roles = {*parts, *(name for name in fixed if name in STATIC)}
        layers = OFFSET in truth and SLOPE in truth
        balance = _balance(state, parts) if "hydrostatic" in correct.what and not layers else None
        given = Given(roles, column, correct.form, correct.levels, correct.training, balance, correct.strength)
        try:
            chain = make_corrections(correct.what, given)
        except ModelError as error:
            raise ModelError(" ".join([str(error), *unknown])) from None
        sources = {role: parts[role].variable for role in _fluxes(chain) if role in parts}
        require_fluxes_of_steps(state, sources, step)
        areas = exact_cell_areas(state["latitude"].values, state["longitude"].values)
        about = correct.model_dump(mode="json") | {"changes": [parts[role].variable for role in chain.changes]}
        return cls(chain, parts, fixed, areas, step, about)

    def targets(self, initial: xr.Dataset) -> Targets:
        """Return what is kept of initial states of shape (init_time, [level,] latitude, longitude), for `after`."""
        return self.chain.targets(self._state(initial), self.areas)

    def require_steps(self, leads: np.ndarray) -> None:
        """Raise ModelError if budgets are closed by fluxes and leads are not all the steps from the start on."""
        if _fluxes(self.chain):
            require_every_step(leads, self.step)

    def after(self, said: xr.Dataset, initial: xr.Dataset, targets: Targets | None = None) -> xr.Dataset:
        """Return a forecast that was made without them, corrected lead by lead from the initial state on.

        Parameters
        ----------
        said : Dataset of shape (init_time, lead_time, [member,] [level,] latitude, longitude)
            Fluxes at a lead stand for their means since the lead before.
        initial : Dataset of shape (init_time, [level,] latitude, longitude)
            The states that it starts from.
        targets : mapping of str to array of shape (init_time,), optional
            What to keep in place of what `initial` has: that of the start of a roll-out, where this is a later step.

        Returns
        -------
        Dataset of the same shape

        Raises
        ------
        ModelError
            If budgets are closed by fluxes and leads are not all the steps from the start on.
        """
        self.require_steps(said["lead_time"].values)
        lead = said["lead_time"].values.astype("timedelta64[s]").astype("float64")
        order = np.argsort(lead)
        before: Mapping[str, Array] = self._state(initial.expand_dims("member") if "member" in said.dims else initial)
        if targets is None:
            targets = self.chain.targets(before, self.areas)
        elif "member" in said.dims:
            targets = {name: values[:, None] for name, values in targets.items()}
        since = 0.0
        made: dict[int, Mapping[str, Array]] = {}
        for place in order:
            then = self._state(said.isel(lead_time=int(place), drop=True))
            before = self.chain(before, then, targets, self.areas, float(lead[place] - since))
            since, made[int(place)] = lead[place], before
        changed = {}
        for role in self.chain.changes:
            part = self.parts[role]
            array = said[part.variable]
            values = np.stack([part.value(made[place][role]) for place in range(len(order))], axis=1)
            dims = _order(array)
            laid = array.transpose(dims[0], "lead_time", *dims[1:])
            changed[part.variable] = laid.copy(data=values.astype(array.dtype)).transpose(*array.dims)
        return said.assign(changed)

    def _state(self, data: xr.Dataset) -> dict[str, np.ndarray]:
        """Return quantities by role, in float64."""
        found = {
            role: part.quantity(data[part.variable].transpose(*_order(data[part.variable])).values.astype("float64"))
            for role, part in self.parts.items()
        }
        return {**found, **self.fixed}


def _order(array: xr.DataArray) -> list[str]:
    return [d for d in ("init_time", "member", VERTICAL, *SPACE) if d in array.dims]


def _fluxes(chain: Chain) -> list[str]:
    """Return the roles that corrections take as means over a step."""
    return list(dict.fromkeys(role for made in chain.corrections.values() for role in made.fluxes))


def _parts(state: xr.Dataset, step: np.timedelta64, unknown: list[str]) -> dict[str, Part]:
    """Return the variables of a state by role; note those whose amounts or units are not known."""
    found = {}
    names = [str(v) for v in state.data_vars if "time" in state[v].dims]
    for role, quantity in QUANTITIES.items():
        source = source_of(role, names, step=float(step / HOUR))
        if source is None:
            continue
        try:
            factor, offset = scaling_of(state[source.variable], quantity, source, None, [])
        except DataError as error:
            unknown.append(str(error))
            continue
        found[role] = Part(source.variable, factor, offset)
    return found


def _balance(state: xr.Dataset, parts: Mapping[str, Part]) -> Balance | None:
    """Return what the truth has of hydrostatic balance on its pressure levels, by a sample of its states."""
    if VERTICAL not in state.dims or not set(TUNED) <= set(parts):
        return None
    few = np.unique(np.linspace(0, state.sizes["time"] - 1, SAMPLED).astype(int))
    dims = ("time", VERTICAL, *SPACE)
    sample = state[[parts[role].variable for role in TUNED]].isel(time=few).transpose(*dims).load()
    height, warm, humid = (
        parts[role].quantity(sample[parts[role].variable].values.astype("float64")) for role in TUNED
    )
    pressure = np.asarray(state[VERTICAL].values, "float64") * 100.0
    residual = hydrostatic_residual(height, virtual_temperature(warm, humid), pressure)
    rises, warmths = (values.std(axis=(0, -2, -1)) for values in (height, warm))
    return Balance(pressure, rises, warmths, residual.mean(axis=(0, -2, -1))[:, None, None])


def _require_globe(state: xr.Dataset) -> None:
    if not covers_globe(state["latitude"].values, state["longitude"].values):
        raise ModelError(
            f"Correctors close budgets of the whole globe; found {describe_grid(state)}. Leave 'correct' out of the "
            "model's card here."
        )
