"""Scores a forecast store against a truth store, from the task's card to rows of the score table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from climbench.cards import DatasetCard, ForecastCard
from climbench.data.climatology import valid_positions
from climbench.errors import DataError, PredictionError
from climbench.grids import describe_grid, grid_offset
from climbench.land import land_fraction
from climbench.regions import find_region, region_weights
from climbench.tasks.forecast.binned_statistics import BinnedStatistic
from climbench.tasks.forecast.catalogue import find_statistic
from climbench.tasks.forecast.engine import Told, accumulate
from climbench.tasks.forecast.job import WEIGHT, Job, Sums
from climbench.tasks.forecast.map_statistics import MapStatistic
from climbench.tasks.forecast.matching import SAME_GRID, Match, match
from climbench.tasks.forecast.metrics import Metric
from climbench.tasks.forecast.physics_rows import PhysicsScores
from climbench.tasks.forecast.physics_scores import physics_wanted, score_physics
from climbench.tasks.forecast.plan import plan
from climbench.tasks.forecast.profiles import PROFILES, Profile, cell_area, cos_latitude
from climbench.tasks.forecast.reading import at_levels
from climbench.tasks.forecast.scorable import Scorable, check_card
from climbench.tasks.forecast.statistics import Statistic
from climbench.tasks.forecast.stores import Places
from climbench.tasks.forecast.targets import Target

if TYPE_CHECKING:
    from distributed import Client

GLOBE = "global"


@dataclass
class ForecastScores:
    """All scores of one forecast, and what they were made from.

    Attributes
    ----------
    rows : list of dict
        Rows of the score table, without the model's name.
    statistics : Dataset
        Area means of shape (init_time, lead_time, region), a variable ``TARGET.STATISTIC`` each.
    matched : Match
        What was scored.
    members : dict of str to int
        Members by target.
    notes : list of str
        What was left out, assumed or counted, and why scores are missing.
    impossible : dict of str to tuple of str
        By score of physics that cannot be had, what is missing.
    """

    rows: list[dict[str, Any]]
    statistics: xr.Dataset
    matched: Match
    members: dict[str, int]
    notes: list[str] = field(default_factory=list)
    impossible: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_physics(self, physics: PhysicsScores, wanted: Collection[str]) -> ForecastScores:
        """Return these scores with those of physics that are wanted."""
        rows = [row for row in physics.rows if row["metric"] in wanted]
        return replace(
            self,
            rows=[*self.rows, *rows],
            statistics=self.statistics.assign(physics.statistics),
            notes=[*self.notes, *(physics.notes if rows else ())],
            impossible={name: what for name, what in physics.impossible.items() if name in wanted},
        )


@dataclass(frozen=True)
class Forecasts:
    """A forecast opened beside its truth, ready to be scored under one profile or several.

    Attributes
    ----------
    card : ForecastCard
        What is scored, and how.
    dataset : DatasetCard
        Declares units, and which variables may have missing values.
    places : Places
        The stores.
    matched : Match
        What is scored.
    members : dict of str to int
        Members by target.
    """

    card: ForecastCard
    dataset: DatasetCard
    places: Places
    matched: Match
    members: dict[str, int]

    @classmethod
    def open(cls, card: ForecastCard, dataset: DatasetCard, places: Places) -> Forecasts:
        """Return a forecast matched with its truth.

        Raises
        ------
        ClimbenchError
            If a store cannot be opened, or they have nothing in common that the task scores.
        """
        check_card(card)
        forecast, truth = places.open("forecast"), places.open("truth")
        matched = match(card, forecast, truth)
        several = [str(v) for v in truth.data_vars if truth[v].sizes.get("member", 1) > 1]
        if several:
            raise PredictionError(f"The truth has several members of {several[0]}. Select one, or average over them.")
        members = {t.name: forecast[t.components[0]].sizes.get("member", 1) for t in matched.targets}
        return cls(card, dataset, places, matched, members)

    def score(
        self,
        profile: str | None = None,
        *,
        client: Client | None = None,
        threads: int | None = None,
        told: Told = lambda done, total: None,
    ) -> ForecastScores:
        """Return all scores.

        Parameters
        ----------
        profile : str, optional
            Whose conventions hold; the card's without.
        client : Client, optional
            Of a dask cluster that does the work.
        threads : int, optional
            Threads of this process; as many as cores without.
        told : callable
            Called with pieces done and pieces in all.

        Returns
        -------
        ForecastScores
        """
        name = profile or self.card.profile
        return self.score_by([name], client=client, threads=threads, told=told)[name]

    def score_by(
        self,
        profiles: Sequence[str],
        *,
        client: Client | None = None,
        threads: int | None = None,
        told: Told = lambda done, total: None,
    ) -> dict[str, ForecastScores]:
        """Return all scores under several profiles; those that weigh cells alike share one reading of the stores.

        Parameters
        ----------
        profiles : sequence of str
            Whose conventions hold.
        client, threads, told
            As for `score`.

        Returns
        -------
        dict of str to ForecastScores
            By profile.
        """
        found: dict[str, ForecastScores] = {}
        for names in self._weighing_alike(profiles):
            found |= self._score_alike(names, client, threads, told)
        wanted = {name: self.physics(name) for name in profiles}
        everything = tuple(dict.fromkeys(score for scores in wanted.values() for score in scores))
        if everything:
            fluid = self.dataset.fluid
            masked = self.card.nan == "mask"
            physics = score_physics(
                everything, self.places, self.matched, fluid, masked=masked, client=client, threads=threads
            )
            found = {n: part.with_physics(physics, wanted[n]) if wanted[n] else part for n, part in found.items()}
            for part in found.values():
                if not part.rows:
                    lacking = [f"{name} lacks {'; '.join(what)}" for name, what in part.impossible.items()]
                    raise PredictionError("\n  ".join(["Nothing can be scored:", *lacking]))
        return {name: found[name] for name in profiles}

    def physics(self, profile: str | None = None) -> tuple[str, ...]:
        """Return the scores of physics that are wanted."""
        return physics_wanted(self.card, profile or self.card.profile, self.dataset.fluid)

    def _weighing_alike(self, profiles: Sequence[str]) -> list[list[str]]:
        if len(profiles) == 1:
            return [list(profiles)]
        groups: list[tuple[np.ndarray, list[str]]] = []
        for name in profiles:
            regions, _ = self.weights(PROFILES[name])
            same = next((names for known, names in groups if np.allclose(known, regions, rtol=1e-12, atol=1e-14)), None)
            if same is None:
                groups.append((regions, [name]))
            else:
                same.append(name)
        return [names for _, names in groups]

    def _score_alike(
        self, profiles: Sequence[str], client: Client | None, threads: int | None, told: Told
    ) -> dict[str, ForecastScores]:
        scorable = {name: self.scorable(name) for name in profiles}
        for name, (wanted, why) in scorable.items():
            if not any(wanted.values()) and not self.physics(name):
                raise PredictionError("\n  ".join(["Nothing can be scored:", *dict.fromkeys(why)]))
        needed = {
            t.name: tuple(
                dict.fromkeys(s for wanted, _ in scorable.values() for s in _statistics_of(t, wanted[t.name]))
            )
            for t in self.matched.targets
        }
        scored = [t for t in self.matched.targets if needed[t.name]]
        pieces = plan(scored, self.places.open("forecast"), self.matched.init_positions, self.matched.lead_positions)
        shape = (self.matched.inits.size, self.matched.leads.size)
        job = self._job(needed, PROFILES[profiles[0]])
        sums = accumulate(job, pieces, shape, client=client, threads=threads, told=told)
        for t in scored:
            if not (sums[t.name].totals[WEIGHT] > 0.0).any():
                raise PredictionError(f"{t.name}: there is no value that is not missing, of forecast and truth alike.")
        return {name: self._scores(wanted, notes, sums) for name, (wanted, notes) in scorable.items()}

    def _scores(
        self, wanted: Mapping[str, Mapping[str, Metric]], notes: Sequence[str], sums: Mapping[str, Sums]
    ) -> ForecastScores:
        """Return the scores of one profile from sums that may hold more than it needs."""
        scored = [t for t in self.matched.targets if wanted[t.name]]
        rows = [row for t in scored for row in self._rows(t, wanted[t.name], sums[t.name])]
        masked = [
            f"{t.name}: {sums[t.name].masked.sum()} cells with missing values left out of the scores"
            for t in scored
            if sums[t.name].masked.any()
        ]
        own = {t.name: _only(sums[t.name], _statistics_of(t, wanted[t.name])) for t in scored}
        kept = self._statistics(own)
        return ForecastScores(rows, kept, self.matched, self.members, list(dict.fromkeys([*notes, *masked])))

    def scorable(self, profile: str | None = None) -> tuple[dict[str, dict[str, Metric]], list[str]]:
        """Return the metrics that can be scored by target and name, and why others cannot."""
        conventions = PROFILES[profile or self.card.profile]
        notes: list[str] = []
        can = Scorable(self.card, self.places, self.members, self.matched.targets)
        return {t.name: can.metrics(t, conventions, notes) for t in self.matched.targets}, notes

    def missing_in_first(self, target: Target) -> int:
        """Return how many values the forecast lacks, where the truth has one, in the first map that is scored."""
        j = int(np.argmax(self.matched.truth_positions[0] >= 0))
        at = {"init_time": self.matched.init_positions[0], "lead_time": self.matched.lead_positions[j]}
        valid = {"time": self.matched.truth_positions[0, j]}
        levels = None if target.level is None else (target.level,)
        lacking = 0
        for name in target.components:
            ours = at_levels(self.places.open("forecast")[name].isel(at), levels)
            theirs = at_levels(self.places.open("truth")[name].isel(valid), levels)
            lacking += int((~np.isfinite(ours) & np.isfinite(theirs)).sum())
        return lacking

    def _job(self, statistics: Mapping[str, tuple[str, ...]], profile: Profile) -> Job:
        truth = self.places.open("truth")
        regions, weight = self.weights(profile)
        parts = [find_statistic(s) for names in statistics.values() for s in names]
        needed = any(isinstance(part, Statistic) and (part.climatology or part.extra) for part in parts)
        climatology = climatology_positions(self.places.open("climatology"), self.matched, truth) if needed else ()
        entries = self.dataset.variables
        return Job(
            self.places,
            statistics,
            regions,
            weight,
            self.matched.init_positions,
            self.matched.lead_positions,
            self.matched.truth_positions,
            (truth["latitude"].values.astype("float64"), truth["longitude"].values.astype("float64")),
            climatology,
            self.card.nan == "mask",
            tuple(
                t.name for t in self.matched.targets if any(c in entries and entries[c].missing for c in t.components)
            ),
        )

    def weights(self, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        """Return area weights of shape (cell, region) and of shape (cell,), of mean 1 over the grid."""
        truth = self.places.open("truth")
        rule = {"cell_area": cell_area, "cos_latitude": cos_latitude}.get(self.card.weights or "", profile.weights)
        rows = xr.DataArray(rule(truth["latitude"]), coords={"latitude": truth["latitude"]}, dims="latitude")
        rows = rows / rows.mean()
        land = None
        if any(find_region(name).surface != "all" for name in self.card.regions):
            land = land_fraction(truth)
        columns = [region_weights(rows, truth, name, land_fraction=land) for name in self.card.regions]
        whole = rows.broadcast_like(columns[0]).transpose("latitude", "longitude").values.ravel()
        return np.stack([np.ravel(c.values) for c in columns], axis=1), np.ascontiguousarray(whole)

    def units(self, target: Target) -> str:
        """Return the unit that a target is scored in."""
        return str(self.places.open("truth")[target.components[0]].attrs.get("units", ""))

    def _rows(self, target: Target, metrics: Mapping[str, Metric], sums: Sums) -> list[dict[str, Any]]:
        means = sums.means()
        rows = []
        for name, metric in metrics.items():
            values = metric.of(means, self.members[target.name])
            units = self.units(target) if metric.units == "own" else metric.units
            of_maps = values.ndim == 1  # of whole maps there is one value, for all of the grid
            for r, region in enumerate((GLOBE,) if of_maps else self.card.regions):
                column = values if of_maps else values[:, r]
                rows += [
                    _row(target.name, name, region, float(lead), value, units)
                    for lead, value in zip(self.matched.leads, column, strict=True)
                ]
        return rows

    def _statistics(self, sums: Mapping[str, Sums]) -> xr.Dataset:
        coordinates = {
            "init_time": self.matched.inits,
            "lead_time": self.matched.leads,
            "region": np.array(self.card.regions, dtype=object),  # zarr 3 has no spec for text of fixed length
        }
        arrays = {}
        for target, part in sums.items():
            for name, values in part.means().items():
                statistic = find_statistic(name)
                dims = list(coordinates)
                if isinstance(statistic, MapStatistic):
                    dims = [*dims[:2], f"{target}.{statistic.axis}"]
                elif isinstance(statistic, BinnedStatistic):
                    dims = [*dims, f"{target}.{statistic.axis}"]
                arrays[f"{target}.{name}"] = (tuple(dims), values)
        found = xr.Dataset(arrays, coords=coordinates)
        found["lead_time"].attrs["units"] = "hours"
        return found.assign_attrs({f"members.{name}": count for name, count in self.members.items() if name in sums})


def _statistics_of(target: Target, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """Return what metrics are made from, with one point statistic at least: by it missing values are noticed."""
    names = dict.fromkeys(s for metric in metrics.values() for s in metric.statistics)
    if names and not any(isinstance(find_statistic(name), Statistic) for name in names):
        names["vector_squared_error" if target.is_vector else "error"] = None
    return tuple(names)


def _only(sums: Sums, statistics: Sequence[str]) -> Sums:
    """Return the sums of some of the statistics."""
    kept = {WEIGHT, *statistics}
    totals, maps = ({n: v for n, v in part.items() if n in kept} for part in (sums.totals, sums.maps))
    return Sums(totals, maps, sums.masked)


def _row(variable: str, metric: str, region: str, lead: float, value: float, units: str) -> dict[str, Any]:
    number = float(value) if np.isfinite(value) else None
    return {
        "variable": variable,
        "metric": metric,
        "region": region,
        "lead_time": lead,
        "value": number,
        "floor": None,
        "low": None,
        "high": None,
        "units": units,
    }


def climatology_positions(climatology: xr.Dataset, matched: Match, truth: xr.Dataset) -> tuple[np.ndarray, ...]:
    """Return where the valid times are in a climatology.

    Parameters
    ----------
    climatology : Dataset of shape ([hour,] dayofyear, ...)
        Canonical.
    matched : Match
        Has the valid times.
    truth : Dataset
        On the grid that the climatology must be on.

    Returns
    -------
    tuple of ndarray of shape (init, lead)
        Positions along ``hour``, where there is such a dimension, and along ``dayofyear`` (1 to 366, by date).

    Raises
    ------
    DataError
        If a valid time's hour or day is not there, or the grid is another.
    """
    if grid_offset(climatology, truth) > SAME_GRID:
        raise DataError(
            f"The climatology lies on another grid than the truth: {describe_grid(climatology)} against "
            f"{describe_grid(truth)}."
        )
    hours, days = valid_positions(climatology, matched.valid_times)
    return (hours, days) if "hour" in climatology.dims else (days,)
