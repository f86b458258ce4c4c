"""Lightning's trainer as climbench runs it: reproducible, quiet, on one device a rank, and open to interruption."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer

from climbench.models.training.ranks import ALONE, Rank
from climbench.models.training.settings import Accelerator

# What Lightning says of things that are meant here: batches are in memory, so that no workers are wanted, and not every
# training has validation data. Version 2.6 also makes leaves of trees in a way that torch 2.14 calls outdated.
EXPECTED_WARNINGS = (
    ".*does not have many workers.*",
    ".*but have no `val_dataloader`.*",
    ".*GPU available but not used.*",
    ".*LeafSpec.*is deprecated.*",
)

ONE_AT_A_TIME = threading.RLock()


def device_kind(accelerator: Accelerator) -> str:
    """Return ``"gpu"`` or ``"cpu"``; Apple's devices are passed over, as they lack complex numbers and float64."""
    if accelerator == "auto":
        return "gpu" if torch.cuda.is_available() else "cpu"
    return accelerator


def run_trainer(
    module: LightningModule, loader: Any, validation: Any = None, *, rank: Rank = ALONE, **options: Any
) -> None:
    """Run Lightning's trainer on one device a rank, without any of its files, prints and progress bars.

    Parameters
    ----------
    module : LightningModule
        What is trained.
    loader, validation : iterable
        Batches.
    rank : Rank
        Which of the processes that train the module this is; they are connected (`rank_processes`).
    **options
        Of Lightning's trainer.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; Lightning alone would end the process.
    """
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        with _quietly():
            trainer = Trainer(
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
                deterministic="warn",
                **rank.trainer_options(options.get("accelerator", "auto")),
                **options,
            )
            trainer.fit(module, loader, validation)
    except SystemExit as error:
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, interrupt)
        raise KeyboardInterrupt from None


@contextmanager
def reproducible(seed: int, threads: int | None = 1) -> Iterator[None]:
    """Seed torch and settle its threads; leave its own state as it was found.

    Sums over threads depend on how many there are, so that the same bytes need the same number. Torch's seed is that of
    the whole process: Python's threads that train at the same time wait for one another.

    Parameters
    ----------
    seed : int
        Of everything that torch draws.
    threads : int or None
        Torch's, at most one for each core this process may use; None takes all of them.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with ONE_AT_A_TIME, torch.random.fork_rng(devices):
        before, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
        kernels: Any = torch.utils.deterministic  # its switch is not in the stubs
        filled = kernels.fill_uninitialized_memory
        torch.manual_seed(seed)
        torch.set_num_threads(min(threads or cores(), cores()))
        # Of use only to find faults in kernels, and slow.
        kernels.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.set_num_threads(before)
            kernels.fill_uninitialized_memory = filled
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def seed_of(seed: int, network: str) -> int:
    """Return the seed of one of several networks: the same whatever others there are."""
    return int(np.random.SeedSequence([seed, zlib.crc32(network.encode())]).generate_state(1)[0])


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _quietly() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
