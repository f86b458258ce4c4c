"""Unit conversion: pint, with CF spelling; liquid water is 1 kg m-2 a millimetre where a variable is water."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from climbench.errors import DataError

if TYPE_CHECKING:
    import pint

_POWER = re.compile(r"(?<=[A-Za-z])\^?([-+]?\d+)(?![\w.])")
_SPELLING = {"": "dimensionless", "1": "dimensionless", "degC": "degC", "K": "kelvin", "%": "percent"}


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _parse(text: str, *, difference: bool) -> pint.Quantity[float]:
    """Return one of the unit as a quantity, after rewriting CF's ``kg m-2 s-1`` to pint's ``kg m**-2 s**-1``."""
    spelled = _SPELLING.get(text.strip(), text.strip())
    spelled = _POWER.sub(r"**\1", spelled)
    if difference and spelled.lower() in {"degc", "celsius", "degrees_celsius", "degree_celsius", "°c", "c"}:
        spelled = "kelvin"
    try:
        return _registry().Quantity(1.0, spelled)
    except Exception as error:  # a file's text can trip pint's parser in any way, assertions included
        reason = str(error) or "no expression of units"
        raise DataError(
            f"The unit '{text}' is not understood ({reason}). Use CF spelling, such as 'kg m-2 s-1'."
        ) from None


def conversion_factor(found: str, wanted: str, *, water: bool = False, difference: bool = True) -> float:
    """Return the factor that turns values in one unit into another.

    Parameters
    ----------
    found, wanted : str
        Units in CF spelling, for example ``"kg m-2 s-1"`` and ``"mm/day"``.
    water : bool
        Whether the quantity is liquid water, of which 1 kg m-2 is 1 mm deep (density 1000 kg m-3).
    difference : bool
        Whether values are differences or anomalies, for which 1 degree Celsius equals 1 kelvin.

    Returns
    -------
    float
        For the example above, 86400.

    Raises
    ------
    DataError
        If a unit is not understood, or the two measure different things.
    """
    if found == wanted:
        return 1.0
    one, goal = _parse(found, difference=difference), _parse(wanted, difference=difference)
    depth = 1000.0 * _registry().Quantity(1.0, "kg / m**3")
    candidates = [one, one / depth, one * depth] if water else [one]
    for candidate in candidates:
        if candidate.is_compatible_with(goal.units):
            return float(candidate.to(goal.units).magnitude)
    raise DataError(f"The unit '{found}' cannot be turned into '{wanted}': they measure different things.")
