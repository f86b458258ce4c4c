"""Correctors as modules: thin over `climbench.physics.corrections`, with the cells' areas on the device of the network.

A corrector takes states by role (`climbench.physics.quantities`) before and after a step, and gives the state after it
with the quantities that it changes; all others are the very tensors it was given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from climbench.physics.columns import Column
from climbench.physics.corrections.by_role import Form
from climbench.physics.corrections.chain import Chain
from climbench.physics.corrections.making import Balance, Given, make_corrections

State = Mapping[str, torch.Tensor]


class Conservation(nn.Module):
    """Correctors in order: positivity, hydrostatic balance, dry air, moisture, energy, those that are asked for.

    Parameters
    ----------
    chain : Chain
        Of `make_corrections`.
    areas : ndarray of shape (latitude, longitude)
        Of cells, of the whole globe, in any unit.
    seconds : float
        Length of a step.
    """

    areas: torch.Tensor

    def __init__(self, chain: Chain, areas: np.ndarray, seconds: float) -> None:
        super().__init__()
        self.chain, self.seconds = chain, seconds
        self.register_buffer("areas", torch.tensor(areas, dtype=torch.float64), persistent=False)

    @property
    def changes(self) -> tuple[str, ...]:
        """The roles of what is changed."""
        return self.chain.changes

    def targets(self, initial: State) -> State:
        """Return what is kept of an initial state all through a roll-out, by corrector, each of shape (batch,)."""
        return self.chain.targets(initial, self.areas)

    def forward(self, before: State, after: State, targets: State | None = None) -> State:
        """Return the state after a step, corrected.

        Parameters
        ----------
        before, after : mapping of str to Tensor
            By role, of shape (batch, [level,] latitude, longitude); what stays of shape (latitude, longitude).
        targets : mapping of str to Tensor, optional
            Of `targets`; those of the state before the step without.

        Returns
        -------
        mapping of str to Tensor
        """
        return {**after, **self.changed(before, after, self.targets(before) if targets is None else targets)}

    def changed(self, before: State, after: State, targets: State) -> State:
        """Return what is changed of the state after a step, alone."""
        return self.chain.changed(before, after, targets, self.areas, self.seconds)


class _Corrector(Conservation):
    """One corrector.

    Parameters
    ----------
    areas, seconds
        As for `Conservation`.
    roles : collection of str
        The quantities that states have.
    column : Column or None
        The vertical coordinate.
    **options
        Of `climbench.physics.corrections.making.Given`.
    """

    name: str

    def __init__(
        self, areas: np.ndarray, seconds: float, *, roles: Collection[str], column: Column | None = None, **options: Any
    ) -> None:
        super().__init__(make_corrections((self.name,), Given(roles, column, **options)), areas, seconds)


class NonNegative(_Corrector):
    """Clips humidity and precipitation at 0; with ``straight=True`` gradients go through."""

    name = "positivity"


class DryAir(_Corrector):
    """Keeps the mean mass of dry air, by CREDIT's ratio or ACE's offset (`form`)."""

    name = "dry_air"


class Moisture(_Corrector):
    """Closes the budget of water by precipitation, in ACE's `form` by convergence as well where there is any."""

    name = "moisture"


class Energy(_Corrector):
    """Closes the budget of energy by temperature, by CREDIT's ratio or ACE's offset (`form`)."""

    name = "energy"


class HydrostaticProjection(_Corrector):
    """Gives columns the truth's hydrostatic residual (`balance`), or part of the way there (`strength`)."""

    name = "hydrostatic"


__all__ = [
    "Balance",
    "Conservation",
    "DryAir",
    "Energy",
    "Form",
    "HydrostaticProjection",
    "Moisture",
    "NonNegative",
]
