"""Correctors of a network's steps: from normalised channels to quantities, corrected, and back."""

from __future__ import annotations

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
    that budgets close as well as normalised states can tell.

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
        self.places = _places(corrections, channels)
        self.fixed = tuple(corrections.fixed)
        for role, place in self.places.items():
            part = corrections.parts[role]
            self._keep(f"{role}_scale", (channels.std[place] * part.factor)[:, None, None])
            self._keep(f"{role}_shift", (channels.mean[place] * part.factor + part.offset)[:, None, None])
        for role, values in corrections.fixed.items():
            self._keep(role, values)

    def _keep(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=torch.float64), persistent=False)
        self.register_buffer(f"{name}_32", torch.tensor(values, dtype=torch.float32), persistent=False)

    def number(self, name: str, dtype: torch.dtype) -> torch.Tensor:
        """Return what is kept under a name, in float32 or float64."""
        found: torch.Tensor = getattr(self, name if dtype == torch.float64 else f"{name}_32")
        return found

    def targets(self, states: torch.Tensor) -> Targets:
        """Return what is kept of initial states, of shape (batch, channel, latitude, longitude), through a roll-out."""
        return self.conserve.targets(_Quantities(self, states))

    def forward(self, before: torch.Tensor, ahead: torch.Tensor, targets: Targets) -> torch.Tensor:
        """Return the states after a step, corrected; channels that no corrector changes are as they were."""
        then, now = _Quantities(self, before), _Quantities(self, ahead)
        with torch.autocast(ahead.device.type, enabled=False):
            found = self.conserve.changed(then, now, targets)
        pieces, done = [], 0
        for role in sorted(found, key=lambda name: self.places[name].start):
            place = self.places[role]
            moved = self._moved(role, found[role], now[role], ahead)
            pieces += [ahead[:, done : place.start], ahead[:, place] + moved]
            done = place.stop
        return torch.cat([*pieces, ahead[:, done:]], dim=1)

    def _moved(self, role: str, after: torch.Tensor, before: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Return by how much channels change, in their own units."""
        change = (after - before) if after.ndim == like.ndim else (after - before)[:, None]
        return (change / self.number(f"{role}_scale", after.dtype)).to(like.dtype)


class _Quantities(Mapping[str, torch.Tensor]):
    """States by role; each quantity is made of its channels when it is first asked for."""

    def __init__(self, made: ChannelCorrections, states: torch.Tensor) -> None:
        self.made, self.states = made, states if torch.is_grad_enabled() else states.double()
        self.known: dict[str, torch.Tensor] = {}

    def __iter__(self) -> Iterator[str]:
        return iter((*self.made.places, *self.made.fixed))

    def __len__(self) -> int:
        return len(self.made.places) + len(self.made.fixed)

    def __getitem__(self, role: str) -> torch.Tensor:
        if role not in self.known:
            self.known[role] = self._quantity(role)
        return self.known[role]

    def _quantity(self, role: str) -> torch.Tensor:
        dtype, made = self.states.dtype, self.made
        if role in made.fixed:
            return made.number(role, dtype)
        place = made.places[role]
        scale, shift = (made.number(f"{role}_{what}", dtype) for what in ("scale", "shift"))
        values = self.states[:, place] * scale + shift
        return values if role in TALL else values[:, 0]


def _places(corrections: StepCorrections, channels: StateChannels) -> dict[str, slice]:
    """Return the channels of each role, in a row."""
    names = [channel.variable for channel in channels.channels]
    found = {}
    for role, part in corrections.parts.items():
        if part.variable not in names:
            raise ModelError(f"The network has no channel of '{part.variable}', which correctors were made for.")
        start, count = names.index(part.variable), names.count(part.variable)
        found[role] = slice(start, start + count)
    return found
