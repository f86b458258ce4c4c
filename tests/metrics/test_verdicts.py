"""Verdicts: which side of a difference is good, ties, and false discoveries against scipy and by hand."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control, norm

from climbench.metrics.verdicts import benjamini_hochberg, verdicts


def test_adjusted_by_hand():
    # Ascending: 0.005 * 4/1, 0.01 * 4/2, 0.03 * 4/3, 0.04 * 4/4
    found = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.02, 0.04, 0.04, 0.02], rtol=1e-12)


def test_adjusted_as_scipy_does():
    p = np.random.default_rng(0).random((4, 25)) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p.ravel()).reshape(4, 25), rtol=1e-12)


def test_tests_without_a_p_value_are_not_of_the_family():
    found = benjamini_hochberg(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(found, [0.02, np.nan, 0.04], rtol=1e-12)


def test_no_tests_at_all():
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()


def test_false_discoveries_stay_below_the_level():
    rng = np.random.default_rng(0)
    real = np.arange(200) < 40
    shares = []
    for _ in range(200):
        p = 2.0 * norm.sf(np.abs(rng.standard_normal(200) + 3.0 * real))
        found = benjamini_hochberg(p) <= 0.05
        shares.append((found & ~real).sum() / max(found.sum(), 1))
    assert np.mean(shares) < 0.05


def test_low_scores_are_good_unless_high_ones_are():
    difference, p = np.array([-1.0, 1.0, -1.0, 0.0, 1.0]), np.array([0.01, 0.01, 0.06, 0.0, np.nan])
    assert verdicts(difference, p).tolist() == ["better", "worse", "tie", "tie", ""]
    assert verdicts(difference, p, best="high").tolist() == ["worse", "better", "tie", "tie", ""]


def test_the_level_is_chosen():
    assert verdicts(np.array([-1.0]), np.array([0.03]), level=0.01).tolist() == ["tie"]
