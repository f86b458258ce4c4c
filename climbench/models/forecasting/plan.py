"""What the stages of a training do, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from climbench.models.forecasting.settings import ForecastTraining


@dataclass(frozen=True)
class Plan:
    """What a stage does.

    Attributes
    ----------
    steps, epochs : int
        Steps of a roll-out that are learned from, and epochs.
    ahead : int
        How many states of the truth a sample has after its start.
    """

    steps: int
    epochs: int
    ahead: int


def plans(settings: ForecastTraining, *, longest: int = 1) -> list[Plan]:
    """Return a stage of single steps, and one of roll-outs where settings have it; steps may be several times longer.

    Parameters
    ----------
    settings : ForecastTraining
        How a network is trained.
    longest : int
        The longest step over that of the data.
    """
    stages = [(1, settings.epochs)]
    if settings.rollout_steps > 1 and settings.rollout_epochs:
        stages.append((settings.rollout_steps, settings.rollout_epochs))
    return [Plan(steps, epochs, steps * longest) for steps, epochs in stages]
