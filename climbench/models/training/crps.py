r"""The continuous ranked probability score as a loss: fair, classical and almost fair.

References
----------
Ferro (2014), Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, doi:10.1002/qj.2270.
Lang et al. (2024), AIFS-CRPS: ensemble forecasting using a model trained with a loss function based on the continuous
ranked probability score, arXiv:2412.15832 (the almost fair CRPS).
"""

from __future__ import annotations

import torch

from climbench.errors import ModelError


def crps(members: torch.Tensor, target: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
    r"""Return the CRPS at each point.

    .. math:: \frac{1}{N} \sum_i |x_i - y| - \frac{N - 1 + \alpha}{2 N^2 (N - 1)} \sum_{i,j} |x_i - x_j|

    The sum over pairs is taken over sorted members, so that its gradient drives members apart that coincide.

    Parameters
    ----------
    members : Tensor of shape (batch, member, ...)
        At least two members.
    target : Tensor of shape (batch, ...)
        In the same unit.
    alpha : float
        From 0 to 1: 1 is the fair CRPS, 0 the classical, between them it is almost fair.

    Returns
    -------
    Tensor of shape (batch, ...)

    Raises
    ------
    ModelError
        If `alpha` is out of range, or there are fewer than two members.
    """
    count = members.shape[1]
    if not 0.0 <= alpha <= 1.0:
        raise ModelError(f"alpha, the share of the fair CRPS, must lie between 0 and 1; it is {alpha:g}.")
    if count < 2:
        raise ModelError(f"The CRPS as a loss needs at least two members; found {count}.")
    error = (members - target[:, None]).abs().mean(1)
    ranks = torch.arange(1 - count, count, 2, dtype=members.dtype, device=members.device)
    ordered = members.sort(dim=1).values.movedim(1, -1)
    # No matrix product, which would be in bfloat16 where networks are.
    return error - (count - 1 + alpha) / (count**2 * (count - 1)) * (ordered * ranks).sum(-1)
