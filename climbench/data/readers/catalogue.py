"""Readers of archives: many files or stores, chosen by facets such as model, experiment and member."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
import xarray as xr

from climbench.data.files import files_under
from climbench.data.readers.base import Reader
from climbench.data.readers.joining import join_in_time, side_by_side
from climbench.data.stores import open_store
from climbench.errors import DataError, did_you_mean
from climbench.variables import known_name

MANY = 50  # parts that a message lists


class CatalogueReader(Reader):
    """Reads an archive through a table of its files or stores.

    The files of one variable are joined in time; the variables of one part stand side by side.
    """

    facets: ClassVar[tuple[str, ...]]
    named_by: ClassVar[tuple[str, ...]]  # the facets that name a part, in order
    derived: ClassVar[tuple[str, ...]] = ()  # endings of further variables in a variable's file

    @abstractmethod
    def list_archive(self) -> pd.DataFrame:
        """Return one row for each file or store: a column for each facet, and ``place``, all of them text."""

    @cached_property
    def catalogue(self) -> pd.DataFrame:
        """What there is, one row for each file or store."""
        rows = self.list_archive()
        if rows.empty:
            raise DataError(f"{self.place} holds nothing in the layout '{self.layout}'. Name the folder that does.")
        return rows

    def select(self, **chosen: str | Sequence[str]) -> Self:
        """Return a reader of a part of the archive.

        Parameters
        ----------
        **chosen : str or sequence of str
            For each facet the value or values to keep, such as ``source_id="ACCESS-ESM1-5"``.

        Returns
        -------
        CatalogueReader
            Of the same kind.

        Raises
        ------
        DataError
            If there is no such facet, or no such value among what the facets before it left; the closest is offered.
        """
        rows = self.catalogue
        for facet, values in chosen.items():
            if facet not in self.facets:
                raise DataError(f"{self.place} cannot be chosen from by '{facet}'. {did_you_mean(facet, self.facets)}")
            wanted = [values] if isinstance(values, str) else list(values)
            there = sorted(rows[facet].unique())
            for value in wanted:
                if value not in there:
                    raise DataError(f"{self.place} has no {facet} '{value}'. {did_you_mean(value, there)}")
            rows = rows[rows[facet].isin(wanted)]
        narrowed = copy(self)
        narrowed.__dict__["catalogue"] = rows
        narrowed.__dict__.pop("_named", None)
        return narrowed

    @cached_property
    def _named(self) -> dict[str, tuple[str, ...]]:
        """The parts by name, and each one's values of the facets that name it."""
        rows = self.catalogue[list(self.named_by)].drop_duplicates()
        return {".".join(filter(None, row)): row for row in sorted(rows.itertuples(index=False, name=None))}

    def parts(self) -> list[str]:
        """Return the names of the parts: their facets joined by dots."""
        return list(self._named)

    def _chosen(self, part: str | None) -> str:
        if len(self._named) <= MANY or part in self._named:
            return super()._chosen(part)
        asked = "" if part is None else f", but no '{part}'"
        raise DataError(
            f"{self.place} has {len(self._named)} parts{asked}. Choose by facets (select): {', '.join(self.facets)}."
        )

    def raw(self, part: str, variables: Sequence[str] | None) -> xr.Dataset:
        """Return the variables of one part as they are stored, joined in time and set side by side."""
        where = self.describe(part)
        notes: list[str] = []
        rows = self.rows_of(part, notes)
        wanted = self._wanted(list(rows["variable_id"].unique()), variables, where)
        found = {v: self._variable(v, list(rows.loc[rows["variable_id"] == v, "place"]), part, notes) for v in wanted}
        data = side_by_side(found, where, notes)
        data.encoding["climbench_notes"] = list(dict.fromkeys(notes))
        if len(wanted) == 1:  # several stores have no one ledger
            data.encoding.update({k: v for k, v in found[wanted[0]].encoding.items() if k == "climbench_store"})
        return data

    def rows_of(self, part: str, notes: list[str]) -> pd.DataFrame:
        """Return the rows of the catalogue that make up a part; notes take what was left out."""
        rows = self.catalogue
        for facet, value in zip(self.named_by, self._named[part], strict=True):
            rows = rows[rows[facet] == value]
        return rows

    def _wanted(self, there: list[str], variables: Sequence[str] | None, where: str) -> list[str]:
        """Return the files' variables that hold those asked for."""
        if variables is None:
            return there
        holders = {name + ending: name for name in there for ending in ("", *self.derived)}
        asked = [known_name(v, [known_name(h, variables) for h in holders]) for v in variables]
        by_name = {known_name(h, variables): holder for h, holder in holders.items()}
        for name in asked:
            if name not in by_name:
                raise DataError(f"{where} has no variable '{name}'. {did_you_mean(name, by_name)}")
        return list(dict.fromkeys(by_name[name] for name in asked))

    def _variable(self, variable: str, places: Sequence[str], part: str, notes: list[str]) -> xr.Dataset:
        chunks = "auto" if self.chunks is None and len(places) > 1 else self.chunks
        card = self.card_for(part)
        empty = "error" if card is None else card.empty_chunks
        pieces = {}
        for place in places:
            data = open_store(place, chunks=chunks, empty_chunks=empty, storage_options=self.storage_options)
            notes += data.encoding["climbench_notes"]
            pieces[place] = self.piece(data, variable, place, notes)
        return join_in_time(_short(pieces), f"{self.describe(part)}: {variable}", card)

    def piece(self, data: xr.Dataset, variable: str, place: str, notes: list[str]) -> xr.Dataset:
        """Return what is wanted of an opened file: its variable and those derived from it, with their coordinates."""
        if variable not in data.data_vars:
            names = [str(v) for v in data.data_vars]
            raise DataError(
                f"{place} holds no variable '{variable}', as its name says. {did_you_mean(variable, names)}"
            )
        kept = data[[variable, *(variable + e for e in self.derived if variable + e in data.data_vars)]]
        kept.encoding = data.encoding
        return kept.drop_vars([c for c in kept.coords if not kept[c].dims])


def files_by_facets(
    place: str | Path,
    facets_of: Callable[[str], dict[str, str] | None],
    facets: Sequence[str],
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Return a table of the netCDF files below a folder.

    Parameters
    ----------
    place : str or Path
        The folder.
    facets_of : callable
        Gives a path's facets; None leaves the file out.
    facets : sequence of str
        The columns.
    storage_options : mapping, optional
        Passed to fsspec.

    Returns
    -------
    DataFrame
        One row for each file: its facets, and its path in the column ``place``.
    """
    paths = files_under(place, storage_options=storage_options)
    rows = [{**found, "place": path} for path in paths if (found := facets_of(path)) is not None]
    return pd.DataFrame(rows, columns=[*facets, "place"], dtype="str")


def _short(pieces: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return pieces by the names of their files, or by whole paths where names are shared."""
    names = [place.rstrip("/").rpartition("/")[2] for place in pieces]
    unique = len(set(names)) == len(names)
    return dict(zip(names, pieces.values(), strict=True)) if unique else pieces
