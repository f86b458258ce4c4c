"""Cards of tasks, one type a protocol: what is fed, what is predicted, what is scored, and how."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from climbench.card_base import Card, Section


class Reference(Section):
    """Published scores of one model, where they were published, and how this suite gets them again.

    Attributes
    ----------
    model, source : str
        What the source calls the model, and the source.
    scores : dict
        By variable, then by metric; ``normaliser`` is no score but the target's own, by which the data is known.
    definition : str
        What was scored and how, where it is not the task's own definition.
    emulator : str or None
        The suite's model that it is held against; None where the numbers are the target's own, or of a kind that the
        suite has not.
    settings : dict
        Dotted keys of the task's card under which it is run.
    members, memberseed, target : int or None, int, {"all", "same"}
        For scores on means over some members: how many, of which draw, and scored against the mean over which.
    tolerance : float
        Relative difference that counts as met: rounding and libraries for a closed form, seeds for a network.
    rounding : float
        Half a unit of the last digit published, allowed on top.
    differs : str
        What is not as it was published, where it cannot be.
    """

    model: str
    source: str
    scores: dict[str, dict[str, float]]
    definition: str = ""
    emulator: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    members: int | None = Field(default=None, ge=1)
    memberseed: int = 42
    target: Literal["all", "same"] = "all"
    tolerance: float = Field(default=1e-4, ge=0)
    rounding: float = Field(default=0.0, ge=0)
    differs: str = ""


class TaskCard(Card):
    """A task: what is predicted, on which data, and how it is scored; each protocol adds its own keys."""

    version: str
    protocol: str
    dataset: str
    targets: tuple[str, ...] = Field(min_length=1)
    nan: Literal["error", "mask"] = "error"
    baselines: tuple[str, ...]
    skill_against: str
    definitions: dict[str, str] = Field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    @field_validator("targets", "inputs", "static", "train", "metrics", "more_metrics", check_fields=False)
    @classmethod
    def _no_repeats(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        repeated = sorted({str(n) for n in names or () if (names or ()).count(n) > 1})
        if repeated:
            raise ValueError(f"named twice: {', '.join(repeated)}")
        return names


class TestPeriod(Section):
    """What is scored: one scenario, an inclusive range of years, and which target members (all where null)."""

    __test__ = False

    scenario: str
    years: tuple[int, int]
    members: tuple[int, ...] | None = None

    @field_validator("years")
    @classmethod
    def _ordered(cls, years: tuple[int, int]) -> tuple[int, int]:
        if years[0] > years[1]:
            raise ValueError(f"the first year {years[0]} lies after the last {years[1]}")
        return years


class Scoring(Section):
    """Conventions of the scores that a user may change.

    Attributes
    ----------
    weights : {"cos_latitude", "cell_area"}
        What cells count by.
    global_factor : float
        Weight of the global part in a total score.
    min_prediction_members : int
        The fewest members a prediction may have.
    members : int
        How many members an emulator of the distribution is asked for.
    regions : tuple of str or None
        Regions that are scored beside the globe; those usual in its protocol where null.
    metrics : tuple of str or None
        Metrics beside those that every task of its protocol has; all that there are where null.
    """

    weights: Literal["cos_latitude", "cell_area"] = "cos_latitude"
    global_factor: float = 5.0
    min_prediction_members: int = Field(default=1, ge=1)
    members: int = Field(default=20, ge=2)
    regions: tuple[str, ...] | None = None
    metrics: tuple[str, ...] | None = None


class ProjectionCard(TaskCard):
    """A task of the protocol ``projection``: annual climate from forcings, over scenarios.

    Attributes
    ----------
    earth_system_models : {"all"}, tuple of str or None
        For data of several climate models: which of them are emulated. Null for data of one.
    emulators : {"one-each", "one-for-all"}
        Whether each of several climate models has an emulator of its own, or one is trained on all.
    """

    inputs: tuple[str, ...] = Field(min_length=1)
    train: tuple[str, ...] = Field(min_length=1)
    validation: tuple[str, ...] = ()
    setting: Literal["clean", "as-published"] = "clean"
    test: TestPeriod
    scoring: Scoring = Scoring()
    control_climatology: str | None = None
    land_fraction: str | None = None
    earth_system_models: Literal["all"] | tuple[str, ...] | None = None
    emulators: Literal["one-each", "one-for-all"] = "one-each"


Period = tuple[str, str]
Profile = Literal["standard", "wb2", "wbx", "chaosbench"]


class Leads(Section):
    """Lead times, in hours: from the first to the last in equal steps, both included."""

    first: float = Field(ge=0)
    last: float = Field(ge=0)
    step: float = Field(gt=0)

    def hours(self) -> tuple[float, ...]:
        """Return all of them, ascending."""
        count = int((self.last - self.first) / self.step + 1e-9) + 1
        return tuple(self.first + n * self.step for n in range(count))


class Inits(Section):
    """Initial times: first and last day, both included, and the hours of each day (UTC)."""

    period: Period
    hours: tuple[int, ...] = Field(min_length=1)


class ForecastCard(TaskCard):
    """A task of the protocol ``forecast``: fields at lead times from initial times.

    Attributes
    ----------
    targets : tuple of str
        Variables; one level of a variable as ``geopotential_500`` (hPa), all levels it has without the number; wind
        vectors as ``wind_vector_850`` or ``10m_wind_vector``.
    static : tuple of str
        Variables without time, such as the height of the ground, that models which ask for them are given beside the
        states.
    grids : tuple of str
        The grids it is set on, columns by rows; the first is the usual one.
    train, validation : tuple of str
        First and last day of what a model may be fitted to and chosen on.
    test : Inits
        Initial times that are scored.
    leads : Leads
        Lead times that are scored.
    climatology : str or None
        The store that anomalies are taken from; ``train`` computes the climatology of the training period, and null
        means none: scores of anomalies are then left out, and that is said.
    metrics : tuple of str or None
        What is scored; what the profile has for such a forecast where null.
    more_metrics : tuple of str
        What is scored beside that, where `metrics` is null.
    profile : {"standard", "wb2", "wbx", "chaosbench"}
        Whose conventions hold where tools differ.
    weights : {"cell_area", "cos_latitude"} or None
        What cells count by; the profile's where null.
    regions : tuple of str
        Regions that are scored.
    members : int
        How many members a model that can give some is asked for.
    """

    static: tuple[str, ...] = ()
    grids: tuple[str, ...] = Field(min_length=1)
    train: Period
    validation: Period | None = None
    test: Inits
    leads: Leads
    climatology: str | None = None
    metrics: tuple[str, ...] | None = None
    more_metrics: tuple[str, ...] = ()
    profile: Profile = "standard"
    weights: Literal["cell_area", "cos_latitude"] | None = None
    regions: tuple[str, ...] = ("global",)
    land_fraction: str | None = None
    members: int = Field(default=10, ge=2)


TASK_CARDS: dict[str, type[TaskCard]] = {"projection": ProjectionCard, "forecast": ForecastCard}
