"""A network that steps and is shown noise, which goes on from step to step as the states do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from climbench.models.forecasting.stepper import Stepper
from climbench.models.layers.spherical_noise import SphericalNoise


class NoisyStepper(Stepper):
    """A `Stepper` whose network is shown maps of noise after all others.

    Parameters
    ----------
    *given
        Of `Stepper`.
    noise : SphericalNoise
        It starts anew with each roll-out, and moves on with each step.
    signs : tuple of float
        How neighbours in a batch share their noise: with ``(1, -1)`` every second has that of the one before, turned
        about; with ``(1,)`` each has its own. The number of states is a multiple of that of the signs.
    **options
        Of `Stepper`.
    """

    def __init__(self, *given: Any, noise: SphericalNoise, signs: tuple[float, ...] = (1.0,), **options: Any) -> None:
        super().__init__(*given, **options)
        self.noise, self.signs = noise, signs

    def rollout(
        self, states: torch.Tensor, seconds: torch.Tensor, steps: int, run: Callable[..., torch.Tensor] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the states of the next steps, each made from those before and the noise of its step."""
        coefficients = self.noise.start(len(states) // len(self.signs))
        kept = self.kept(states)
        for number in range(steps):
            ahead = (run or self)(states, seconds + round(number * self.step_seconds), self._shown(coefficients))
            ahead = self.mended(states, ahead, kept)
            yield ahead
            states = torch.cat([states[:, 1:], ahead[:, None]], dim=1)
            coefficients = self.noise.onward(coefficients)

    def _shown(self, coefficients: torch.Tensor) -> torch.Tensor:
        maps = self.noise.maps(coefficients)
        return torch.stack([sign * maps for sign in self.signs], dim=1).flatten(0, 1)
