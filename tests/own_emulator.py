"""An emulator as a user writes one, in a file of its own; it counts its fits, and tests put their faults into it."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
"""Scales the mean map with cumulative CO2: on the synthetic files nearly the forced response."""

import os, sys, time
from pathlib import Path

import numpy as np
import xarray as xr


class {name}:
    inputs = ("CO2",)
    parameters = 48

    def __init__(self):
        {init}

    def fit(self, train, validation=None, *, seed):
        with Path(__file__).with_name("{name}.fits").open("a") as log:
            log.write(f"{{seed}}\\n")
        joined = xr.concat(train.values(), "time")
        maps = [n for n in joined if "latitude" in joined[n].dims]
        self.ratio = joined[maps].mean("time") / joined["CO2"].mean("time")
        {fit}

    def predict(self, inputs, *, members=1, seed):
        made = self.ratio * inputs["CO2"]
        {predict}
        return made

    def save(self, directory):
        {save}
'''


def write(folder: Path, name: str = "Mine", *, init="pass", fit="pass", predict="pass", save="pass") -> str:
    """Write the emulator's file and return what names it: ``FILE.py:CLASS``."""
    path = folder / f"{name}.py"
    path.write_text(SOURCE.format(name=name, init=init, fit=fit, predict=predict, save=save))
    return f"{path}:{name}"


def fits(named: str) -> list[int]:
    """Return the seeds of the fits so far."""
    log = Path(named.rpartition(":")[0]).with_suffix(".fits")
    return [int(seed) for seed in log.read_text().split()] if log.exists() else []
