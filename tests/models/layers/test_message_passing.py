"""Messages: the form with everything side by side, and sums over edges."""

from __future__ import annotations

import torch

from climbench.models.layers.message_passing import MessagePassing


def test_edges_learn_from_both_ends_side_by_side():
    torch.manual_seed(0)
    edges = torch.tensor([[0, 1], [2, 1], [1, 0]])
    layer = MessagePassing(edges, 4)
    features, senders, receivers = torch.randn(2, 3, 4), torch.randn(2, 3, 4), torch.randn(2, 2, 4)
    whole = torch.cat([layer.of_edge.weight, layer.of_sender.weight, layer.of_receiver.weight], dim=1)
    side_by_side = torch.cat([features, senders[:, edges[:, 0]], receivers[:, edges[:, 1]]], dim=-1)
    hidden = torch.nn.functional.silu(side_by_side @ whole.T + layer.of_edge.bias)
    messages = layer.norm(layer.second(hidden))
    found_edges, found_nodes = layer(features, senders, receivers)
    torch.testing.assert_close(found_edges, features + messages)
    heard = torch.stack([messages[:, 2], messages[:, 0] + messages[:, 1]], dim=1)
    torch.testing.assert_close(found_nodes, receivers + layer.node(torch.cat([receivers, heard], dim=-1)))
