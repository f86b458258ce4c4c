"""The loss of ensembles by harmonics and members worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from climbench.models.forecasting.ensemble_loss import Amplitudes, EnsembleLoss
from climbench.models.forecasting.ensemble_stage import EnsembleStage
from climbench.models.forecasting.settings import ForecastTraining
from climbench.models.forecasting.stepper import Stepper
from climbench.models.forecasting.training_state import TrainingState
from climbench.models.training.ranks import ALONE
from climbench.quadrature import quadrature

LATITUDE = quadrature("legendre-gauss", 8).latitude
CENTRES = np.arange(-86.25, 90.0, 7.5)


def harmonic(latitude=LATITUDE, columns=16, turned=0.0):
    """Cosine of latitude times cosine of longitude: degree and order 1, mean square 1/3."""
    longitude = 2 * np.pi * np.arange(columns) / columns
    field = np.cos(np.deg2rad(latitude))[:, None] * np.cos(longitude - turned)
    return torch.tensor(field, dtype=torch.float32)


def loss(**options):
    given = {"alpha": 1.0, "spectral": 0.1, "amplitudes": Amplitudes(LATITUDE, 16), **options}
    return EnsembleLoss(np.array([0.5]), np.array([1.0]), np.ones(8), **given)


def test_the_amplitude_of_a_harmonic():
    """Twice its square is the mean square: 1 / sqrt(6)."""
    found = Amplitudes(LATITUDE, 16)(3.0 * harmonic())
    assert float(found[1, 1]) == pytest.approx(3.0 / np.sqrt(6.0), rel=1e-5)
    assert float(found.sum()) == pytest.approx(3.0 / np.sqrt(6.0), rel=1e-3)


def test_amplitudes_of_a_grid_that_is_interpolated():
    found = Amplitudes(CENTRES, 48)(harmonic(CENTRES, 48))
    assert float(found[1, 1]) == pytest.approx(1.0 / np.sqrt(6.0), rel=0.01)


def test_the_spectral_term_of_one_harmonic():
    """Members 0 and 1 of a truth 3: 5/2 - 1/2 = 2, twice for both orders, over the size of the change."""
    members = torch.stack([0.0 * harmonic(), harmonic()])[None, :, None]
    truth = 3.0 * harmonic(turned=1.0)[None, None]
    whole, cells = (float(loss(spectral=spectral)(members, truth)) for spectral in (0.1, 0.0))
    assert whole - cells == pytest.approx(0.1 * 2.0 * 2.0 / np.sqrt(6.0) / 0.5, rel=1e-3)


def test_cells_weigh_by_area_and_channel():
    members = torch.zeros(1, 2, 2, 8, 16)
    truth = torch.zeros(1, 2, 8, 16)
    truth[0, 0, 0], truth[0, 1, 7] = 1.0, 2.0
    rows = np.linspace(0.3, 1.7, 8)
    made = EnsembleLoss(
        np.array([0.5, 0.1]), np.array([1.2, 0.8]), rows, alpha=1.0, spectral=0.0, amplitudes=Amplitudes(LATITUDE, 16)
    )
    # (1.2 / 0.5 * 0.3 * 1 + 0.8 / 0.1 * 1.7 * 2) of 2 channels and 8 rows
    assert float(made(members, truth)) == pytest.approx((0.72 + 27.2) / 16)


def test_epochs_are_judged_by_the_fair_score_of_cells_whatever_the_loss():
    class Known(Stepper):
        def rollout(self, states, seconds, steps, run=None):
            for _ in range(steps):
                yield torch.tensor([0.0, 1.0, 3.0]).repeat(2)[:, None, None, None].expand(-1, 1, 8, 16)

    unfair = loss(alpha=0.0, spectral=1.0)
    none = {"steps": 1, "epochs": 1, "length": 1, "state": TrainingState(), "folder": None, "told": print}
    stage = EnsembleStage(
        Known(torch.nn.Identity(), np.array([0.5]), 1.0), unfair, ForecastTraining(), members=3, **none
    )
    batch = {"states": torch.zeros(2, 1, 1, 8, 16), "time": torch.zeros(2), "ahead": torch.full((2, 2, 1, 8, 16), 2.0)}
    assert float(stage.judged(batch, 0)) == pytest.approx(1 / 3 / 0.5)
    assert float(stage.training_step(ALONE.share_of(batch), 0)) > 2 / 3 / 0.5
