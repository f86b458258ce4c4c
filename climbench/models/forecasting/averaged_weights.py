"""Averaged weights, which follow those that are trained: smoother in training, better and steadier in use."""

from __future__ import annotations

import torch
from torch import nn

Tensors = dict[str, torch.Tensor]


class AveragedWeights:
    r"""An exponential moving average of a network's weights.

    After n updates the average keeps the share :math:`d = \min(d_{max}, (1 + n) / (10 + n))` of itself.

    Parameters
    ----------
    network : Module
        What is trained.
    decay : float or None
        The largest share; with None the average is the weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        self.network, self.decay = network, decay
        self._own: Tensors | None = None
        self._live = network.state_dict()  # shares its memory with the network
        self.values: Tensors = copied(network)

    def update(self, updates: int) -> None:
        """Follow the weights after so many updates."""
        share = 0.0 if self.decay is None else min(self.decay, (1 + updates) / (10 + updates))
        with torch.no_grad():
            for name, tensor in self._live.items():
                if tensor.is_floating_point() or tensor.is_complex():
                    self.values[name].lerp_(tensor, 1.0 - share)
                else:
                    self.values[name].copy_(tensor)

    def put_in(self) -> None:
        """Put the average into the network, and keep its own weights aside."""
        self._own = copied(self.network)
        self.network.load_state_dict(self.values)

    def take_out(self) -> None:
        """Give the network its own weights back."""
        assert self._own is not None
        self.network.load_state_dict(self._own)
        self._own = None


def copied(network: nn.Module) -> Tensors:
    """Return a network's tensors, copied."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
