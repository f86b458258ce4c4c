"""One climate model of a CMIP archive as emulators are trained on it: annual changes, with forcings from elsewhere.

The archive may be Pangeo's in the cloud: nothing is copied, and nothing but the reference is read before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np
import xarray as xr

from climbench.data.canonical import CHANGES
from climbench.data.readers.annual import annual_means
from climbench.data.readers.cmip import CmipReader
from climbench.data.readers.scenarios import AbsoluteScenarios, members_joined
from climbench.errors import DataError, did_you_mean

Forcings = Callable[[str, Sequence[str]], xr.Dataset]


class CmipScenarios(AbsoluteScenarios):
    """The experiments of one climate model.

    Parameters
    ----------
    reader : CmipReader
        Of a catalogue or folder, narrowed to one model, a table of monthly means and a grid (`CmipReader.select`).
    forcings : callable
        Gives the inputs of an experiment, such as the method ``inputs`` of a `ClimateBenchReader`: of experiment and
        names, a data set of shape (time,) or (time, latitude, longitude) with ``time`` in integer years.

    Raises
    ------
    DataError
        If the reader is of several models, tables or grids.

    Examples
    --------
    >>> reader = PangeoReader("https://storage.googleapis.com/cmip6/pangeo-cmip6.csv")  # doctest: +SKIP
    >>> reader = reader.select(source_id="NorESM2-LM", table_id="Amon", grid_label="gn")  # doctest: +SKIP
    >>> model = CmipScenarios(reader, ClimateBenchReader("ClimateBench").inputs)  # doctest: +SKIP
    >>> train = model.scenarios(["historical", "ssp126", "ssp585"], ["tas", "pr"], ["CO2"])  # doctest: +SKIP
    >>> LPSLightning().fit(train, seed=0)  # doctest: +SKIP
    """

    def __init__(self, reader: CmipReader, forcings: Forcings) -> None:
        super().__init__()
        self.reader, self.inputs = copy(reader), forcings
        self.reader.chunks = {} if reader.chunks is None else reader.chunks
        for facet in ("source_id", "table_id", "grid_label"):
            there = sorted(reader.catalogue[facet].unique())
            if len(there) > 1:
                raise DataError(f"{reader.place} has several {facet}: {', '.join(there[:20])}. Choose one with select.")

    def experiments(self, part: str) -> list[str]:
        """Return the experiments the archive has outputs of."""
        return sorted(self.reader.catalogue["experiment_id"].unique())

    def absolute(self, experiment: str, variables: Sequence[str]) -> xr.Dataset:
        """Return annual means of shape (member, time, latitude, longitude), lazily; months count by their lengths."""
        chosen = self.reader.select(experiment_id=experiment)
        members = sorted(chosen.catalogue["member_id"].unique())
        annual = []
        for member in members:
            months = chosen.select(member_id=member).open(variables=variables, look=False)
            for note in months.attrs.get(CHANGES, ()):
                self.add_note(note)
            annual.append(annual_means(months, f"{experiment} {member}"))
        return members_joined(annual, members, experiment)

    def scenarios(
        self, experiments: Sequence[str], variables: Sequence[str], inputs: Sequence[str]
    ) -> dict[str, xr.Dataset]:
        """Return experiments as `Emulator.fit` takes them, lazily.

        Parameters
        ----------
        experiments : sequence of str
            Such as ``["historical", "ssp126"]``.
        variables : sequence of str
            Of the climate.
        inputs : sequence of str
            Of the forcings.

        Returns
        -------
        dict of str to Dataset
            Changes of shape (member, time, latitude, longitude), and inputs of the same years.

        Raises
        ------
        DataError
            If an experiment or variable is not there, or forcings lack a year of the climate.
        """
        return {name: self._scenario(name, variables, inputs) for name in experiments}

    def _scenario(self, name: str, variables: Sequence[str], inputs: Sequence[str]) -> xr.Dataset:
        climate, forcing = self.outputs(name, variables), self.inputs(name, inputs)
        for wanted in inputs:
            if wanted not in forcing:
                raise DataError(f"The forcings of {name} lack '{wanted}'. {did_you_mean(wanted, map(str, forcing))}")
        years = climate["time"].values
        lacking = np.setdiff1d(years, forcing["time"].values)
        if lacking.size:
            raise DataError(f"{name}: the forcings lack {lacking.size} years of the climate, first {lacking[0]}.")
        return climate.assign({v: forcing[v].sel(time=years) for v in inputs})
