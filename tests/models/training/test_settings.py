"""Training settings: the learning rate's course by hand, and settings that do not exist."""

from __future__ import annotations

import math

import pytest

from climbench.errors import ModelError
from climbench.models.training.settings import TrainingSettings, learning_rate_factor


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        ({"schedule": "exponential", "decay": 0.5}, {0: 1.0, 1: 0.5, 3: 0.125}),
        ({"schedule": "cosine", "epochs": 4}, {0: 1.0, 1: 0.5 + math.sqrt(0.125), 2: 0.5, 4: 0.0, 9: 0.0}),
        (
            {"schedule": "warmup-cosine", "warmup_steps": 3, "decay_steps": 7},
            {0: 0.25, 1: 0.5, 2: 0.75, 3: 1.0, 5: 0.5, 7: 0.0, 100: 0.0},
        ),
    ],
)
def test_the_learning_rates_course(settings, factors):
    made = TrainingSettings(**settings)
    for step, factor in factors.items():
        assert learning_rate_factor(made, step) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimiser": "adamm"}, r"optimiser='adamm' is not known\. Did you mean 'adam'"),
        ({"schedule": "cosin"}, r"schedule='cosin' is not known\. Did you mean 'cosine'"),
        ({"accelerator": "tpu"}, r"accelerator='tpu' is not known\. .*There is: auto, cpu, gpu"),
        ({"epochs": 0}, "epochs must be positive; it is 0"),
        ({"batch_size": -1}, "batch_size must be positive; it is -1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive; it is 0.0"),
        ({"threads": 0}, "threads must be positive; it is 0"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ModelError, match=message):
        TrainingSettings(**settings)
