"""Quantities of data sets as CMIP, ERA5 and ACE have them: units, signs, vertical coordinates, and what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.physics.diagnosis import diagnose
from climbench.physics.opening import open_quantities, step_of
from tests.physics.constructed_atmosphere import A, B

GRID = {"latitude": [-45.0, 45.0], "longitude": [0.0, 180.0]}


def field(value, units, *dims, hours=6, **sizes):
    """Return a constant field on times and whatever dimensions more."""
    coords = {"time": pd.date_range("2001-01-01", periods=3, freq=f"{hours}h"), **GRID}
    shape = {"time": 3, **{d: sizes[d] for d in dims}, "latitude": 2, "longitude": 2}
    attrs = {} if units is None else {"units": units}
    return xr.DataArray(np.full(tuple(shape.values()), value), coords, tuple(shape), attrs=attrs)


def one(name, value, units, quantity, **options):
    opened = open_quantities(xr.Dataset({name: field(value, units)}), **options)
    assert opened.sources[quantity] == name
    return float(opened.quantities[quantity][0, 0, 0])


@pytest.mark.parametrize(
    ("name", "value", "units", "quantity", "expected"),
    [
        ("evspsbl", 3e-5, "kg m-2 s-1", "evaporation", 3e-5),
        ("mean_evaporation_rate", -3e-5, "kg m**-2 s**-1", "evaporation", 3e-5),  # ERA5: downward
        ("evaporation", -1.08e-4, "m of water equivalent", "evaporation", 3e-5),  # 0.108 kg m-2 in 3600 s
        ("LHTFLsfc", 75.0, "W m-2", "evaporation", 3e-5),  # 75 / 2.5e6
        ("mean_surface_latent_heat_flux", -75.03, "W m**-2", "evaporation", 3e-5),  # 75.03 / 2.501e6
        ("mean_surface_latent_heat_flux", -75.0, "W m-2", "latent_up", 75.0),
        ("mean_top_net_long_wave_radiation_flux", -240.0, "W m-2", "top_thermal_up", 240.0),
        ("total_precipitation_6hr", 0.000648, "m", "precipitation", 3e-5),  # 0.648 kg m-2 in 21600 s
        ("pr", 2.592, "mm/day", "precipitation", 3e-5),
        ("HGTsfc", 100.0, "m", "surface_geopotential", 980.665),
        ("thetao", 10.0, "degC", "ocean_temperature", 283.15),
        ("ps", 1000.0, "hPa", "surface_pressure", 1e5),
        ("hus", 5.0, "g kg-1", "humidity", 0.005),
    ],
)
def test_units_and_signs(name, value, units, quantity, expected):
    assert one(name, value, units, quantity) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "units", "quantity"), [("ps", "hPa", "surface_pressure"), ("ta", "degC", "temperature")]
)
def test_stored_float32_is_converted_in_float64_and_lazily(name, units, quantity):
    """1013.1 as float32 is 1013.0999755859375."""
    stored = field(1013.1, units).astype("float32").assign_attrs(units=units).chunk(time=1)
    found = open_quantities(xr.Dataset({name: stored})).quantities[quantity]
    assert found.chunks is not None
    expected = {"hPa": 101309.99755859375, "degC": 1013.0999755859375 + 273.15}[units]
    assert float(found[0, 0, 0]) == pytest.approx(expected, rel=1e-15)


def test_accumulated_energy_of_hours_that_are_given():
    """5184000 J m-2 in 6 h is 240 W m-2; ERA5's outgoing thermal radiation counts downward."""
    found = one("top_net_thermal_radiation", -5184000.0, "J m**-2", "top_thermal_up", window=6.0)
    assert found == pytest.approx(240.0, rel=1e-12)


@pytest.mark.parametrize("name", ["top_net_thermal_radiation", "surface_latent_heat_flux"])
def test_accumulated_energy_of_unknown_hours(name):
    with pytest.raises(DataError, match=rf"'{name}'.*'J m-2' is an amount.*hours.*not stated.*window"):
        open_quantities(xr.Dataset({name: field(-5e6, "J m-2")}))


def test_a_unit_of_something_else():
    with pytest.raises(DataError, match=r"'ps'.*'K'.*'Pa'.*different things"):
        open_quantities(xr.Dataset({"ps": field(280.0, "K")}))


