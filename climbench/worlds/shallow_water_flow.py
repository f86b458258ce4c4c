r"""Rotating shallow water on the sphere, driven to two jets over mountains: torch-harmonics' solver and what drives it.

The solver has the equations, the spherical harmonics and the time stepping (third-order Adams and Bashforth, and
hyperdiffusion of vorticity and divergence). What is added to its tendencies, per degree and order, is

.. math:: (X_{eq} - X) / \tau_m

for depth, vorticity and divergence, and the gradient of the geopotential of the mountains. The time scale of the zonal
mean and of divergence is short, so that jets are kept up and gravity waves fade; that of other waves is long. The jets
are unstable: the waves that grow on them are what is to be forecast.

References
----------
Bonev et al. (2023), Spherical Fourier neural operators, arXiv:2306.03838, for the solver; Galewsky et al. (2004), An
initial-value problem for testing numerical models of the global shallow-water equations, Tellus A 56, for jets that
are unstable.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch_harmonics.examples.shallow_water_equations import ShallowWaterSolver

from climbench.constants import SECONDS_PER_DAY
from climbench.errors import DataError
from climbench.worlds.shallow_water_settings import ShallowWaterSettings

MEAN = math.sqrt(4.0 * math.pi)  # coefficient of degree 0 of a field that is 1
FIRST_WAVES = 5e-6  # s-1: vorticity of degree 0 that a forced flow starts with beside its jets
# North, east, height against the highest, and the distance over which it falls by a factor of e, in degrees.
MOUNTAINS = ((45.0, 90.0, 1.0, 15.0), (45.0, 250.0, 1.0, 15.0), (-40.0, 290.0, 0.7, 12.0))


class ShallowWaterFlow(ShallowWaterSolver):  # type: ignore[misc]  # torch-harmonics has no types
    """The solver in float64, with a forced flow's tendencies.

    A state is (3, degree + 1, degree + 1) coefficients: geopotential of the depth of the fluid (m2 s-2), vorticity and
    divergence (s-1). Rows run from the north within the solver.

    Parameters
    ----------
    settings : ShallowWaterSettings
        Of the world.

    Attributes
    ----------
    mountains : Tensor of shape (degree + 1, degree + 1)
        Coefficients of the geopotential of the ground, m2 s-2; 0 in a free flow.
    rest : Tensor of shape (3, degree + 1, degree + 1)
        What a forced flow is driven to: jets whose geopotential balances them.
    """

    def __init__(self, settings: ShallowWaterSettings) -> None:
        size = settings.degree + 1
        super().__init__(
            settings.rows,
            2 * settings.rows,
            settings.step,
            lmax=size,
            mmax=size,
            grid="legendre-gauss",
            havg=settings.mean_depth,
        )
        self.settings = settings
        forced = settings.flow == "forced"
        self.mountains = self._mountains() if forced else torch.zeros(size, size, dtype=torch.complex128)
        self.rest = self._balanced_jets()
        days = torch.full((3, 1, size), settings.damping_days, dtype=torch.float64)
        days[:, :, 0] = days[2] = settings.relaxation_days
        self.rate = 1.0 / (days * SECONDS_PER_DAY) if forced else torch.zeros_like(days)
        self.constant = self.rest * self.rate
        self.constant[2] -= self.lap * self.mountains

    def dudtspec(self, state: torch.Tensor) -> torch.Tensor:
        """Return the tendencies of a state, per second."""
        tendency: torch.Tensor = super().dudtspec(state) + self.constant - self.rate * state
        return tendency

    def start(self, seed: int, trajectory: int) -> torch.Tensor:
        """Return the state that a trajectory starts from, before its spin-up.

        Parameters
        ----------
        seed : int
            The world's.
        trajectory : int
            Its number; each has random numbers of its own.
        """
        words = np.random.SeedSequence([seed, trajectory])
        if self.settings.flow == "free":
            torch.manual_seed(int(words.generate_state(1)[0]))
            waves: torch.Tensor = self.random_initial_condition(mach=self.settings.mach)
            return waves
        size = self.settings.degree + 1
        real, imaginary = np.random.default_rng(words).standard_normal((2, size, size))
        imaginary[:, 0] = 0.0
        first = torch.tril(torch.complex(torch.as_tensor(real), torch.as_tensor(imaginary)))
        first[0] = 0.0
        state = self.rest.clone()
        state[1] += FIRST_WAVES * first / torch.sqrt(1.0 + self.l)
        return state

    def advance(self, state: torch.Tensor) -> torch.Tensor:
        """Return the state one output step later; raise `DataError` where the flow has become unstable."""
        later: torch.Tensor = self.timestep(state, self.settings.steps)
        if not torch.isfinite(torch.view_as_real(later)).all():
            raise DataError(
                f"The shallow-water flow is unstable with a step of {self.settings.step:g} s. "
                "Take a shorter time_step, slower jets or lower mountains."
            )
        return later

    def fields(self, state: torch.Tensor) -> np.ndarray:
        """Return a state on the grid.

        Parameters
        ----------
        state : Tensor of shape (3, degree + 1, degree + 1)
            Coefficients.

        Returns
        -------
        ndarray of shape (5, latitude, longitude)
            Geopotential of the free surface (m2 s-2), vorticity, divergence (s-1), eastward and northward wind (m s-1),
            rows from the south, float32.
        """
        depth, vorticity, divergence = self.spec2grid(state)
        eastward, northward = self.getuv(state[1:])
        surface = depth + self.spec2grid(self.mountains)
        southward = torch.stack((surface, vorticity, divergence, eastward, northward))
        return southward.flip(-2).to(torch.float32).numpy()

    def ground(self) -> np.ndarray:
        """Return the geopotential of the ground of shape (latitude, longitude) in m2 s-2, rows from the south."""
        on_grid: torch.Tensor = self.spec2grid(self.mountains)
        return on_grid.flip(-2).to(torch.float32).numpy()

    def _mountains(self) -> torch.Tensor:
        north, east = self.lats.reshape(-1, 1), self.lons.reshape(1, -1)
        height = torch.zeros(self.nlat, self.nlon, dtype=torch.float64)
        for latitude, longitude, share, width in MOUNTAINS:
            top = math.radians(latitude)
            near = torch.sin(north) * math.sin(top) + torch.cos(north) * math.cos(top) * torch.cos(
                east - math.radians(longitude)
            )
            distance = torch.arccos(near.clamp(-1.0, 1.0)) / math.radians(width)
            height += share * self.settings.mountain_height * torch.exp(-(distance**2))
        coefficients: torch.Tensor = self.grid2spec(self.gravity * height)
        return coefficients

    def _balanced_jets(self) -> torch.Tensor:
        """Return jets and the geopotential that balances them, by the divergence equation without divergence."""
        vorticity = torch.tril(self.vrtdivspec(self._jets()))
        vorticity[1] = 0.0
        wind = self.getuv(vorticity)
        absolute = self.spec2grid(vorticity)[0] + self.coriolis
        surface = self.invlap * self.vrtdivspec(wind * absolute)[0] - self.grid2spec(0.5 * (wind**2).sum(0))
        depth = surface - self.mountains
        depth[0, 0] = self.gravity * self.havg * MEAN
        return torch.tril(torch.stack((depth, vorticity[0], vorticity[1])))

    def _jets(self) -> torch.Tensor:
        """Return the wind of shape (2, latitude, longitude) that a flow is driven to, as it is before truncation."""
        settings, degrees = self.settings, torch.rad2deg(self.lats).reshape(-1, 1)
        shape = sum(
            torch.exp(-(((degrees - side * settings.jet_latitude) / settings.jet_width) ** 2)) for side in (-1.0, 1.0)
        )
        narrowing = torch.cos(torch.deg2rad(degrees)) / math.cos(math.radians(settings.jet_latitude))
        eastward = (settings.jet_speed * shape * narrowing).expand(self.nlat, self.nlon)
        return torch.stack((eastward, torch.zeros_like(eastward)))
