"""The contract between a task and an emulator.

An emulator is any object with the methods of `Emulator`; subclassing is a convenience that brings the defaults. Before
any number is computed, task and emulator shake hands on variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import xarray as xr

from climbench.errors import ModelError, did_you_mean


@runtime_checkable
class Emulator(Protocol):
    """What a task asks of an emulator.

    Attributes
    ----------
    inputs : tuple of str or None
        The forcings it uses; None for all the task offers. Maps it does not name need not lie on its grid.
    training_variables : tuple of str
        Climate variables it must see in training whether or not they are targets.
    history : int
        How many years of inputs before the first predicted year it needs.
    zero_by_design : bool
        Whether a prediction of zeros is meant, not a fault.
    ensemble : bool
        Whether it emulates the distribution: `predict` then gives as many members as it is asked for.

    Notes
    -----
    Two further methods and attributes are used where an emulator has them. ``choose(folds, *, seed)`` is called before
    `fit` with pairs of training and validation data (mappings as in `fit`), never with the test scenario, to settle
    such things as the number of epochs. Validation years whose targets are NaN are history: only their inputs count.
    ``chosen``, plain content that JSON can hold, then says what was chosen and goes into the record. ``as_published``
    is set to whether the task is run as its original was, quirks included. ``progress``, a
    `climbench.progress.Progress`, is set to that of the run.
    """

    inputs: ClassVar[tuple[str, ...] | None] = None
    training_variables: ClassVar[tuple[str, ...]] = ()
    history: ClassVar[int] = 0
    zero_by_design: ClassVar[bool] = False
    ensemble: ClassVar[bool] = False

    def fit(
        self, train: Mapping[str, xr.Dataset], validation: Mapping[str, xr.Dataset] | None = None, *, seed: int
    ) -> None:
        """Learn from scenarios.

        Parameters
        ----------
        train : mapping of str to Dataset
            One data set a scenario, of any length: inputs of shape (time,) or (time, latitude, longitude) and
            targets of shape (time, latitude, longitude), members averaged.
        validation : mapping of str to Dataset, optional
            The same for scenarios held out to choose settings by.
        seed : int
            The seed of everything random.
        """
        ...

    def predict(self, inputs: xr.Dataset, *, members: int = 1, seed: int) -> xr.Dataset:
        """Return the climate for given inputs.

        Parameters
        ----------
        inputs : Dataset
            Inputs of shape (time,) or (time, latitude, longitude), up to `history` years longer than what is tested.
        members : int
            How many members to give where the emulator is an ensemble.
        seed : int
            The seed of everything random.

        Returns
        -------
        Dataset
            All targets, of shape (time, latitude, longitude) or (member, time, latitude, longitude), in the units
            they were trained in. Years of history may be among them; they are not scored.
        """
        ...

    def save(self, directory: Path) -> None:
        """Write the fitted emulator into a folder, without pickle."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Emulator:
        """Return the emulator that `save` wrote into a folder."""
        ...


@runtime_checkable
class Reference(Protocol):
    """A row made from the target itself, scored leave-one-out: no emulator."""

    def leave_one_out(self, target: xr.Dataset) -> xr.Dataset:
        """Return one prediction for each member of the target, from that member alone.

        Parameters
        ----------
        target : Dataset of shape (member, time, latitude, longitude)
            The members of the test scenario.

        Returns
        -------
        Dataset
            Of the same shape; each member is scored against the mean of the others.
        """
        ...


def handshake(emulator: Emulator, name: str, *, offered: Sequence[str], trainable: Sequence[str]) -> tuple[str, ...]:
    """Check that a task can feed an emulator, and return the inputs it will be given.

    Parameters
    ----------
    emulator : Emulator
        The emulator.
    name : str
        What to call it in messages.
    offered : sequence of str
        Forcings the task offers.
    trainable : sequence of str
        Climate variables the data has for training.

    Returns
    -------
    tuple of str
        Names of forcings.

    Raises
    ------
    ModelError
        If it lacks the contract's methods, or wants what the task does not have.
    """
    if not all(callable(getattr(emulator, method, None)) for method in ("fit", "predict")):
        raise ModelError(
            f"'{name}' is no emulator: it must have the methods fit and predict (see climbench.models.base)."
        )
    wanted = getattr(emulator, "inputs", None)
    inputs = tuple(offered if wanted is None else wanted)
    for kind, asked, there in (
        ("input", inputs, offered),
        ("training variable", tuple(getattr(emulator, "training_variables", ())), trainable),
    ):
        for variable in asked:
            if variable not in there:
                raise ModelError(
                    f"'{name}' needs the {kind} '{variable}', which the task does not offer. "
                    f"{did_you_mean(variable, there)}"
                )
    return inputs
