"""The rectified recurrence against its formulas written out, and its size against Keras' formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.models.layers.recurrence import RectifiedLSTM


def written_out(layer, sequence):
    """The recurrence in plain NumPy, one gate after the other."""
    w, u = (m.weight.detach().numpy().astype("f8") for m in (layer.of_input, layer.of_state))
    b = layer.of_input.bias.detach().numpy().astype("f8")
    n = layer.units
    h, c = np.zeros(n), np.zeros(n)

    def gate(k, x):
        rows = slice(k * n, (k + 1) * n)
        return w[rows] @ x + u[rows] @ h + b[rows]

    for x in sequence:
        i, f, g, o = (gate(k, x) for k in range(4))
        i, f, o = (1.0 / (1.0 + np.exp(-v)) for v in (i, f, o))
        c = f * c + i * np.maximum(g, 0.0)
        h = o * np.maximum(c, 0.0)
    return h


def test_it_follows_its_formulas():
    torch.manual_seed(1)
    layer = RectifiedLSTM(3, 4)
    sequences = torch.randn(2, 6, 3)
    expected = np.stack([written_out(layer, s.numpy().astype("f8")) for s in sequences])
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(layer(sequences).detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(("features", "units", "parameters"), [(20, 25, 4600), (3, 4, 128)])
def test_it_has_four_gates_of_parameters(features, units, parameters):
    assert sum(p.numel() for p in RectifiedLSTM(features, units).parameters()) == parameters


def test_the_forget_gate_is_open_at_first():
    layer = RectifiedLSTM(2, 3)
    assert layer.of_input.bias.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6
    product = layer.of_state.weight.T @ layer.of_state.weight
    torch.testing.assert_close(product, torch.eye(3), atol=1e-5, rtol=0.0)
