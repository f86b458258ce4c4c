"""Clipped gradients are those of torch's own function, real and complex ones together."""

from __future__ import annotations

import pytest
import torch

from climbench.models.training.clipping import clip_gradients


def parameters():
    torch.manual_seed(0)
    made = [torch.randn(5, 3), torch.randn(4, 2, dtype=torch.complex64), torch.randn(7)]
    for values in made:
        values.grad = torch.randn_like(values)
    return [*made, torch.randn(2)]  # the last has no gradient


@pytest.mark.parametrize("largest", [0.5, 5.0, 1e3])
def test_they_are_what_torch_makes_of_them(largest):
    ours, theirs = parameters(), parameters()
    clip_gradients(ours, largest)
    torch.nn.utils.clip_grad_norm_(theirs, largest)
    for one, other in zip(ours[:-1], theirs[:-1], strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_the_norm_by_hand():
    """Of 3 and 4i, which is 5, down to 1."""
    real, imaginary = torch.zeros(1), torch.zeros(1, dtype=torch.complex64)
    real.grad, imaginary.grad = torch.tensor([3.0]), torch.tensor([4.0j])
    clip_gradients([real, imaginary], 1.0)
    assert (float(real.grad), complex(imaginary.grad)) == (pytest.approx(0.6, rel=1e-5), pytest.approx(0.8j, rel=1e-5))


def test_without_gradients_there_is_nothing_to_do():
    clip_gradients([torch.zeros(2)], 1.0)
