r"""Two networks that make a forecast of several steps from a start: one knows the end, one what lies between.

References
----------
Ruhling Cachay et al. (2023), DYffusion: a dynamics-informed diffusion model for spatiotemporal forecasting, NeurIPS,
arXiv:2306.01984, algorithms 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Self

import torch

from climbench.models.forecasting.stepper import Stepper


class Interpolator(Stepper):
    """Gives states between two others that are a horizon apart, by the straight line and what a network adds to it.

    The network is shown both ends, the point of the line, and after all else a map of the place. Its dropout stays on
    for good: what is dropped makes one draw differ from another.

    Parameters
    ----------
    *given
        Of `Stepper`.
    horizon : int
        Steps between the ends.
    **options
        Of `Stepper`.
    """

    def __init__(self, *given: Any, horizon: int, **options: Any) -> None:
        super().__init__(*given, **options)
        self.horizon = horizon

    def train(self, mode: bool = True) -> Self:
        """Stay as in training."""
        return super().train(True)

    def between(
        self, start: torch.Tensor, end: torch.Tensor, place: torch.Tensor, seconds: torch.Tensor
    ) -> torch.Tensor:
        """Return a draw of the states at places between the ends; at the ends they are the ends.

        Parameters
        ----------
        start, end : Tensor of shape (batch, channel, latitude, longitude)
            Normalised states.
        place : Tensor of int of shape (batch,)
            Steps after the start, from 0 to the horizon.
        seconds : Tensor of shape (batch,)
            Time of the start, since 1970.
        """
        share = (place / self.horizon).to(start)[:, None, None, None]
        line = (1.0 - share) * start + share * end
        found = self(torch.stack([start, end, line], dim=1), seconds, place_map(share, start))
        return torch.where((share > 0.0) & (share < 1.0), found, line)


class DYffusionStepper(Stepper):
    """Goes on by a horizon at a time, whose steps are sampled one after the other.

    Parameters
    ----------
    network : ModuleDict
        ``interpolator`` and ``forecaster``.
    *given
        Of `Stepper`.
    horizon : int
        Steps that are sampled together.
    refined : bool
        Whether the steps before the last are interpolated anew to the end that was found last.
    **options
        Of `Stepper`.
    """

    def __init__(
        self, network: torch.nn.ModuleDict, *given: Any, horizon: int, refined: bool = False, **options: Any
    ) -> None:
        super().__init__(network, *given, **options)
        self.horizon, self.refined = horizon, refined
        self.interpolator = Interpolator(network["interpolator"], *given, horizon=horizon, **options)
        self.forecaster = Stepper(network["forecaster"], *given, **options)

    def end(self, start: torch.Tensor, now: torch.Tensor, place: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
        """Return the state at the end of the horizon, from one at a place in it and the start."""
        share = (place / self.horizon).to(start)[:, None, None, None]
        return self.forecaster(torch.stack([start, now], dim=1), seconds, place_map(share, start))

    def sample(self, start: torch.Tensor, seconds: torch.Tensor) -> list[torch.Tensor]:
        r"""Return a draw of the states of the horizon, in order (cold sampling).

        From :math:`s_0`, the start, for each place n: the end :math:`\hat x = F(s_n, n)`, then
        :math:`s_{n+1} = s_n - I(\hat x, n) + I(\hat x, n + 1)`.
        """
        places = torch.arange(self.horizon + 1, device=start.device)[:, None].expand(-1, len(start))
        now, found = start, []
        for place, later in pairwise(places):
            end = self.end(start, now, place, seconds)
            here, there = (self._between(start, end, p, seconds) for p in (place, later))
            now = now - here + there
            found.append(now)
        if self.refined:
            found[:-1] = [self._between(start, end, p, seconds) for p in places[1:-1]]
        return found

    def _between(
        self, start: torch.Tensor, end: torch.Tensor, place: torch.Tensor, seconds: torch.Tensor
    ) -> torch.Tensor:
        """Return draws of one place; nothing is computed for the ends."""
        number = int(place[0])
        if number in (0, self.horizon):
            return end if number else start
        return self.interpolator.between(start, end, place, seconds)

    def rollout(
        self, states: torch.Tensor, seconds: torch.Tensor, steps: int, run: Callable[..., torch.Tensor] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, a horizon at a time; `run` is not used."""
        start = states[:, -1]
        for done in range(0, steps, self.horizon):
            found = self.sample(start, seconds + round(done * self.step_seconds))
            yield from found[: steps - done]
            start = found[-1]


def place_map(share: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a map of shape (batch, 1, latitude, longitude) that tells the place in the horizon, from -1 to 1."""
    return (2.0 * share - 1.0).expand(-1, 1, *like.shape[-2:])
