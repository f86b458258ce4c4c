"""What a reader is: it finds the parts of one layout and gives each, through the door, as a canonical Dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from climbench.cards import DatasetCard, find_dataset
from climbench.data.canonical import CHANGES, canonical, split_levels, with_units
from climbench.data.sanity import declared, verify
from climbench.data.stores import Chunks, is_url
from climbench.errors import DataError, did_you_mean
from climbench.variables import LEXICON, known_name


class Reader(ABC):
    """Reads one layout.

    A subclass says which places have its layout (`recognises`), which parts are there (`parts`), and opens one of them
    as it is (`raw`); everything else is the same for all.

    Parameters
    ----------
    place : str or Path
        A file, folder or store: a local path or any fsspec URL.
    card : DatasetCard, optional
        Declares units and what files leave open; the card of the layout's own data set without, where it has one.
    chunks : None, "auto" or mapping
        None reads without dask where the layout allows it; ``{}`` keeps a store's own chunks.
    storage_options : mapping, optional
        Passed to fsspec.
    """

    layout: ClassVar[str]
    own_card: ClassVar[str | None] = None

    def __init__(
        self,
        place: str | Path,
        card: DatasetCard | None = None,
        *,
        chunks: Chunks = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.place = place if is_url(place) else Path(place)
        self.card = find_dataset(self.own_card) if card is None and self.own_card is not None else card
        self.chunks = chunks
        self.storage_options = storage_options

    @classmethod
    @abstractmethod
    def recognises(cls, place: str | Path) -> bool:
        """Return whether a place has this layout, from its names and metadata alone."""

    @abstractmethod
    def parts(self) -> list[str]:
        """Return the names of what can be opened; one part is what shares its coordinates."""

    @abstractmethod
    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return one part as it is stored, lazily; `variables` may narrow what is opened."""

    def expected(self, part: str) -> list[str]:
        """Return the variables that a part must have by its layout and card; none where that is not known."""
        return []

    def open(self, part: str | None = None, variables: Sequence[str] | None = None, *, look: bool = True) -> xr.Dataset:
        """Return one part in canonical form and known units, lazily.

        Parameters
        ----------
        part : str, optional
            One of `parts`; may be left out where there is one.
        variables : sequence of str, optional
            Which; all without.
        look : bool
            Whether to read a little of each variable, and refuse what cannot be true.

        Returns
        -------
        Dataset
            Of dimensions among (member, init_time, lead_time, time, level, latitude, longitude). The attribute
            ``climbench_changes`` lists what the door changed.

        Raises
        ------
        DataError
            If there is no such part or variable, or something in it is in doubt.
        """
        part = self._chosen(part)
        where, card = self.describe(part), self.card_for(part)
        wanted = [known_name(v) for v in variables or ()]  # an alias asks for what it stands for
        data, notes = canonical(self.raw(part, variables), where, card, wanted=wanted)
        data = split_levels(data, where, notes)
        data = self._select(data, variables, where)
        data = in_known_units(data, where, card, notes, self.windows(data, where, card))
        if look:
            verify(data, where, card, notes)
        return data.assign_attrs({CHANGES: list(dict.fromkeys([*data.attrs.get(CHANGES, []), *notes]))})

    def windows(self, data: xr.Dataset, where: str, card: DatasetCard | None) -> Mapping[str, float]:
        """Return the hours that variables are accumulated over, where the layout itself tells them."""
        return {}

    def card_for(self, part: str) -> DatasetCard | None:
        """Return the card that holds for a part."""
        return self.card

    def describe(self, part: str) -> str:
        """Return what to call a part in messages."""
        name = str(self.place).rstrip("/").rpartition("/")[2]
        return f"{name}: {part}" if part and part != name else name

    def _chosen(self, part: str | None) -> str:
        parts = self.parts()
        if part is None and len(parts) == 1:
            return parts[0]
        if part is None or part not in parts:
            asked = "name one of its parts" if part is None else f"it has no part '{part}'"
            raise DataError(f"{self.place}: {asked}. {did_you_mean(part or '', parts)}")
        return part

    @staticmethod
    def _select(data: xr.Dataset, variables: Sequence[str] | None, where: str) -> xr.Dataset:
        if variables is None:
            return data
        there = [str(v) for v in data.data_vars]
        names = [known_name(v, there) for v in variables]
        for name in names:
            if name not in there:
                raise DataError(f"{where} has no variable '{name}'. {did_you_mean(name, there)}")
        return data[names]


def in_known_units(
    data: xr.Dataset, where: str, card: DatasetCard | None, notes: list[str], windows: Mapping[str, float] | None = None
) -> xr.Dataset:
    """Return variables in the units of the card, or else of the lexicon; variables neither knows pass as they are.

    Parameters
    ----------
    data : Dataset
        Canonical.
    where : str
        What to call it in messages.
    card : DatasetCard, optional
        Its units, stored units, windows and anomalies are taken.
    notes : list of str
        Takes a line on each assumption.
    windows : mapping of str to float, optional
        Hours that variables are accumulated over where the card does not say.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If a known variable has no unit, or one that cannot be converted.
    """
    entries = declared(card, [str(v) for v in data.data_vars])
    converted = {}
    for name in map(str, data.data_vars):
        array, entry = data[name], entries.get(name)
        known = LEXICON.get(name)
        if entry is None and known is None:
            continue
        wanted = entry.units if entry is not None else known.units if known is not None else ""
        if entry is not None and entry.stored_units is not None:
            stated = array.attrs.get("units")
            if stated not in (None, entry.stored_units):
                notes.append(f"{where}: {name} says '{stated}'; '{entry.stored_units}' as its card declares")
            array = array.assign_attrs(units=entry.stored_units)
        if entry is None and "units" not in array.attrs:
            raise DataError(
                f"{where}: {name} has no 'units' attribute. Write one into the file, such as units='{wanted}', or name "
                f"a card that declares it (variables: {name}: {{units: {wanted}, stored_units: ...}})."
            )
        window = (windows or {}).get(name, known.window if known is not None else None)
        window = entry.window if entry is not None and entry.window else window
        converted[name], said = with_units(
            array,
            wanted,
            assumed=wanted,
            where=f"{where}: {name}",
            difference=entry is not None and entry.anomaly,
            window=window,
        )
        notes += said
    return data.assign(converted)
