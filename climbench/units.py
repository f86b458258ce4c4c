"""Unit conversion: pint with CF spelling, and the conversions that depend on what a variable is.

Liquid water of 1 kg m-2 is 1 mm deep; a geopotential height in metres times standard gravity is a geopotential; an
amount of water or energy over the hours it was accumulated in is a rate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from climbench.constants import GRAVITY, WATER_DENSITY
from climbench.errors import DataError

if TYPE_CHECKING:
    import pint

_POWER = re.compile(r"(?<=[A-Za-z])\^?([-+]?\d+)(?![\w.])")
_SPELLING = {
    "": "dimensionless",
    "1": "dimensionless",
    "(0 - 1)": "dimensionless",
    "unitless": "dimensionless",
    "degC": "degC",
    "K": "kelvin",
    "%": "percent",
    "gpm": "m",
    "geopotential meter": "m",
    "millibars": "millibar",
    "m of water equivalent": "m",
}
_CELSIUS = {"degc", "celsius", "degrees_celsius", "degree_celsius", "degrees celsius", "°c", "c"}


@dataclass(frozen=True)
class Conversion:
    """What turns values in one unit into another: value * factor + offset.

    Attributes
    ----------
    factor, offset : float
        The straight line.
    how : str
        What had to be assumed beyond the units, in words; empty where nothing was.
    """

    factor: float = 1.0
    offset: float = 0.0
    how: str = ""


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _parse(text: str, *, difference: bool) -> pint.Quantity[float]:
    """Return one of the unit as a quantity, after rewriting CF's ``kg m-2 s-1`` to pint's ``kg m**-2 s**-1``."""
    spelled = _SPELLING.get(text.strip(), text.strip())
    spelled = _POWER.sub(r"**\1", spelled)
    if spelled.lower() in _CELSIUS:
        spelled = "kelvin" if difference else "degC"
    try:
        return _registry().Quantity(1.0, spelled)
    except Exception as error:  # a file's text can trip pint's parser in any way, assertions included
        reason = str(error) or "no expression of units"
        raise DataError(
            f"The unit '{text}' is not understood ({reason}). Use CF spelling, such as 'kg m-2 s-1'."
        ) from None


def conversion(
    found: str, wanted: str, *, kind: str = "other", difference: bool = False, window: float | None = None
) -> Conversion:
    """Return what turns values in one unit into another.

    Parameters
    ----------
    found, wanted : str
        Units in CF spelling, for example ``"kg m-2 s-1"`` and ``"mm/day"``.
    kind : str
        What the variable is, as in the lexicon: ``"water"``, ``"geopotential"`` and ``"energy"`` allow the conversions
        named at the top of this module.
    difference : bool
        Whether values are differences or anomalies, for which 1 degree Celsius equals 1 kelvin.
    window : float, optional
        Hours that amounts are accumulated over.

    Returns
    -------
    Conversion
        For the example above and water, a factor of 86400.

    Raises
    ------
    DataError
        If a unit is not understood, the two measure different things, or an accumulation's window is not known.
    """
    if found == wanted:
        return Conversion()
    one, goal = _parse(found, difference=difference), _parse(wanted, difference=difference)
    if one.is_compatible_with(goal.units):
        low, high = (float((one.__class__(v, one.units)).to(goal.units).magnitude) for v in (0.0, 1.0))
        return Conversion(high - low, low)
    needs_window = False
    for candidate, how, accumulated in _readings(one, kind, window):
        if candidate is None:
            needs_window = needs_window or accumulated
        elif candidate.is_compatible_with(goal.units):
            return Conversion(float(candidate.to(goal.units).magnitude), 0.0, how)
    if needs_window and _is_rate_of(one, goal, kind):
        raise DataError(
            f"The unit '{found}' is an amount and '{wanted}' a rate: the hours it was accumulated over are not stated. "
            "Declare them on the card (window: 6)."
        )
    raise DataError(f"The unit '{found}' cannot be turned into '{wanted}': they measure different things.")


def _readings(
    one: pint.Quantity[float], kind: str, window: float | None
) -> list[tuple[pint.Quantity[float] | None, str, bool]]:
    """Return what a quantity may be read as besides itself, how, and whether a window goes into it."""
    quantity = _registry().Quantity
    bases = [one]
    if kind == "water":
        depth = quantity(WATER_DENSITY, "kg / m**3")
        bases += [one / depth, one * depth]
    if kind == "geopotential":
        gravity = quantity(GRAVITY, "m / s**2")
        return [
            (one * gravity, "height times 9.80665 m s-2", False),
            (one / gravity, "geopotential over 9.80665 m s-2", False),
        ]
    readings: list[tuple[pint.Quantity[float] | None, str, bool]] = [(base, "", False) for base in bases]
    if kind in ("water", "energy"):
        if window is None:
            return [*readings, (None, "", True)]
        hours = quantity(window, "hour")
        for base in bases:
            readings.append((base / hours, f"amounts of {window:g} h", True))
            readings.append((base * hours, f"rates over {window:g} h", True))
    return readings


def _is_rate_of(one: pint.Quantity[float], goal: pint.Quantity[float], kind: str) -> bool:
    """Return whether some window would do."""
    return any(c is not None and c.is_compatible_with(goal.units) for c, _, _ in _readings(one, kind, 1.0))


def is_amount(units: str, kind: str) -> bool:
    """Return whether a unit is an amount of water or energy on an area, as it accumulates in a window, and not a rate.

    Parameters
    ----------
    units : str
        In CF spelling.
    kind : str
        What the variable is, as in the lexicon; only water and energy accumulate.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If the unit is not understood.
    """
    amounts = {"water": ("m", "kg m-2"), "energy": ("J m-2",)}.get(kind, ())
    one = _parse(units, difference=False) if amounts else None
    return one is not None and any(one.is_compatible_with(_parse(a, difference=False).units) for a in amounts)
