"""Correctors of a network's steps: from normalised channels to quantities, corrected, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from climbench.errors import ModelError
from climbench.models.forecasting.state_channels import StateChannels
from climbench.models.layers.conservation import Conservation
from climbench.models.step_corrections import TALL, StepCorrections

Targets = Mapping[str, torch.Tensor]


class ChannelCorrections(nn.Module):
    """Corrects normalised states, of shape (batch, channel, latitude, longitude).

    Quantities are in float32 where gradients are taken, which is enough to learn by, and in float64 in forecasts, so
    that budgets close as well as normalised states can tell. What a step starts from is taken as given, as in CREDIT:
    gradients go through the state that is corrected, and not through the budgets of the one before it or of the initial
    state.

    Parameters
    ----------
    corrections : StepCorrections
        Made for the variables of the channels.
    channels : StateChannels
        Of the states.
    seconds : float
        Length of a step.

    Raises
    ------
    ModelError
        If a variable has no channel.
    """

    def __init__(self, corrections: StepCorrections, channels: StateChannels, seconds: float) -> None:
        super().__init__()
        self.conserve = Conservation(corrections.chain, corrections.areas, seconds)
        self.counts = Counter(channel.variable for channel in channels.channels)  # in the order of the channels
        self.variables = {role: part.variable for role, part in corrections.parts.items()}
        self.fixed = tuple(corrections.fixed)
        for role, part in corrections.parts.items():
            place = self._place(part.variable)
            self._keep(f"{role}_scale", (channels.std[place] * part.factor)[:, None, None])
            self._keep(f"{role}_shift", (channels.mean[place] * part.factor + part.offset)[:, None, None])
        for role, values in corrections.fixed.items():
            self._keep(role, values)
        positivity = corrections.chain.corrections.get("positivity")
        self.clipped = () if positivity is None else positivity.changes
        for role in self.clipped:
            place = self._place(self.variables[role])
            lowest = torch.from_numpy(channels.lowest(place))[:, None, None]
            self.register_buffer(f"{role}_lowest", lowest, persistent=False)

    def _place(self, variable: str) -> slice:
        """Return the channels of a variable, which stand in a row."""
        if variable not in self.counts:
            raise ModelError(f"The network has no channel of '{variable}', which correctors were made for.")
        names = list(self.counts)
        start = sum(self.counts[name] for name in names[: names.index(variable)])
        return slice(start, start + self.counts[variable])

    def _keep(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=torch.float64), persistent=False)
        self.register_buffer(f"{name}_32", torch.tensor(values, dtype=torch.float32), persistent=False)

    def number(self, name: str, dtype: torch.dtype) -> torch.Tensor:
        """Return what is kept under a name, in float32 or float64."""
        found: torch.Tensor = getattr(self, name if dtype == torch.float64 else f"{name}_32")
        return found

    def targets(self, states: torch.Tensor) -> Targets:
        """Return what is kept of initial states, of shape (batch, channel, latitude, longitude), through a roll-out."""
        return self.conserve.targets(_Quantities(self, states.detach()))

    def forward(self, before: torch.Tensor, ahead: torch.Tensor, targets: Targets) -> torch.Tensor:
        """Return the states after a step, corrected; channels that no corrector changes are as they were."""
        then, now = _Quantities(self, before.detach()), _Quantities(self, ahead)
        with torch.autocast(ahead.device.type, enabled=False):
            found = self.conserve.changed(then, now, targets)
        pieces = dict(now.pieces)
        for role, values in found.items():
            place = self.variables[role]
            pieces[place] = pieces[place] + self._moved(role, values, now[role], ahead)
            if role in self.clipped and not torch.is_grad_enabled():
                pieces[place] = self._not_below(role, values, pieces[place])
        return torch.cat(list(pieces.values()), dim=1)

    def _not_below(self, role: str, values: torch.Tensor, piece: torch.Tensor) -> torch.Tensor:
        """Return channels that do not fall below 0 by the round-off of their units where the quantity does not."""
        there = (values if values.ndim == piece.ndim else values[:, None]) >= 0.0
        return torch.where(there, torch.maximum(piece, getattr(self, f"{role}_lowest")), piece)

    def _moved(self, role: str, after: torch.Tensor, before: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Return by how much channels change, in their own units."""
        change = (after - before) if after.ndim == like.ndim else (after - before)[:, None]
        return (change / self.number(f"{role}_scale", after.dtype)).to(like.dtype)


class _Quantities(Mapping[str, torch.Tensor]):
    """States by role; each quantity is made of its channels when it is first asked for."""

    def __init__(self, made: ChannelCorrections, states: torch.Tensor) -> None:
        # Split at once, as the gradient of each further slice would be as large as the states are.
        split = torch.split(states, list(made.counts.values()), dim=1)
        self.made, self.pieces = made, dict(zip(made.counts, split, strict=True))
        self.dtype = states.dtype if torch.is_grad_enabled() else torch.float64
        self.known: dict[str, torch.Tensor] = {}

    def __iter__(self) -> Iterator[str]:
        return iter((*self.made.variables, *self.made.fixed))

    def __len__(self) -> int:
        return len(self.made.variables) + len(self.made.fixed)

    def __getitem__(self, role: str) -> torch.Tensor:
        if role not in self.known:
            self.known[role] = self._quantity(role)
        return self.known[role]

    def _quantity(self, role: str) -> torch.Tensor:
        made = self.made
        if role in made.fixed:
            return made.number(role, self.dtype)
        scale, shift = (made.number(f"{role}_{what}", self.dtype) for what in ("scale", "shift"))
        values = (self.pieces[made.variables[role]].to(self.dtype) * scale).add_(shift)  # in place, of a new array
        return values if role in TALL else values[:, 0]
