"""Several simulated Earth system models side by side: mini-esm's world with other parameters, one folder a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from climbench.worlds.mini_esm import EXPERIMENTS, VARIABLES, MiniESM
from climbench.worlds.parameters import MODELS


class MiniESMModels:
    """The simulated models of `climbench.worlds.parameters.MODELS`, each in a folder of its own name.

    Parameters
    ----------
    models : sequence of str
        Which; all without.
    experiments, variables : sequence of str
        What is written of each.

    Raises
    ------
    DataError
        If there is no such model, experiment or variable.
    """

    name: ClassVar[str] = "mini-esm-models"
    version: ClassVar[str] = MiniESM.version

    def __init__(
        self,
        models: Sequence[str] = tuple(MODELS),
        experiments: Sequence[str] = EXPERIMENTS,
        variables: Sequence[str] = tuple(VARIABLES),
    ) -> None:
        self.worlds = [MiniESM(model, experiments, variables) for model in models]

    def write(
        self, directory: Path, *, members: int = 1, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write ``{model}/inputs_{experiment}.nc`` and ``{model}/outputs_{experiment}.nc``, each with its mark.

        Parameters
        ----------
        directory : Path
            An existing folder.
        members : int
            Members of each experiment.
        seed : int
            The worlds' seed; models differ in their internal variability all the same.
        progress : callable, optional
            Called with models written and models in all.
        """
        for done, world in enumerate(self.worlds):
            folder = directory / world.model
            folder.mkdir()
            world.write(folder, members=members, seed=seed)
            if progress is not None:
                progress(done + 1, len(self.worlds))
