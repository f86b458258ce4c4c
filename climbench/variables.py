"""The lexicon: the variables the suite knows, by the names their community uses, with units, meaning and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["temperature", "water", "forcing"]


@dataclass(frozen=True)
class Variable:
    """One physical variable.

    Attributes
    ----------
    name : str
        The name used throughout the suite.
    long_name : str
        The name in words.
    units : str
        The unit it is scored and shown in.
    kind : {"temperature", "water", "forcing"}
        What it is: decides colour maps, and whether millimetres count as kg m-2.
    standard_name : str or None
        The CF standard name, where there is one.
    aliases : tuple of str
        Other names met in files.
    """

    name: str
    long_name: str
    units: str
    kind: Kind
    standard_name: str | None = None
    aliases: tuple[str, ...] = ()


LEXICON: dict[str, Variable] = {
    v.name: v
    for v in (
        Variable(
            "tas", "near-surface air temperature", "K", "temperature", "air_temperature", ("t2m", "2m_temperature")
        ),
        Variable("diurnal_temperature_range", "diurnal temperature range", "K", "temperature", None, ("dtr", "DTR")),
        Variable("pr", "precipitation", "mm/day", "water", "precipitation_flux"),
        Variable("pr90", "90th percentile of daily precipitation", "mm/day", "water"),
        Variable("CO2", "cumulative anthropogenic carbon dioxide emissions", "GtCO2", "forcing"),
        Variable("CH4", "anthropogenic methane emissions", "GtCH4/year", "forcing"),
        Variable("SO2", "anthropogenic sulfur dioxide emissions", "kg m-2 s-1", "forcing"),
        Variable("BC", "anthropogenic black carbon emissions", "kg m-2 s-1", "forcing"),
    )
}

_BY_ALIAS = {alias: v.name for v in LEXICON.values() for alias in v.aliases}


def known_name(name: str) -> str:
    """Return the suite's name for a variable as a file calls it; names it does not know pass unchanged.

    Parameters
    ----------
    name : str
        A name found in a file.

    Returns
    -------
    str
        For example ``"diurnal_temperature_range"`` for ``"dtr"``.
    """
    return _BY_ALIAS.get(name, name)


def is_water(name: str) -> bool:
    """Return whether a variable is an amount or flux of liquid water."""
    return name in LEXICON and LEXICON[name].kind == "water"
