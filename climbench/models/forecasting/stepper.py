"""A network that steps: from the latest states to the change that the next step brings, again and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from climbench.models.forecasting.channel_corrections import ChannelCorrections, Targets

DAY, YEAR = 86400.0, 365.2425 * 86400.0


class Clock(nn.Module):
    """Maps that tell the season, and with steps of less than a day the local solar time.

    Parameters
    ----------
    longitude : ndarray of shape (n,)
        Degrees east.
    rows : int
        Number of latitudes.
    hourly : bool
        Whether solar time is told.
    """

    turn: torch.Tensor

    def __init__(self, longitude: np.ndarray, rows: int, *, hourly: bool) -> None:
        super().__init__()
        self.rows, self.hourly = rows, hourly
        self.register_buffer("turn", torch.tensor(np.deg2rad(longitude), dtype=torch.float32), persistent=False)

    @property
    def channels(self) -> int:
        """How many maps."""
        return 4 if self.hourly else 2

    def forward(self, seconds: torch.Tensor) -> torch.Tensor:
        """Return maps of shape (batch, channel, latitude, longitude) for times in seconds since 1970."""
        exact = seconds.double()
        season = (2.0 * math.pi * torch.remainder(exact / YEAR, 1.0)).float()
        angles = [season[:, None].expand(-1, self.turn.numel())]
        if self.hourly:
            noon = (2.0 * math.pi * torch.remainder(exact / DAY, 1.0)).float()
            angles.append(noon[:, None] + self.turn)
        maps = torch.stack([f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=1)
        return maps[:, :, None, :].expand(-1, -1, self.rows, -1)


class Stepper(nn.Module):
    """Adds a network's answer, a change in units of its usual size, to the latest state.

    Parameters
    ----------
    network : Module
        From (batch, channel, latitude, longitude), states of the history, the clock's maps and others, to changes.
    change : ndarray of shape (channel,)
        Standard deviation of a step's change over that of the state.
    step_seconds : float
        Length of a step.
    clock : Clock, optional
        Tells the time.
    maps : Tensor of shape (channel, latitude, longitude), optional
        What does not change, shown beside each state.
    checkpointing : bool
        Whether activations are computed again for the gradient.

    Attributes
    ----------
    corrections : ChannelCorrections or None
        Corrects each step of a roll-out before it is given or fed on.
    """

    change: torch.Tensor
    maps: torch.Tensor | None

    def __init__(
        self,
        network: nn.Module,
        change: np.ndarray,
        step_seconds: float,
        clock: Clock | None = None,
        maps: torch.Tensor | None = None,
        *,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.clock = network, clock
        self.corrections: ChannelCorrections | None = None
        self.step_seconds, self.checkpointing = step_seconds, checkpointing
        sizes = torch.tensor(change, dtype=torch.float32)[:, None, None]
        self.register_buffer("change", sizes, persistent=False)
        self.register_buffer("maps", maps, persistent=False)

    def forward(self, states: torch.Tensor, seconds: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """Return the next state.

        Parameters
        ----------
        states : Tensor of shape (batch, history, channel, latitude, longitude)
            Normalised, the latest last.
        seconds : Tensor of shape (batch,)
            Time of the latest, since 1970.
        *beside : Tensor of shape (batch, channel, latitude, longitude)
            Further maps that the network is shown, after all others.

        Returns
        -------
        Tensor of shape (batch, channel, latitude, longitude)
        """
        return states[:, -1] + self.change * self.answer(self.network, self.shown(states, seconds, *beside))

    def shown(self, states: torch.Tensor, seconds: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """Return all maps that a network is shown, of shape (batch, channel, latitude, longitude)."""
        shown = [states.flatten(1, 2)]
        if self.clock is not None:
            shown.append(self.clock(seconds))
        if self.maps is not None:
            shown.append(self.maps.expand(len(states), -1, -1, -1))
        return torch.cat([*shown, *beside], dim=1)

    def answer(self, network: nn.Module, *given: torch.Tensor) -> torch.Tensor:
        """Return what a network answers, in units of the change."""
        again = self.checkpointing and self.training and torch.is_grad_enabled()
        answer: torch.Tensor = checkpoint(network, *given, use_reentrant=False) if again else network(*given)
        return answer.float()

    def rollout(
        self, states: torch.Tensor, seconds: torch.Tensor, steps: int, run: Callable[..., torch.Tensor] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, each made from those before, by `run` in place of this where given."""
        kept = self.kept(states)
        for number in range(steps):
            ahead = (run or self)(states, seconds + round(number * self.step_seconds))
            ahead = self.mended(states, ahead, kept)
            yield ahead
            states = torch.cat([states[:, 1:], ahead[:, None]], dim=1)

    def kept(self, states: torch.Tensor) -> Targets:
        """Return what corrections keep of the states that a roll-out starts from, the latest last."""
        return {} if self.corrections is None else self.corrections.targets(states[:, -1])

    def mended(self, states: torch.Tensor, ahead: torch.Tensor, kept: Targets) -> torch.Tensor:
        """Return the next states as corrections leave them, where there are any."""
        if self.corrections is None:
            return ahead
        mended: torch.Tensor = self.corrections(states[:, -1], ahead, kept)
        return mended


class StepLoss(nn.Module):
    """The mean square error of a roll-out, in units of a step's change, weighted by area and channel.

    Parameters
    ----------
    change : ndarray of shape (channel,)
        As for `Stepper`.
    channel_weights : ndarray of shape (channel,)
        With mean 1.
    row_weights : ndarray of shape (latitude,)
        With mean 1.
    """

    weights: torch.Tensor

    def __init__(self, change: np.ndarray, channel_weights: np.ndarray, row_weights: np.ndarray) -> None:
        super().__init__()
        weights = (channel_weights / change**2)[:, None, None] * row_weights[:, None]
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of states of shape (batch, channel, latitude, longitude)."""
        return (self.weights * (prediction - target) ** 2).mean()
