"""The face of the budgets: known residuals come back out of a constructed atmosphere, and what lacks is said."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr

from climbench.errors import DataError
from climbench.physics import area_mean, hybrid_layers, pressure_levels
from climbench.physics.diagnosis import closures, diagnose
from tests.physics.constructed_atmosphere import A, B, constructed_atmosphere

ENERGIES = ("energy_credit", "energy_ace")


def means(field, made):
    return area_mean(field.transpose("time", "latitude", "longitude").data, made.areas)


@pytest.mark.parametrize("energy", ENERGIES)
def test_known_residuals_come_back(energy):
    """To 1e-12 of the residual itself; the constructed atmosphere says why that is within reach."""
    made = constructed_atmosphere(energy=energy)
    found = diagnose(made.quantities, hybrid_layers(A, B))
    open_ends = closures(found, made.seconds)
    water = open_ends.fields["water_column_residual"]
    assert water.dims == ("time", "latitude", "longitude")
    assert water["time"].equals(made.quantities["time"][1:])
    np.testing.assert_allclose(
        water.values, made.water_residual, rtol=0, atol=1e-12 * np.abs(made.water_residual).max()
    )
    np.testing.assert_allclose(means(open_ends.fields[f"{energy}_residual"], made), made.energy_residual, rtol=1e-12)
    dry = means(found.fields["dry_air"], made)
    np.testing.assert_allclose(np.diff(dry), made.dry_air_change, rtol=1e-12)
    pressure = means(found.fields["dry_air_pressure"], made)
    np.testing.assert_allclose(np.diff(pressure), 9.80665 * made.dry_air_change, rtol=1e-12)
    assert open_ends.fields[f"{energy}_residual"].attrs["units"] == "W m-2"


@pytest.mark.parametrize("made_by_winds", [0.0, 1e-6])
def test_over_the_globe_what_winds_make_of_water_is_a_residual_whether_it_is_known_or_not(made_by_winds):
    made = constructed_atmosphere(made_by_winds=made_by_winds)
    expected = area_mean(made.water_residual, made.areas) + made.convergence
    for data in (made.quantities, made.quantities.drop_vars("moisture_convergence")):
        residual = closures(diagnose(data, hybrid_layers(A, B)), made.seconds).fields["water_residual"]
        np.testing.assert_allclose(means(residual, made), expected, rtol=0, atol=1e-12 * 5e-6)
        assert np.abs(residual.values - made.water_residual).max() > 1e-7  # in columns it is none
    columns = closures(diagnose(made.quantities, hybrid_layers(A, B)), made.seconds).fields["water_column_residual"]
    np.testing.assert_allclose(columns, made.water_residual, rtol=0, atol=1e-12 * np.abs(made.water_residual).max())


def test_a_flux_counts_for_the_step_that_ends_at_its_time():
    """Moving one time's flux by 1 W m-2 moves the residual of the step that ends then, and of no other."""
    made = constructed_atmosphere()
    moved = made.quantities.copy(deep=True)
    moved["top_thermal_up"][2] += 1.0
    before, after = (
        closures(diagnose(q, hybrid_layers(A, B)), made.seconds).fields["energy_credit_residual"]
        for q in (made.quantities, moved)
    )
    np.testing.assert_allclose((after - before).mean(("latitude", "longitude")), [0.0, 1.0, 0.0, 0.0], atol=1e-9)


def test_steps_may_differ_in_length():
    made = constructed_atmosphere()
    fields = diagnose(made.quantities, hybrid_layers(A, B), wanted=("water", "evaporation", "precipitation"))
    seconds = xr.DataArray([np.nan, 1.0, 2.0, 4.0, 8.0], coords={"time": made.quantities["time"]}, dims="time")
    found = closures(fields, seconds).fields["water_residual"]
    water, flow = fields.fields["water"].values, (fields.fields["evaporation"] - fields.fields["precipitation"]).values
    np.testing.assert_allclose(found.isel(time=2), (water[3] - water[2]) / 4.0 - flow[3], rtol=1e-12)


def test_snow_is_no_must_and_takes_heat_where_it_is():
    made = constructed_atmosphere()
    with_snow, without = (
        diagnose(q, wanted=("surface_net",)).fields["surface_net"]
        for q in (made.quantities, made.quantities.drop_vars("frozen_precipitation"))
    )
    np.testing.assert_allclose(without - with_snow, 3.34e5 * made.quantities["frozen_precipitation"], atol=1e-9)


