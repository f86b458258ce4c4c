"""What issue 7 asks to be shown of balances on real winds, ERA-Interim's climatology of January and July.

Bounds are from theory, written down before the figures were looked at. The Rossby number of the large-scale flow of
middle latitudes is about 0.1, and climatological means are smoother than any day: the wind at 500 hPa, above friction,
is to be geostrophic to 0.2, twice that number. Enstrophy cascades with kinetic energy falling as the third power of the
degree on any day; eddies average out of a mean over many years, so its spectrum falls at least as fast as the second.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from climbench.data.canonical import canonical
from climbench.data.stores import open_store
from climbench.grids import latitude_weights
from climbench.metrics.base import area_mean
from climbench.metrics.spectra import kinetic_energy_spectrum, spectral_slope
from climbench.physics.ageostrophic import ageostrophic_mean_squares, ageostrophic_ratio
from climbench.physics.areas import area_mean as area_mean_of
from climbench.physics.areas import exact_cell_areas
from climbench.physics.geostrophic import geostrophic_wind
from climbench.physics.hydrostatic import hydrostatic_residual, residual_in_kelvin
from climbench.physics.imbalance import mean_square, relative, root
from climbench.physics.opening import open_quantities

ERA = Path(__file__).resolve().parents[3] / "shared" / "data" / "era5"
WINDS, MEMBERS = ERA / "eraint_uvz.nc", ERA / "era5_eda_members_3deg.nc"

MOST_AGEOSTROPHIC = 0.2
LEAST_CORRELATION = 0.95
BANDS = {"north": [(30.0, 60.0)], "south": [(-60.0, -30.0)], "both": [(-60.0, -30.0), (30.0, 60.0)]}


@pytest.fixture(scope="module")
def era_interim():
    """January and July by role, on canonical axes, at 500 hPa."""
    if not WINDS.is_file():
        pytest.skip("ERA-Interim's winds of ../shared/data/era5 are not here")
    data, _ = canonical(open_store(WINDS), WINDS.name)
    opened = open_quantities(data, wanted=("geopotential", "eastward", "northward"))
    return opened.quantities.sel(level=500).load()


@pytest.mark.parametrize("derivatives", ["differences", "harmonics"])
@pytest.mark.parametrize("band", BANDS)
def test_winds_of_middle_latitudes_are_mainly_geostrophic(era_interim, derivatives, band):
    latitude, longitude = (era_interim[name].values.astype("float64") for name in ("latitude", "longitude"))
    wind = tuple(era_interim[name].values.astype("float64") for name in ("eastward", "northward"))
    geostrophic = geostrophic_wind(
        era_interim["geopotential"].values.astype("float64"), latitude, longitude, derivatives=derivatives
    )
    areas = exact_cell_areas(latitude, longitude)
    parts = ageostrophic_mean_squares(wind, geostrophic, areas, latitude, bands=BANDS[band])
    ratio = ageostrophic_ratio(*parts)
    rows = np.any([(latitude >= south) & (latitude <= north) for south, north in BANDS[band]], axis=0)
    correlation = [np.corrcoef(wind[0][m, rows].ravel(), geostrophic[0][m, rows].ravel())[0, 1] for m in range(2)]
    print(f"\n{band}, by {derivatives}: ageostrophic ratio in January and July {ratio.round(4)}")
    print(f"correlation of the eastward wind with the geostrophic one {np.round(correlation, 5)}")
    assert ratio.max() <= MOST_AGEOSTROPHIC
    assert min(correlation) >= LEAST_CORRELATION


def test_winds_turned_by_a_quarter_are_not(era_interim):
    """The bound tells: the same winds, pointing elsewhere, are off by about the root of two."""
    latitude, longitude = (era_interim[name].values.astype("float64") for name in ("latitude", "longitude"))
    u, v = (era_interim[name].values.astype("float64") for name in ("eastward", "northward"))
    geostrophic = geostrophic_wind(era_interim["geopotential"].values.astype("float64"), latitude, longitude)
    parts = ageostrophic_mean_squares((-v, u), geostrophic, exact_cell_areas(latitude, longitude), latitude)
    assert ageostrophic_ratio(*parts).min() > 1.2


def test_the_spectrum_of_kinetic_energy_adds_up_and_falls_steeply(era_interim):
    u, v = (era_interim[name].astype("float64") for name in ("eastward", "northward"))
    spectrum = kinetic_energy_spectrum(u, v)
    total, mean = spectrum.sum("degree"), area_mean((u**2 + v**2) / 2, latitude_weights(u["latitude"]))
    slope = spectral_slope(spectrum, degrees=(10, 40))
    print(f"\nkinetic energy in January and July: {total.values.round(4)} by degrees, {mean.values.round(4)} by area")
    print(f"slope over degrees 10 to 40: {slope.values.round(3)}, beside -3")
    # The area mean by cells errs by the square of the spacing, some 1e-4.
    assert total.values == pytest.approx(mean.values, rel=1e-3)
    assert float(slope.max()) < -2.0


@pytest.mark.skipif(not MEMBERS.is_file(), reason="ERA5's members of ../shared/data/era5 are not here")
def test_era5_has_a_hydrostatic_residual_of_its_own_and_its_members_share_it():
    """Between 850 and 500 hPa, with T for virtual temperature, as the file has no humidity.

    In the tropics some 10 g/kg at 850 hPa and 2.5 at 500 make air lighter by 1.8 and 0.4 K: the residual without them
    is about -1 K, -0.3 to -1.5 K with curvature. A lapse rate that grows from 4.5 to 6 K/km on the way up leaves as
    much again, vapour or not: so a forecast's residual means something beside the truth's only.
    """
    data, _ = canonical(open_store(MEMBERS), MEMBERS.name)
    opened = open_quantities(data, wanted=("geopotential", "temperature")).quantities.load()
    opened = opened.transpose("member", "time", "level", "latitude", "longitude")
    pressure = opened["level"].values * 100.0
    residual = hydrostatic_residual(opened["geopotential"].values, opened["temperature"].values, pressure)
    areas = exact_cell_areas(opened["latitude"].values, opened["longitude"].values)
    tropics = np.abs(opened["latitude"].values) <= 20.0
    kelvin = residual_in_kelvin(residual, pressure).mean((0, 1, 2))
    there = float(area_mean_of(kelvin[tropics], areas[tropics]))
    squares = mean_square(residual, areas).mean(1)[:, 0]
    alike = relative(squares, squares.mean())
    apart = root(mean_square(residual - residual[:1].mean(1, keepdims=True), areas).mean(1)[1:, 0])
    print(f"\nresidual in the tropics {there:.3f} K; members over their mean {alike.round(3)}")
    print(f"root mean square {float(root(squares.mean())):.1f} m2 s-2, of differences from one member's mean {apart}")
    assert -1.5 <= there <= -0.3
    assert alike == pytest.approx(np.ones(alike.size), abs=0.05)
    assert (apart < root(squares.mean())).all()
