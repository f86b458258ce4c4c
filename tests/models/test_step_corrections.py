"""Corrections of a task's variables: lead by lead, in normalised channels, for members, and on pressure levels."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from climbench.cards import Correct
from climbench.errors import ModelError
from climbench.models.step_corrections import StepCorrections
from climbench.physics.energy import virtual_temperature
from climbench.physics.hydrostatic import hydrostatic_residual
from tests.tasks.forecast.moist_store import TARGETS, moist_truth

HOURS = np.array([6, 12]).astype("timedelta64[h]").astype("timedelta64[ns]")
ALL = ("positivity", "dry_air", "moisture", "energy")
CHANGED = {"temperature", "specific_humidity", "surface_pressure", "mean_total_precipitation_rate"}

CLIPPED = ("specific_humidity", "mean_total_precipitation_rate")


@pytest.fixture(scope="module")
def truth():
    return moist_truth(periods=30)


def made(truth, what=ALL, **options):
    return StepCorrections.of(Correct(what=what, **options), truth[TARGETS], truth)


def forecast(truth, *places):
    """Return a forecast of two leads that is the truth of other times, and its initial states."""
    rows = [truth[TARGETS].isel(time=slice(place, place + 2)) for place in places]
    said = xr.concat([r.drop_vars("time").rename(time="lead_time") for r in rows], "init_time")
    initial = truth[TARGETS].isel(time=[1] * len(places)).drop_vars("time").rename(time="init_time")
    return said.assign_coords(lead_time=HOURS).transpose("init_time", "lead_time", ...), initial


def test_members_are_corrected_each_as_if_it_were_alone(truth):
    corrections = made(truth)
    (first, initial), (second, _) = forecast(truth, 8, 20), forecast(truth, 12, 24)
    both = xr.concat([first, second], "member").transpose("init_time", "lead_time", "member", ...)
    found = corrections.after(both, initial)
    for number, alone in enumerate((first, second)):
        xr.testing.assert_equal(found.isel(member=number), corrections.after(alone, initial))
    assert found["temperature"].dims == both["temperature"].dims
    assert found["temperature"].dtype == np.float32


def test_what_is_kept_may_be_that_of_an_earlier_start(truth):
    corrections = made(truth, ("dry_air",))
    said, initial = forecast(truth, 8, 20)
    start = truth[TARGETS].isel(time=[3, 4]).drop_vars("time").rename(time="init_time")
    kept, own = corrections.targets(start), corrections.targets(initial)
    members = xr.concat([said, said], "member").transpose("init_time", "lead_time", "member", ...)
    for given in (said, members):
        found = corrections.after(given, initial, kept).isel(lead_time=1, drop=True)
        left = corrections.targets(found)["dry_air"].T
        np.testing.assert_allclose(left, np.broadcast_to(kept["dry_air"], left.shape), rtol=3e-8)
    assert (np.abs(kept["dry_air"] / own["dry_air"] - 1.0) > 1e-6).all()


def test_only_variables_of_the_correctors_change(truth):
    said, initial = forecast(truth, 8)
    found = made(truth).after(said, initial)
    assert {name for name in TARGETS if not found[name].identical(said[name])} == CHANGED - {"specific_humidity"}


def test_a_network_is_corrected_in_its_channels_as_any_other_forecast(truth):
    """Of the same states the normalised channels give what the variables do, to the round-off of float32."""
    torch = pytest.importorskip("torch")
    from climbench.models.forecasting.channel_corrections import ChannelCorrections
    from climbench.models.forecasting.state_channels import StateChannels

    corrections = made(truth)
    channels, _ = StateChannels.of({"train": truth[TARGETS]})
    module = pickle.loads(pickle.dumps(ChannelCorrections(corrections, channels, 21600.0)))
    said, initial = forecast(truth, 8, 20)
    before, ahead = channels.tensor(initial), channels.tensor(said.isel(lead_time=0))
    with torch.no_grad():
        found = module(before, ahead, module.targets(before))
    expected = channels.tensor(corrections.after(said, initial).isel(lead_time=0))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=2e-5)
    changed = [float((found - ahead)[:, n].abs().max()) > 0.0 for n in range(found.shape[1])]
    names = {channel.variable for channel, moved in zip(channels.channels, changed, strict=True) if moved}
    assert names == CHANGED - {"specific_humidity"}
    ahead.requires_grad_()
    module(before, ahead, module.targets(before)).square().sum().backward()
    assert bool(torch.isfinite(ahead.grad).all())


def test_nothing_a_network_says_is_negative_in_its_own_units_either(truth):
    """Between normalised channels and units float32 loses some 1e-7 of the mean, on both sides of 0."""
    torch = pytest.importorskip("torch")
    from climbench.models.forecasting.channel_corrections import ChannelCorrections
    from climbench.models.forecasting.state_channels import StateChannels

    channels, _ = StateChannels.of({"train": truth[TARGETS]})
    module = ChannelCorrections(made(truth, ("positivity",)), channels, 21600.0)
    said, initial = forecast(truth, 8, 20)
    one = said.isel(lead_time=0, drop=True)
    torn = one.assign({name: one[name] - 1.02 * one[name].mean() for name in CLIPPED})
    before, ahead = channels.tensor(initial), channels.tensor(torn)
    with torch.no_grad():
        found = module(before, ahead, module.targets(before)).numpy()
    after = channels.dataset(found, ("init_time",), {})
    for name in CLIPPED:
        assert float(torn[name].min()) < 0.0
        assert float(after[name].min()) >= 0.0
        clipped = after[name].values[torn[name].transpose(*after[name].dims).values < 0.0]
        assert float(clipped.max()) < 1e-6 * float(one[name].mean())


def test_training_with_correctors_gives_another_network(truth):
    pytest.importorskip("torch")
    from climbench.models.forecasting.sfno import SFNO

    weights = []
    for corrections in (None, made(truth, form="ace", training=True)):
        network = SFNO(width=4, layers=1, epochs=1, batch_size=8, rollout_steps=2, rollout_epochs=1, accelerator="cpu")
        network.corrections = corrections
        network.fit({"train": truth[TARGETS]}, seed=0)
        weights.append(next(network.stepper.network.parameters()).detach().numpy())
        assert np.isfinite(network.chosen["validation_loss"][-1]).all()
    assert not np.array_equal(*weights)


def test_networks_whose_states_are_not_made_from_those_before_are_not_corrected_in_training(truth):
    pytest.importorskip("torch")
    from climbench.models.forecasting.climax import ClimaX

    network = ClimaX()
    network.corrections = made(truth)
    with pytest.raises(ModelError, match="cannot be corrected in training; its forecasts can"):
        network.fit({"train": truth[TARGETS]}, seed=0)


def test_on_pressure_levels_humidity_makes_room_and_columns_are_balanced(truth):
    levels = truth["level"].values
    heights = 3e4 * (1.0 - levels / 1000.0)[:, None, None] + 200.0 * (truth["temperature"] - 250.0)
    flat = truth.drop_vars(["ak", "bk"]).assign(geopotential=heights.astype("float32").assign_attrs(units="m**2 s**-2"))
    names = [*TARGETS, "geopotential"]
    corrections = StepCorrections.of(Correct(what=("hydrostatic", "dry_air"), levels=2), flat[names], flat)
    assert corrections.chain.changes == ("geopotential", "temperature", "humidity")
    said = flat[names].isel(time=[9]).rename(time="init_time").expand_dims(lead_time=HOURS[:1])
    found = corrections.after(said, flat[names].isel(time=[3]).rename(time="init_time"))
    moved = (found["specific_humidity"] != said["specific_humidity"]).any(["init_time", "latitude", "longitude"])
    assert moved.values.ravel().tolist() == [False, True, True]

    def residual(data, humidity):
        dims = ("time", "level", "latitude", "longitude")
        data = data.rename(init_time="time") if "init_time" in data.dims else data
        height, warm, humid = (
            values.transpose(*dims).values for values in (data["geopotential"], data["temperature"], humidity)
        )
        return hydrostatic_residual(height, virtual_temperature(warm, humid), 100.0 * levels)

    few = np.unique(np.linspace(0, 29, 32).astype(int))
    usual = residual(flat.isel(time=few), flat["specific_humidity"].isel(time=few)).mean((0, 2, 3))
    one = found.isel(lead_time=0)
    humidity = said["specific_humidity"].isel(lead_time=0).rename(init_time="time")
    after = residual(one, humidity)
    np.testing.assert_allclose(after, np.broadcast_to(usual[:, None, None], after.shape), atol=0.02)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"latitude": slice(0, 4)}, "budgets of the whole globe"),
        ({"level": slice(1, None)}, "that of 3 layers, and 2 are forecast"),
    ],
)
def test_parts_of_the_globe_and_of_the_column_are_refused(truth, part, said):
    with pytest.raises(ModelError, match=said):
        made(truth.isel(part))


def test_a_unit_that_is_none_of_the_quantity_is_named_with_what_lacks(truth):
    wrong = truth.assign(mean_evaporation_rate=truth["mean_evaporation_rate"].assign_attrs(units="K"))
    with pytest.raises(ModelError, match=r"evaporation.*'mean_evaporation_rate'"):
        made(wrong, ("moisture",))


@pytest.mark.parametrize(("name", "hours"), [("total_precipitation", 1), ("total_precipitation_24hr", 24)])
def test_amounts_of_other_hours_than_a_step_are_refused_where_they_close_a_budget(truth, name, hours):
    rain = (truth["mean_total_precipitation_rate"] * 3.6).assign_attrs(units="m")
    other = truth.drop_vars("mean_total_precipitation_rate").assign({name: rain})
    names = [n for n in [*TARGETS, name] if n in other]
    with pytest.raises(ModelError, match=rf"steps are 6 h: '{name}' counts {hours} h.*total_precipitation_6hr"):
        StepCorrections.of(Correct(what=("moisture",)), other[names], other)
    StepCorrections.of(Correct(what=("dry_air", "positivity")), other[names], other)  # which need no such thing
    both = other.assign(total_precipitation_6hr=rain)
    corrections = StepCorrections.of(Correct(what=("moisture",)), both[[*names, "total_precipitation_6hr"]], both)
    assert corrections.parts["precipitation"].variable == "total_precipitation_6hr"


@pytest.mark.parametrize("leads", [[24, 48], [6, 18], [12]])
def test_leads_that_leave_steps_out_are_refused_where_fluxes_close_a_budget(truth, leads):
    said, initial = forecast(truth, 8)
    said = said.isel(lead_time=slice(len(leads))).assign_coords(lead_time=np.array(leads).astype("timedelta64[h]"))
    with pytest.raises(ModelError, match=r"--set leads.step=6\."):
        made(truth, ("moisture",)).after(said, initial)
    made(truth, ("dry_air",)).after(said, initial)
