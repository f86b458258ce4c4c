"""A long short-term memory whose candidate and output pass through a rectifier."""

from __future__ import annotations

import torch
from torch import nn


class RectifiedLSTM(nn.Module):
    r"""The last output of a long short-term memory with the rectifier in place of the hyperbolic tangent.

    .. math::
        i, f, o = \sigma(\ldots), \quad g = \max(0, \ldots), \quad c_t = f c_{t-1} + i g, \quad
        h_t = o \max(0, c_t)

    PyTorch's own layer has the tangent built in and two biases; Keras' ``LSTM(activation="relu")`` is this one, with
    4 units (features + units + 1) parameters.

    Parameters
    ----------
    features : int
        Length of the vector of each step.
    units : int
        Length of the state.

    References
    ----------
    Hochreiter and Schmidhuber (1997), Neural Computation 9; initial values as in Keras: Glorot-uniform for the input's
    weights, orthogonal for the state's, a bias of one for the forget gate.
    """

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.of_input = nn.Linear(features, 4 * units)
        self.of_state = nn.Linear(units, 4 * units, bias=False)
        nn.init.xavier_uniform_(self.of_input.weight)
        nn.init.orthogonal_(self.of_state.weight)
        nn.init.zeros_(self.of_input.bias)
        nn.init.ones_(self.of_input.bias[units : 2 * units])

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        """Return the output after the last step, of shape (batch, unit), for (batch, step, feature)."""
        state = sequence.new_zeros(sequence.shape[0], self.units)
        memory = torch.zeros_like(state)
        for gates in self.of_input(sequence).unbind(1):
            take, forget, candidate, give = (gates + self.of_state(state)).chunk(4, dim=1)
            memory = torch.sigmoid(forget) * memory + torch.sigmoid(take) * torch.relu(candidate)
            state = torch.sigmoid(give) * torch.relu(memory)
        return state
