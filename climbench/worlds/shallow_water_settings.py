"""How the shallow-water world is set up: grid, flow, length of its trajectories, and the calendar they are given."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from climbench.errors import DataError

Flow = Literal["forced", "free"]
LAST_YEAR = 2100  # of a calendar that is made up, so that no date is taken for one of real weather
HOURS_A_DAY = 24
CHUNK_BYTES = 2**19
FIELD_BYTES = 4
# At 10 km depth gravity waves go at 313 m/s and jets at 100 m/s: this step is stable for degrees up to 21, and shorter
# waves need shorter steps.
STEP_AT_21 = 600.0


@dataclass(frozen=True)
class ShallowWaterSettings:
    """Settings of the shallow-water world.

    Each year of the made-up calendar, which ends with 2100, has `starts` trajectories that start on its first day and
    on equally spaced days after it. They are `samples` states long and independent of one another, and between them
    times are missing, so that no window of consecutive times crosses from one into the next.

    Attributes
    ----------
    grid : str
        Columns by rows, ``64x32``, ``128x64`` or ``256x128`` and others: Gaussian rows, twice as many columns.
    flow : {"forced", "free"}
        ``forced`` has a climate: it is driven to two jets over mountains. ``free`` starts from random waves on a fluid
        at rest, and nothing drives or damps them but the solver's hyperdiffusion.
    truncation : int or None
        The highest degree of spherical harmonics. None is the highest for which products of two fields are exact: 21
        on 64x32, 42 on 128x64, 85 on 256x128.
    time_step : float or None
        Of the solver, in seconds; None is 600 s at degree 21 and less for shorter waves, as they need it.
    step_hours : int
        Hours between states.
    samples : int
        States of a trajectory.
    starts : int
        Trajectories a year.
    spin_up_days : int
        Days that a trajectory runs before its first state is kept.
    jet_speed, jet_latitude, jet_width : float
        Of the zonal wind that a forced flow is driven to: m/s, degrees on both hemispheres, and the degrees over which
        it falls by a factor of e.
    relaxation_days, damping_days : float
        How fast the zonal mean is driven to that wind and divergence is damped, and how fast other waves are damped.
    mountain_height : float
        Of the two highest mountains, in metres.
    mean_depth : float
        Of the fluid, in metres.
    mach : float
        Size of a free flow's waves: their wind against the speed of gravity waves.

    Raises
    ------
    DataError
        If a setting cannot be.
    """

    grid: str = "64x32"
    flow: Flow = "forced"
    truncation: int | None = None
    time_step: float | None = None
    step_hours: int = 6
    samples: int = 256
    starts: int = 1
    spin_up_days: int = 30
    jet_speed: float = 100.0
    jet_latitude: float = 45.0
    jet_width: float = 8.0
    relaxation_days: float = 2.0
    damping_days: float = 60.0
    mountain_height: float = 1500.0
    mean_depth: float = 10_000.0
    mach: float = 0.2

    def __post_init__(self) -> None:
        columns, sign, rows = self.grid.partition("x")
        if not sign or not columns.isdigit() or not rows.isdigit() or int(columns) != 2 * int(rows) or int(rows) < 8:
            raise DataError(
                f"The grid '{self.grid}' is none of COLUMNSxROWS with twice as many columns, such as 64x32."
            )
        if self.flow not in ("forced", "free"):
            raise DataError(f"There is no flow '{self.flow}'. There is: forced, free.")
        if not 1 <= self.degree < self.rows:
            raise DataError(f"{self.rows} rows resolve degrees below {self.rows}; the truncation is {self.degree}.")
        for name in ("samples", "starts", "step_hours", "relaxation_days", "damping_days", "jet_width", "mean_depth"):
            if not getattr(self, name) > 0:
                raise DataError(f"{name} is {getattr(self, name)}; it must be more than 0.")
        if self.spin_up_days < 0:
            raise DataError(f"spin_up_days is {self.spin_up_days}; it must not be less than 0.")
        if self.step <= 0 or self.steps < 1 or abs(self.steps * self.step - self.step_hours * 3600.0) > 1e-6:
            raise DataError(f"{self.step_hours} h are no whole number of steps of {self.step:g} s.")
        if self.starts * self.spacing_days > 365:
            raise DataError(
                f"{self.starts} trajectories of {self.samples} states in {self.step_hours} h are longer than a year."
            )

    @property
    def rows(self) -> int:
        """Rows of the grid; it has twice as many columns."""
        return int(self.grid.partition("x")[2])

    @property
    def degree(self) -> int:
        """The highest degree of spherical harmonics: products of two fields are exact up to a third of the columns."""
        return (2 * self.rows - 1) // 3 if self.truncation is None else self.truncation

    @property
    def step(self) -> float:
        """The solver's step in seconds: where none is set, the longest stable one that divides the output's."""
        if self.time_step is not None:
            return self.time_step
        longest = STEP_AT_21 * min(1.0, 21.5 / (self.degree + 0.5))
        return self.step_hours * 3600.0 / np.ceil(self.step_hours * 3600.0 / longest)

    @property
    def steps(self) -> int:
        """Steps of the solver from state to state."""
        return round(self.step_hours * 3600.0 / self.step)

    @property
    def spin_up(self) -> int:
        """States that are run through before the first is kept."""
        return self.spin_up_days * HOURS_A_DAY // self.step_hours

    @property
    def spacing_days(self) -> int:
        """Days from start to start within a year: a trajectory's length and a gap of more than a step."""
        return self.samples * self.step_hours // HOURS_A_DAY + 1

    @property
    def chunk(self) -> int:
        """States in a chunk of the store: whole chunks to a trajectory, so that each is written by one process."""
        most = max(1, CHUNK_BYTES // (2 * self.rows * self.rows * FIELD_BYTES))
        return next(n for n in range(min(most, self.samples), 0, -1) if self.samples % n == 0)

    def trajectories(self, members: int) -> int:
        """Return how many trajectories there are in so many years."""
        return members * self.starts

    def first_state(self, trajectory: int, members: int) -> int:
        """Return where along time a trajectory stands: number 0 is the first of the last year, whatever the number."""
        year, start = divmod(trajectory, self.starts)
        return ((members - 1 - year) * self.starts + start) * self.samples

    def times(self, members: int) -> np.ndarray:
        """Return the times of all states, ascending, as datetime64 in hours.

        Parameters
        ----------
        members : int
            Years, the last of which is 2100.
        """
        years = np.array(
            [np.datetime64(f"{year}-01-01", "h") for year in range(LAST_YEAR + 1 - members, LAST_YEAR + 1)]
        )
        starts = np.arange(self.starts) * self.spacing_days * HOURS_A_DAY
        states = np.arange(self.samples) * self.step_hours
        return (years[:, None, None] + starts[:, None] + states).ravel()

    def changed(self) -> dict[str, Any]:
        """Return the settings that are not the default."""
        plain = asdict(ShallowWaterSettings())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}