@pytest.mark.parametrize("chunks", [{"time": 2}, {"time": 1, "level": 3, "latitude": 2, "longitude": 5}])
def test_lazy_is_the_same_and_computes_nothing(chunks):
    made = constructed_atmosphere()
    expected = diagnose(made.quantities, hybrid_layers(A, B))

    def refuse(graph, keys, **kwargs):
        raise AssertionError("something was computed")

    with dask.config.set(scheduler=refuse):
        lazy = diagnose(made.quantities.chunk(chunks), hybrid_layers(A, B))
        residuals = closures(lazy, made.seconds)
        open_ends = {name: area_mean(field.data, made.areas) for name, field in residuals.fields.items()}
    assert all(field.chunks is not None for field in lazy.fields.values())
    assert set(lazy.fields) == set(expected.fields)
    for name, field in lazy.fields.items():
        computed = field.compute()
        assert field.dtype == computed.dtype == np.float64, name
        np.testing.assert_array_equal(computed, expected.fields[name], err_msg=name)
    for name, field in closures(expected, made.seconds).fields.items():
        np.testing.assert_allclose(
            open_ends[name].compute(), area_mean(field.values, made.areas), rtol=1e-13, atol=1e-20, err_msg=name
        )


def test_rows_turned_and_columns_rolled_leave_means_as_they_are():
    made = constructed_atmosphere()
    turned = made.quantities.isel(latitude=slice(None, None, -1)).roll(longitude=3, roll_coords=True)
    one, other = (closures(diagnose(q, hybrid_layers(A, B)), made.seconds).fields for q in (made.quantities, turned))
    for name, areas in ((n, made.areas[::-1]) for n in one):
        np.testing.assert_allclose(
            area_mean(other[name].values, areas), means(one[name], made), rtol=1e-10, atol=1e-18, err_msg=name
        )


def test_missing_surface_pressure_is_said_by_the_names_it_may_have():
    made = constructed_atmosphere()
    found = diagnose(made.quantities.drop_vars("surface_pressure"), hybrid_layers(A, B))
    for name in ("dry_air", "water", "energy_credit", "energy_ace"):
        assert any(w.startswith("surface pressure") and "PRESsfc" in w for w in found.missing[name]), found.missing
    assert "toa_net" in found.fields
    lacking = closures(found, made.seconds).missing["energy_credit_residual"]
    assert any("PRESsfc" in words for words in lacking)


def test_what_lacks_is_said_without_a_vertical_coordinate_or_interfaces():
    made = constructed_atmosphere()
    assert any("ak and bk" in w for w in diagnose(made.quantities).missing["dry_air"])
    levels = pressure_levels(np.linspace(1e4, 1e5, 8))
    found = diagnose(made.quantities, levels)
    assert "energy_credit" in found.fields
    assert any("interfaces" in words for words in found.missing["energy_ace"])


def test_other_numbers_of_levels():
    made = constructed_atmosphere()
    with pytest.raises(DataError, match=r"8 levels.*7.*choose"):
        diagnose(made.quantities, hybrid_layers(A[1:], B[1:]))


@pytest.mark.parametrize("times", [0, slice(0, 1)])
def test_fewer_than_two_times(times):
    made = constructed_atmosphere()
    with pytest.raises(DataError, match=r"two times or more; found 1\. Give a longer series"):
        closures(diagnose(made.quantities.isel(time=times), hybrid_layers(A, B)), made.seconds)


def test_the_sea_has_levels_of_its_own():
    """1 K above freezing in 10 m and 2 K in 20 m: 1035 * 3992 * (10 + 40) J m-2; below the floor there is nothing."""
    made = constructed_atmosphere()
    shape = (2, *made.areas.shape)
    temperature = np.broadcast_to(np.array([274.15, 275.15])[:, None, None], shape).copy()
    temperature[:, 0, 0], temperature[1, 0, 1] = np.nan, np.nan
    depth = np.broadcast_to(np.array([10.0, 20.0])[:, None, None], shape)
    dims = ("depth", "latitude", "longitude")
    data = made.quantities.assign(ocean_temperature=(dims, temperature), ocean_thickness=(dims, depth))
    heat = diagnose(data, hybrid_layers(A, B), wanted=("ocean_heat",)).fields["ocean_heat"].values
    assert heat[1, 1] == pytest.approx(1035.0 * 3992.0 * 50.0, rel=1e-12)
    assert (heat[0, 0], heat[0, 1]) == (0.0, pytest.approx(1035.0 * 3992.0 * 10.0, rel=1e-12))
