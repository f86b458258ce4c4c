"""Messages along the edges of a graph.

References
----------
Battaglia et al. (2016), Interaction networks, arXiv:1612.00222; the form is that of Lam et al. (2023), supplement 3.
"""

from __future__ import annotations

import torch
from torch import nn


class NodePerceptron(nn.Module):
    """A perceptron of one hidden layer with a smooth rectifier, and a layer norm unless told otherwise."""

    def __init__(self, width_in: int, width: int, width_out: int, *, normalised: bool = True) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width_in, width), nn.Linear(width, width_out)
        self.norm = nn.LayerNorm(width_out) if normalised else nn.Identity()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of shape (..., width_out)."""
        answer: torch.Tensor = self.norm(self.second(nn.functional.silu(self.first(features))))
        return answer


class MessagePassing(nn.Module):
    """Edges learn from their ends, receivers from the sum over their edges; both keep what they had beside it.

    The first layer of the edges' perceptron is taken apart, so that senders and receivers are multiplied once a node
    and not once an edge; the result is that of their features side by side.

    Parameters
    ----------
    edges : Tensor of int of shape (edge, 2)
        Sender and receiver of each.
    width : int
        Length of all features.
    """

    senders: torch.Tensor
    receivers: torch.Tensor

    def __init__(self, edges: torch.Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("senders", edges[:, 0].contiguous(), persistent=False)
        self.register_buffer("receivers", edges[:, 1].contiguous(), persistent=False)
        self.of_edge = nn.Linear(width, width)
        self.of_sender, self.of_receiver = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.second, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.node = NodePerceptron(2 * width, width, width)

    def forward(
        self, edges: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return edges of shape (batch, edge, width) and receivers of shape (batch, node, width)."""
        from_senders = self.of_sender(senders)[:, self.senders]
        from_receivers = self.of_receiver(receivers)[:, self.receivers]
        hidden = nn.functional.silu(self.of_edge(edges) + from_senders + from_receivers)
        messages = self.norm(self.second(hidden))
        heard = torch.zeros_like(receivers, dtype=messages.dtype).index_add(1, self.receivers, messages)
        return edges + messages, receivers + self.node(torch.cat([receivers, heard], dim=-1))
