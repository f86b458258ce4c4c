"""Long roll-outs of toy forecasters whose growth, rotation and trend are known; and what a limiter does to fields."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.errors import RunError
from climbench.experiments.long_rollout import long_rollout
from climbench.experiments.long_rollout_figures import shown
from climbench.experiments.long_rollout_limiter import SpectralLimiter
from climbench.experiments.long_rollout_steps import Rollout
from climbench.experiments.long_rollout_tables import drift, summary_table
from climbench.experiments.long_rollout_truth import Truth
from climbench.harmonics import spherical_harmonics
from climbench.metrics.spectral_kernels import power
from climbench.progress import Progress

LATITUDE, LONGITUDE = np.arange(-84.375, 90.0, 11.25), np.arange(0.0, 360.0, 11.25)
STEP = np.timedelta64(6, "h")
WAVE = np.cos(2 * np.deg2rad(LONGITUDE)) * np.cos(np.deg2rad(LATITUDE))[:, None] ** 2


class Toy:
    """Maps the last state to the next; raises at a call where it is told to."""

    def __init__(self, rule, stop_at=None):
        self.rule, self.stop_at, self.calls = rule, stop_at, 0

    def predict(self, inputs, *, leads, members=1, seed):
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        last = inputs.isel(history=-1, drop=True)
        return self.rule(last).expand_dims(lead_time=leads, axis=1)


def truth_and_starts(count=2):
    turned = np.stack([np.roll(WAVE, n, axis=-1) for n in range(40)]).astype("float32")
    coords = {"latitude": LATITUDE, "longitude": LONGITUDE}
    series = xr.Dataset({"x": (("time", *coords), turned)}, {"time": np.arange(40), **coords})
    inits = np.datetime64("2100-01-01", "ns") + np.arange(count) * STEP
    first = xr.Dataset(
        {"x": (("init_time", "history", *coords), turned[:count, None])},
        {"init_time": inits, "history": np.zeros(1, "timedelta64[ns]"), **coords},
    )
    return Truth.of(series), first


class Anchor:
    """Keeps the global sum that the start has."""

    def targets(self, initial):
        return {"sum": initial["x"].sum(("latitude", "longitude"), dtype="float64").values}

    def after(self, said, initial, targets):
        lost = targets["sum"][:, None] - said["x"].sum(("latitude", "longitude"), dtype="float64")
        return (said + lost / WAVE.size).astype("float32")


def rolled(
    folder, rule, steps, *, limiter=None, powers_at=(1,), block=None, stop_at=None, static=None, corrections=None
):
    truth, starts = truth_and_starts()
    maps = xr.Dataset() if static is None else static
    made = Rollout(Toy(rule, stop_at), truth, starts, STEP, steps, powers_at, maps, limiter, corrections=corrections)
    if block:
        made = type("Blocked", (Rollout,), {"block": block})(*vars(made).values())
    return truth, made.into(folder / "unaided", Progress())


def test_growth_of_a_known_rate_blows_up_at_the_step_it_must(tmp_path):
    rate = 1.1  # the largest value is `high` at the start: rate^n > 10 first for n = 25, as 1.1^24 = 9.85
    truth, found = rolled(tmp_path, lambda x: (x * rate).astype("float32"), 40)
    assert found["blown"].tolist() == [25, 25]
    states = xr.open_zarr(tmp_path / "unaided" / "states.zarr", consolidated=False)["x"]
    assert states.dims == ("time", "prediction_timedelta", "latitude", "longitude")
    assert np.isfinite(states[:, :25]).all()
    assert np.isnan(states[:, 25:]).all()
    row = summary_table({"unaided": found}, truth, 6.0, ["K"], (1,)).iloc[0]
    assert (row["blown"], row["first_blow_up"], row["stable"]) == (2, 25, False)


def test_a_rotation_neither_drifts_nor_blows_up(tmp_path):
    truth, found = rolled(tmp_path, lambda x: x.roll(longitude=1), 120, powers_at=(1, 100))
    row = summary_table({"unaided": found}, truth, 6.0, ["K"], (1, 100)).iloc[0]
    assert row["stable"]
    assert row["excursion"] == pytest.approx(1.0)
    assert abs(row["drift_a_day"]) < 1e-8
    assert row["variance_ratio"] == pytest.approx(1.0, rel=1e-6)
    assert found["power"].shape[:2] == (2, 2)


def test_static_maps_are_given_at_every_step_and_are_no_part_of_the_state(tmp_path):
    ground = xr.Dataset({"ground": (("latitude", "longitude"), 0.01 * WAVE)})
    _, found = rolled(tmp_path, lambda x: (x[["x"]] + x["ground"]).astype("float32"), 20, static=ground)
    states = xr.open_zarr(tmp_path / "unaided" / "states.zarr", consolidated=False)
    assert list(states) == ["x"]
    np.testing.assert_allclose(states["x"][0, -1], (1.0 + 0.01 * 20) * WAVE, atol=1e-5)
    assert not found["blown"].any()


def test_states_in_layers_have_what_says_where_they_lie(tmp_path):
    truth, starts = truth_and_starts()
    edges = xr.Dataset({"ak": ("interface", np.array([0.0, 2e4, 0.0]), {"units": "Pa"})})
    made = Rollout(Toy(lambda x: x, None), truth, starts, STEP, 3, (1,), xr.Dataset(), vertical=edges)
    made.into(tmp_path, Progress())
    xr.testing.assert_identical(xr.open_zarr(tmp_path / "states.zarr", consolidated=False)[["ak"]].load(), edges)


def test_a_known_trend_is_recovered_within_its_error(tmp_path):
    _, found = rolled(tmp_path, lambda x: x + np.float32(0.01), 50)
    slope, _ = drift(found["mean"][:, :, 0], np.arange(50) / 4.0)
    assert slope == pytest.approx(0.04, rel=1e-4)
    noise = np.zeros((1000, 200))
    shocks = np.random.default_rng(1).normal(size=noise.shape)
    for n in range(1, 1000):
        noise[n] = 0.8 * noise[n - 1] + shocks[n]
    days = np.arange(1000.0)
    slopes, errors = np.transpose([drift(series[:, None] + 0.002 * days[:, None], days) for series in noise.T])
    assert errors.mean() == pytest.approx(slopes.std(), rel=0.2)  # white noise would be a third of it
    assert slopes.mean() == pytest.approx(0.002, abs=4 * slopes.std() / 200**0.5)


def test_a_killed_rollout_goes_on_to_the_same_bytes(tmp_path):
    def rule(x):
        return (x.roll(longitude=1) * 1.003 + 1e-3).astype("float32")

    _, whole = rolled(tmp_path / "whole", rule, 20, block=6)
    with pytest.raises(KeyboardInterrupt):
        rolled(tmp_path / "cut", rule, 20, block=6, stop_at=16)
    _, resumed = rolled(tmp_path / "cut", rule, 20, block=6)
    for part, values in whole.items():
        np.testing.assert_array_equal(resumed[part], values)
    stores = [tmp_path / name / "unaided" / "states.zarr" for name in ("whole", "cut")]
    files = [{f.relative_to(s): f.read_bytes() for f in s.rglob("*") if f.is_file()} for s in stores]
    assert files[0] == files[1]
    assert len(files[0]) > 4


def test_corrections_keep_what_the_start_has_and_a_killed_rollout_goes_on_to_the_same_bytes(tmp_path):
    """Each start keeps its own, also after the first, whose waves grow, has blown up at its second step."""

    def rule(x):
        row = x["x"].isel(latitude=8, drop=True)
        grows = xr.where(row.isel(longitude=0, drop=True) > row.isel(longitude=1, drop=True), 9.0, 1.0)
        return ((x + 0.7) * grows).transpose("init_time", ...).astype("float32")

    found = {}
    for name, stop_at in (("whole", None), ("cut", 15)):
        if stop_at:
            with pytest.raises(KeyboardInterrupt):
                rolled(tmp_path / name, rule, 18, block=6, corrections=Anchor(), stop_at=stop_at)
        rolled(tmp_path / name, rule, 18, block=6, corrections=Anchor())
        store = tmp_path / name / "unaided" / "states.zarr"
        found[name] = xr.open_zarr(store, consolidated=False)["x"].load()
    xr.testing.assert_identical(found["whole"], found["cut"])
    sums = found["whole"].sum(("latitude", "longitude"), skipna=False, dtype="float64")
    assert np.isnan(sums[0, -1])
    np.testing.assert_allclose(sums[1], truth_and_starts()[1]["x"][1].sum(), atol=1e-3)


def test_a_limiter_leaves_what_is_below_the_cap_and_scales_the_rest_to_it():
    transform = spherical_harmonics(LATITUDE, LONGITUDE)
    field = WAVE[None].astype("float32")
    own = power(field.astype("float64"), transform)
    assert power(2.0 * field, transform)[0, 2] / own[0, 2] == pytest.approx(4.0)
    caps = 1.2 * np.append(np.maximum(own, 1e-9), 1e-9)[None]
    limiter = SpectralLimiter(transform, np.zeros_like(field), caps)
    noise = 3.0 * (-1.0) ** np.arange(LONGITUDE.size) * np.ones_like(field)  # the shortest wave, of no degree
    quiet, acted = limiter((field + noise).astype("float32"))
    assert np.flatnonzero(acted[0]).tolist() == [transform.degree + 1]
    np.testing.assert_allclose(quiet, field + noise * (1.2e-9 / 9.0) ** 0.5, atol=1e-5)
    limited, hits = limiter(np.stack([field, 2.0 * field]))
    np.testing.assert_array_equal(limited[0], field)
    assert not hits[0].any()
    strong = np.flatnonzero(4.0 * own[0] > 1.2 * np.maximum(own[0], 1e-9))
    assert strong.tolist() == [2]  # cos(2 longitude) cos(latitude)^2 is the harmonic of degree 2 and order 2
    assert np.flatnonzero(hits[1, 0]).tolist() == [2]
    assert power(limited[1], transform)[0, 2] == pytest.approx(1.2 * own[0, 2], rel=1e-5)


def test_the_hit_rate_is_the_share_of_degrees_and_states(tmp_path):
    truth, _ = truth_and_starts()
    limiter = SpectralLimiter(truth.transform, truth.usual, np.maximum(1.2 * truth.largest, 1e-9))
    _, found = rolled(tmp_path, lambda x: (x * 2.0).astype("float32"), 5, limiter=limiter)
    row = summary_table({"limited": found}, truth, 6.0, ["K"], (1,)).iloc[0]
    assert row["blown"] == 0
    assert row["hit_rate"] == pytest.approx(1.0 / (truth.transform.degree + 2))  # degree 2 alone, at every step


@pytest.mark.parametrize(
    ("tall", "flat", "drawn"), [(0, 4, [0, 1, 2, 3]), (1, 0, [1, 2, 3, 4, 5, 6]), (4, 3, [4, 12, 20, 28, 32, 33])]
)
def test_of_many_fields_each_variable_has_some_drawn(tall, flat, drawn):
    """Variables of eight levels come first: of one of them six levels inside, of four the fifth of each."""
    levels = {f"t{n}": ("level", np.zeros(8)) for n in range(tall)}
    assert shown(xr.Dataset(levels | {f"f{n}": 0.0 for n in range(flat)})) == drawn


@pytest.mark.parametrize(("changes", "said"), [({"steps": 0}, "--steps is 0"), ({"starts": 0}, "--starts is 0")])
def test_numbers_that_make_no_rollout_are_refused(tmp_path, changes, said):
    with pytest.raises(RunError, match=said):
        long_rollout(tmp_path, "persistence", **changes)
