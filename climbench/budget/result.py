"""What `climbench.budget` gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Drifting:
    """How fast a mean over the area goes away.

    Attributes
    ----------
    per_century : float
        In the unit of the budget.
    per_day : float or None
        Of what is stored; None for fluxes.
    rms_step : float
        Root of the mean square of changes from one to the next of what the line goes through, in the unit of the
        budget.
    through : str
        What the straight line goes through: ``"whole years"``, whose seasons are no drift, or ``"times"``.
    """

    per_century: float
    per_day: float | None
    rms_step: float
    through: str


@dataclass(frozen=True)
class Budget:
    """One budget or balance: its mean over the area, over time and by year.

    Attributes
    ----------
    name : str
        For example ``"toa_net"``.
    quantity : str
        The same in words.
    kind : {"store", "flux", "residual"}
        What is there, what goes through, or what fluxes leave unexplained of a change.
    value : float
        Mean over the area and over time, each time weighed by its days.
    units : str
        Of value and years.
    years : list of int
        Calendar years.
    per_year : list of float
        The mean of each.
    days_per_year : list of float
        How much of each there is.
    drift : Drifting or None
        None for residuals, and where there are fewer than two times.
    rms : float or None
        Root of the mean square over time, of residuals.
    local_rms : float or None
        Root of the mean square over times and cells, of the residual of columns (``water_column_residual``).
    sources : list of str
        The variables it was taken from.
    """

    name: str
    quantity: str
    kind: str
    value: float
    units: str
    years: list[int] = field(default_factory=list)
    per_year: list[float] = field(default_factory=list)
    days_per_year: list[float] = field(default_factory=list)
    drift: Drifting | None = None
    rms: float | None = None
    local_rms: float | None = None
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Budgets:
    """All that the files allow, and what is missing for the rest.

    Attributes
    ----------
    budgets : list of Budget
        One each.
    missing : dict of str to list of str
        By name, what each of the others lacks, in words.
    weights : str
        How cells are weighed.
    region : str or None
        What the cells cover where that is no globe: means are of that region then.
    times : str
        The time axis in words.
    notes : list of str
        What was changed, assumed or left out.
    files : list of str
        What was read.
    """

    budgets: list[Budget]
    missing: dict[str, list[str]]
    weights: str
    region: str | None
    times: str
    notes: list[str]
    files: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the same in plain types: each budget with its region, each residual with its ``closure``."""
        content = asdict(self)
        for entry in content["budgets"]:
            closure = {key: entry.pop(key) for key in ("rms", "local_rms")}
            if entry["kind"] == "residual":
                entry["closure"] = {"mean": entry["value"], **closure, "units": entry["units"]}
            entry["long_name"] = entry["quantity"]
            entry["region"] = self.region or "globe"
        return content
