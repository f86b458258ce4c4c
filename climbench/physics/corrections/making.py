"""Corrections by name, for the quantities that there are; what one lacks is said before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from climbench.errors import ModelError, did_you_mean
from climbench.physics.columns import Column
from climbench.physics.corrections.by_role import (
    CONVERGENCE,
    Correction,
    DryAir,
    Energy,
    Form,
    Hydrostatic,
    Moisture,
    NonNegative,
    Route,
)
from climbench.physics.corrections.chain import Chain
from climbench.physics.corrections.hydrostatic import projection_gain
from climbench.physics.diagnosis import FIELDS, way_to
from climbench.physics.quantities import wanted_names

CLIPPED = ("humidity", "precipitation", "frozen_precipitation")
TUNED = ("geopotential", "temperature", "humidity")


@dataclass(frozen=True, eq=False)
class Balance:
    """What the truth has of hydrostatic balance, for the projection.

    Attributes
    ----------
    pressure : ndarray of shape (level,)
        In Pa, from the top down.
    geopotential_scale, temperature_scale : ndarray of shape (level,)
        Standard deviations, in m2 s-2 and K.
    mean_residual : ndarray of shape (level - 1, 1, 1) or (level - 1, latitude, longitude)
        In m2 s-2.
    """

    pressure: np.ndarray
    geopotential_scale: np.ndarray
    temperature_scale: np.ndarray
    mean_residual: np.ndarray


@dataclass(frozen=True, eq=False)
class Given:
    """What corrections are made for.

    Attributes
    ----------
    roles : collection of str
        The quantities there are.
    column : Column or None
        The vertical coordinate, where there is one.
    form : {"credit", "ace"}
        Whose formulas.
    levels : int or None
        How many of the lower levels CREDIT's ratio of dry air may change on pressure levels; half of them where None.
    straight : bool
        Whether gradients go through what is clipped.
    balance : Balance or None
        For the projection.
    strength : float
        Of the projection.
    """

    roles: Collection[str]
    column: Column | None
    form: Form = "credit"
    levels: int | None = None
    straight: bool = False
    balance: Balance | None = None
    strength: float = 1.0
    lacking: list[str] = field(default_factory=list)

    def way(self, name: str) -> Route | None:
        """Return the way to a field, or note what lacks."""
        way, lacking = way_to(name, self.roles, self.column)
        self.lacking.extend(lacking)
        return None if way is None else Route(name, FIELDS[name].ways.index(way))

    def needs(self, *roles: str) -> bool:
        """Return whether all are there, or note those that lack."""
        absent = [role for role in roles if role not in self.roles]
        self.lacking.extend(wanted_names(role) for role in absent)
        return not absent


def _positivity(given: Given) -> Correction | None:
    there = tuple(role for role in CLIPPED if role in given.roles)
    if not there:
        given.lacking.append(f"any of {', '.join(wanted_names(role) for role in CLIPPED)}")
        return None
    return NonNegative(there, straight=given.straight)


def _dry_air(given: Given) -> Correction | None:
    way = given.way("dry_air" if given.form == "credit" else "dry_air_pressure")
    if way is None or given.column is None:
        return None
    levels = given.levels if given.levels is not None else (given.column.levels + 1) // 2
    if given.form == "ace" and not given.column.needs_surface_pressure:
        given.lacking.append("layers whose thickness depends on surface pressure, for ACE's form (form: credit serves)")
        return None
    if not 1 <= levels <= given.column.levels:
        raise ModelError(
            f"Dry air is to be mended on the lower {levels} of {given.column.levels} levels. Choose 1 to "
            f"{given.column.levels}."
        )
    return DryAir(given.form, way, None if given.column.needs_surface_pressure else levels)


def _moisture(given: Given) -> Correction | None:
    way, fluxes = given.way("water"), given.needs("precipitation", "evaporation")
    if way is None or not fluxes:
        return None
    return Moisture(way, columnwise=given.form == "ace" and CONVERGENCE in given.roles)


def _energy(given: Given) -> Correction | None:
    motion = given.form == "credit" and {"eastward", "northward"} <= set(given.roles)
    still = "energy_credit_without_motion" if given.form == "credit" else "energy_ace"
    way, top, surface = (given.way(n) for n in ("energy_credit" if motion else still, "toa_net", "surface_net"))
    if way is None or top is None or surface is None:
        return None
    return Energy(given.form, way, top, surface, motion)


def _hydrostatic(given: Given) -> Correction | None:
    there = given.needs(*TUNED)
    if given.balance is None:
        given.lacking.append("pressure levels, and the truth's own residual on them")
    if given.balance is None or not there:
        return None
    balance = given.balance
    gain = projection_gain(balance.pressure, balance.geopotential_scale, balance.temperature_scale)
    return Hydrostatic(balance.pressure, gain, balance.mean_residual, given.strength)


# In the order they act in. The projection comes before the budgets, which therefore close to round-off; what they
# change of temperature is far less than what it does.
CORRECTIONS: dict[str, Callable[[Given], Correction | None]] = {
    "positivity": _positivity,
    "hydrostatic": _hydrostatic,
    "dry_air": _dry_air,
    "moisture": _moisture,
    "energy": _energy,
}


def make_corrections(names: Collection[str], given: Given) -> Chain:
    """Return corrections in the order they act in, whatever the order of the names.

    Parameters
    ----------
    names : collection of str
        Some of `CORRECTIONS`.
    given : Given
        What they are made for.

    Raises
    ------
    ModelError
        If there is no such correction or form, or quantities lack: all of them are named.
    """
    for name in names:
        if name not in CORRECTIONS:
            raise ModelError(f"There is no corrector '{name}'. {did_you_mean(name, CORRECTIONS)}")
    if given.form not in get_args(Form):
        raise ModelError(f"There is no form '{given.form}' of correctors. {did_you_mean(given.form, get_args(Form))}")
    made = {name: make(given) for name, make in CORRECTIONS.items() if name in names}
    if given.lacking:
        lacking = "; ".join(dict.fromkeys(given.lacking))
        unmade = [name for name, correction in made.items() if correction is None]
        raise ModelError(
            f"The corrector{'s' * (len(unmade) > 1)} {', '.join(unmade)} cannot act here. Missing: {lacking}. Add "
            f"{'these' if ';' in lacking else 'this'} to the data and the targets, or leave the corrector out."
        )
    return Chain({name: part for name, part in made.items() if part is not None}, given.column)