@pytest.mark.parametrize(("hours", "noted"), [(6, False), (12, True)])
def test_amounts_of_other_hours_than_a_step_are_noted(hours, noted):
    notes = open_quantities(xr.Dataset({"total_precipitation_6hr": field(0.0, "m", hours=hours)})).notes
    assert any("counts 6 h and times are" in n for n in notes) == noted


def test_steps():
    assert step_of(xr.Dataset({"pr": field(0.0, "mm/day")})) == 6.0
    assert step_of(xr.Dataset({"pr": field(0.0, "mm/day")}).isel(time=[0, 2, 1])) is None
    assert step_of(xr.Dataset(coords={"time": [1850, 1851]})) is None
    noleap = xr.date_range("2001-01-01", periods=3, freq="D", calendar="noleap", use_cftime=True)
    assert step_of(xr.Dataset(coords={"time": noleap})) == 24.0


def ace(offset=A, slope=B, units="Pa"):
    attrs = {} if units is None else {"units": units}
    layers = {"layer": slope.size - 1}
    return xr.Dataset(
        {
            "PRESsfc": field(1e5, "Pa"),
            "specific_total_water": field(0.001, "kg/kg", "layer", **layers),
            "ak": ("interface", offset, attrs),
            "bk": ("interface", slope),
        }
    )


@pytest.mark.parametrize(("scale", "units"), [(1.0, "Pa"), (1.0, None), (100.0, "hPa")])
def test_layers_of_ace(scale, units):
    """0.001 of 99900 Pa below the top."""
    opened = open_quantities(ace(A / scale, units=units))
    water = diagnose(opened.quantities, opened.column, wanted=("water",)).fields["water"]
    np.testing.assert_allclose(water, 0.001 * 99900.0 / 9.80665, rtol=1e-12)


def test_a_unit_that_is_stated_is_believed():
    """A grid whose pure pressure ends at 10 hPa: 0.001 of what lies between 1000 Pa and the ground."""
    shallow = np.where(np.arange(A.size) == A.size - 1, 0.0, 1000.0)
    opened = open_quantities(ace(shallow, np.linspace(0.0, 1.0, A.size)))
    water = diagnose(opened.quantities, opened.column, wanted=("water",)).fields["water"]
    np.testing.assert_allclose(water, 0.001 * 99000.0 / 9.80665, rtol=1e-12)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ace(A / 100.0, units=None), "hPa.*Multiply them by 100"),
        (ace(A / 1e5, units=None), "shares of a reference pressure.*Multiply"),
        (ace(A / 1e5, units="1"), "'ak' are in '1'; give them in Pa or hPa"),
        (ace(A[::-1], B[::-1]), "bottom up.*Turn them"),
    ],
)
def test_hybrid_coefficients_that_are_wrong(data, words):
    with pytest.raises(DataError, match=words):
        open_quantities(data)


def test_pressure_levels_and_what_they_leave_out():
    """500 to 1000 hPa with q 0.002 throughout: 100 Pa of water."""
    q = field(0.002, "kg kg-1", "level", level=3).assign_coords(level=[500, 700, 1000])
    opened = open_quantities(xr.Dataset({"specific_humidity": q}))
    assert any("above the first and below the last is not counted" in n for n in opened.notes)
    water = diagnose(opened.quantities, opened.column, wanted=("water",)).fields["water"]
    np.testing.assert_allclose(water, 100.0 / 9.80665, rtol=1e-12)
    with pytest.raises(DataError, match=r"bottom up.*Turn them"):
        open_quantities(xr.Dataset({"specific_humidity": q.isel(level=slice(None, None, -1))}))


@pytest.mark.parametrize("name", ["lev", "level"])
def test_the_sea_has_depths_and_no_pressure(name):
    t, depth = (field(v, u, name, **{name: 2}) for v, u in ((10.0, "degC"), (50.0, "m")))
    opened = open_quantities(xr.Dataset({"thetao": t, "thkcello": depth}))
    assert opened.column is None
    heat = diagnose(opened.quantities).fields["ocean_heat"]
    np.testing.assert_allclose(heat, 1035.0 * 3992.0 * 10.0 * 100.0, rtol=1e-12)


def test_only_what_is_wanted_is_opened():
    data = xr.Dataset({"ps": field(1e5, "Pa"), "surface_latent_heat_flux": field(0.0, "J m-2")})
    assert set(open_quantities(data, wanted=("surface_pressure",)).quantities) == {"surface_pressure"}
