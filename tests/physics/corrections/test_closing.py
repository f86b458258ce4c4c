"""After a correction the diagnosis finds the budget closed to round-off, and all else as it was."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import ModelError
from climbench.physics.areas import area_mean
from climbench.physics.corrections.making import Balance, Given, make_corrections
from climbench.physics.diagnosis import closures, diagnose
from climbench.physics.quantities import QUANTITIES
from tests.physics.corrections.atmospheres import AREAS, COLUMNS, HYBRID, LATITUDE, LEVELS, LONGITUDE, NAMES, SECONDS
from tests.physics.corrections.atmospheres import state as made

BEFORE, AFTER = made(0), made(1)
WET = ("humidity", "precipitation")
ENERGY = {"credit": "energy_credit_residual", "ace": "energy_ace_residual"}
CASES = [("hybrid", "credit"), ("hybrid", "ace"), ("levels", "credit")]


def corrected(column, form, names=NAMES, before=BEFORE, after=AFTER, **options):
    chain = make_corrections(names, Given(set(after), COLUMNS[column], form, **options))
    return chain, chain(before, after, chain.targets(before, AREAS), AREAS, SECONDS)


def diagnosed(column, before, after):
    """Return what the xarray face makes of both states, and of the step between them."""
    arrays = {}
    for name in after:
        both = np.stack([np.broadcast_to(s[name], after[name].shape) for s in (before, after)])
        dims = ("time", *("batch", "level", "latitude", "longitude")[-both.ndim + 1 :])
        dims = ("time", "batch", "latitude", "longitude") if both.ndim == 4 else dims
        arrays[name] = (dims, both)
    data = xr.Dataset(arrays, {"latitude": LATITUDE, "longitude": LONGITUDE})
    fields = diagnose(data.drop_vars("moisture_convergence", errors="ignore"), COLUMNS[column])
    return fields.fields, closures(fields, SECONDS).fields


def mean(field):
    return area_mean(field.transpose(..., "latitude", "longitude").values, AREAS)


@pytest.mark.parametrize(("column", "form"), CASES)
def test_all_budgets_close_after_the_chain(column, form):
    fields, residuals = diagnosed(column, BEFORE, corrected(column, form)[1])
    dry = mean(fields["dry_air" if form == "credit" else "dry_air_pressure"])
    np.testing.assert_allclose(dry[1], dry[0], rtol=1e-13)
    water, energy = mean(residuals["water_residual"]), mean(residuals[ENERGY[form]])
    assert np.abs(water).max() < 1e-10 * 3e-5
    assert np.abs(energy).max() < 1e-10 * mean(fields[ENERGY[form].removesuffix("_residual")]).max() / SECONDS


@pytest.mark.parametrize(("column", "form"), CASES)
def test_none_was_closed_before(column, form):
    fields, residuals = diagnosed(column, BEFORE, AFTER)
    dry = mean(fields["dry_air" if form == "credit" else "dry_air_pressure"])
    assert (np.abs(dry[1] / dry[0] - 1.0) > 1e-6).all()
    assert (np.abs(mean(residuals["water_residual"])) > 1e-7).all()
    assert (np.abs(mean(residuals[ENERGY[form]])) > 1.0).all()


@pytest.mark.parametrize(("column", "form"), CASES)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_declared_is_the_very_same(column, form, name):
    chain, after = corrected(column, form, (name,))
    assert [role for role in after if after[role] is not AFTER[role]] == [r for r in after if r in chain.changes]
    assert list(after) == list(AFTER)


def test_ace_closes_each_column():
    chain, after = corrected("hybrid", "ace", ("moisture",))
    assert chain.changes == ("precipitation", "moisture_convergence")
    _, residuals = diagnosed("hybrid", BEFORE, after)
    columns = residuals["water_residual"].transpose("time", "batch", ...).values[0] - after["moisture_convergence"]
    assert np.abs(columns).max() < 1e-16
    assert np.abs(area_mean(after["moisture_convergence"], AREAS)).max() < 1e-10 * 3e-5


def test_dry_air_is_that_of_the_initial_state_however_far_away():
    """On pressure levels only the lower levels change, half of them where none are named."""
    chain = make_corrections(("dry_air",), Given(set(AFTER), LEVELS))
    first = chain.targets(made(5), AREAS)
    after = chain(BEFORE, AFTER, first, AREAS, SECONDS)
    np.testing.assert_allclose(chain.targets(after, AREAS)["dry_air"], first["dry_air"], rtol=1e-14)
    same = (after["humidity"] == AFTER["humidity"]).all((0, 2, 3))
    assert same.tolist() == [True, False, False]


def test_water_is_clipped_before_budgets_are_closed():
    torn = {**AFTER, "humidity": AFTER["humidity"] - 4e-3}
    _, after = corrected("hybrid", "credit", after=torn)
    assert (torn["humidity"] < 0.0).any()
    assert (after["humidity"] >= 0.0).all()
    _, residuals = diagnosed("hybrid", BEFORE, after)
    assert np.abs(mean(residuals["water_residual"])).max() < 1e-10 * 3e-5


def test_float32_states_stay_so_and_close_to_their_own_round_off():
    small = [{name: values.astype("float32") for name, values in s.items()} for s in (BEFORE, AFTER)]
    _, after = corrected("hybrid", "credit", before=small[0], after=small[1])
    assert all(values.dtype == np.float32 for values in after.values())
    fields, _ = diagnosed("hybrid", small[0], {name: values.astype("float64") for name, values in after.items()})
    dry = mean(fields["dry_air"])
    np.testing.assert_allclose(dry[1], dry[0], rtol=6e-8)


def test_the_projection_comes_first_and_then_budgets():
    pressure = np.array([30000.0, 50000.0, 100000.0])
    balance = Balance(pressure, np.full(3, 500.0), np.full(3, 5.0), np.zeros((2, 1, 1)))
    after = AFTER | {"geopotential": np.array([9e4, 5e4, 1e3])[:, None, None] + AFTER["temperature"]}
    chain, found = corrected("levels", "credit", ("energy", "hydrostatic"), after=after, balance=balance)
    assert list(chain.corrections) == ["hydrostatic", "energy"]
    _, residuals = diagnosed("levels", BEFORE, {k: v for k, v in found.items() if k in BEFORE})
    assert np.abs(mean(residuals["energy_credit_residual"])).max() < 1e-5


def test_what_lacks_is_named_at_once():
    there = set(AFTER) - {"evaporation", "latent_up"}
    with pytest.raises(ModelError, match="correctors moisture, energy") as error:
        make_corrections(NAMES, Given(there, HYBRID))
    assert all(QUANTITIES[name].words in str(error.value) for name in ("evaporation", "latent_up"))
    with pytest.raises(ModelError, match="vertical coordinate"):
        make_corrections(("dry_air",), Given(set(AFTER), None))
    with pytest.raises(ModelError, match="surface pressure"):
        make_corrections(("dry_air",), Given({"humidity"}, HYBRID))
    with pytest.raises(ModelError, match="ACE's form"):
        make_corrections(("dry_air",), Given(set(AFTER), LEVELS, "ace"))
    with pytest.raises(ModelError, match="Did you mean 'moisture'"):
        make_corrections(("moistures",), Given(set(AFTER), HYBRID))
    with pytest.raises(ModelError, match="of 3 levels"):
        make_corrections(("dry_air",), Given(set(AFTER), LEVELS, levels=4))
