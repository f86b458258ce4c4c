r"""What p values say: better, worse or a tie; and how many of many verdicts can be trusted.

A scorecard holds hundreds of tests, of which one in twenty comes out at the 5 % level where nothing differs. Adjusted
p values, compared with a level q, keep the expected share of false ones among the verdicts given below q (Benjamini
and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x); that holds for independent tests and for tests that agree
with one another, as neighbouring leads and nested regions do (Benjamini and Yekutieli 2001,
doi:10.1214/aos/1013699998).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

TIE, BETTER, WORSE = "tie", "better", "worse"


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    r"""Return p values adjusted for all being looked at together.

    .. math:: \tilde p_{(i)} = \min_{j \ge i} \min(1, m\, p_{(j)} / j)

    Parameters
    ----------
    p : ndarray
        p values of any shape, m of them not NaN: one family.

    Returns
    -------
    ndarray
        Of the same shape, NaN where `p` is.
    """
    flat = np.asarray(p, "float64").ravel()
    adjusted = np.full(flat.shape, np.nan)
    order = np.argsort(flat)[: np.count_nonzero(~np.isnan(flat))]  # NaN sort last
    scaled = flat[order] * order.size / np.arange(1, order.size + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted.reshape(np.shape(p))


def verdicts(
    difference: np.ndarray, p: np.ndarray, *, best: Literal["low", "high"] = "low", level: float = 0.05
) -> np.ndarray:
    """Return what tests say of the first of two.

    Parameters
    ----------
    difference : ndarray
        Score less the other's score.
    p : ndarray
        Two-sided p values, or adjusted ones, of the same shape.
    best : {"low", "high"}
        Which scores are good.
    level : float
        The largest p value that counts.

    Returns
    -------
    ndarray of str
        ``better``, ``worse`` or ``tie``; empty where p is NaN.
    """
    sign = np.asarray(difference) * (1.0 if best == "low" else -1.0)
    decided = np.where(sign < 0.0, BETTER, WORSE)
    return np.where(np.isnan(p), "", np.where((np.asarray(p) <= level) & (sign != 0.0), decided, TIE))
