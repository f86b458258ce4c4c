"""Linear pattern scaling against scikit-learn, numpy.polyfit, numbers worked by hand and an exactly linear climate."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import LinearRegression

from climbench.errors import ModelError
from climbench.models.pattern_scaling import LinearPatternScaling, least_squares
from tests import synthetic

LATITUDE = np.linspace(-90.0, 90.0, 7)
LONGITUDE = np.arange(0.0, 360.0, 45.0)
SCENARIOS = {"ssp126": 30, "ssp585": 30, "historical": 50, "hist-aer": 50}


def scenario(co2, **fields):
    """Return a training scenario from forcings (time,) and maps (time, latitude, longitude)."""
    shape = np.shape(next(iter(fields.values())))
    coords = {
        "time": np.arange(2015, 2015 + shape[0]),
        "latitude": LATITUDE[: shape[1]] if shape[1] > 1 else [0.0],
        "longitude": LONGITUDE[: shape[2]],
    }
    maps = {name: (("time", "latitude", "longitude"), values) for name, values in fields.items()}
    return xr.Dataset({"CO2": ("time", np.asarray(co2, "f8")), **maps}, coords=coords)


def noisy(seed=0):
    """A climate that is roughly linear in CO2, with noise; hist-aer cools without any CO2."""
    rng = np.random.default_rng(seed)
    train = {}
    for name, years in SCENARIOS.items():
        co2 = np.zeros(years) if name == "hist-aer" else np.linspace(100.0, 100.0 * years, years)
        warming = 5e-4 * co2 if name != "hist-aer" else -np.linspace(0.0, 1.0, years)
        noise = rng.standard_normal((3, years, LATITUDE.size, LONGITUDE.size))
        tas = warming[:, None, None] * (1.0 + np.sin(np.deg2rad(LATITUDE))[:, None] ** 2) + 0.3 * noise[0]
        train[name] = scenario(co2, tas=tas, pr=0.1 * tas**2 + 0.3 * noise[1], pr90=noise[2])
    return train


def fit(train):
    emulator = LinearPatternScaling()
    emulator.fit(train, seed=0)
    return emulator


def pooled(train, name):
    return np.concatenate([s[name].values for s in train.values()])


def true_temperature(train):
    """The cos(latitude)-weighted global mean, in plain NumPy."""
    weights = np.cos(np.deg2rad(LATITUDE))
    return (pooled(train, "tas").mean(axis=2) * weights).sum(axis=1) / weights.sum()


def test_the_global_line_agrees_with_scikit_learn():
    train = noisy()
    line = LinearRegression().fit(pooled(train, "CO2")[:, None], true_temperature(train))
    intercept, slope = fit(train).global_fit
    assert intercept == pytest.approx(line.intercept_, rel=1e-10)
    assert slope == pytest.approx(line.coef_[0], rel=1e-10)


@pytest.mark.parametrize("name", ["tas", "pr", "pr90"])
def test_the_local_lines_agree_with_polyfit_on_the_true_temperature(name):
    train = noisy()
    values = pooled(train, name)
    slope, intercept = np.polyfit(true_temperature(train), values.reshape(len(values), -1), 1)
    patterns = fit(train).patterns
    np.testing.assert_allclose(patterns[f"{name}_slope"], slope.reshape(values.shape[1:]), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(patterns[f"{name}_intercept"], intercept.reshape(values.shape[1:]), rtol=1e-9, atol=1e-9)


def test_the_prediction_is_one_line_put_into_the_other():
    train = noisy()
    co2 = np.linspace(500.0, 4500.0, 21)
    temperature = LinearRegression().fit(pooled(train, "CO2")[:, None], true_temperature(train)).predict(co2[:, None])
    local = LinearRegression().fit(true_temperature(train)[:, None], pooled(train, "pr").reshape(160, -1))
    expected = local.predict(temperature[:, None]).reshape(21, LATITUDE.size, LONGITUDE.size)
    inputs = xr.Dataset({"CO2": ("time", co2)}, coords={"time": np.arange(2080, 2101)})
    prediction = fit(train).predict(inputs, seed=0)
    np.testing.assert_allclose(prediction["pr"], expected, rtol=1e-9, atol=1e-12)
    assert prediction["pr"].dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(prediction["time"], inputs["time"])


@pytest.mark.parametrize("seed", range(5))
def test_temperature_patterns_average_to_one_and_zero(seed):
    """Published property: each cell is linear in the global mean, so the mean of the lines is the line of the mean."""
    patterns = fit(noisy(seed)).patterns
    weights = np.cos(np.deg2rad(LATITUDE))[:, None] * np.ones(LONGITUDE.size)
    assert np.average(patterns["tas_slope"], weights=weights) == pytest.approx(1.0, abs=1e-12)
    assert np.average(patterns["tas_intercept"], weights=weights) == pytest.approx(0.0, abs=1e-12)
    assert abs(float(patterns["tas_slope"].mean()) - 1.0) > 1e-3, "the plain mean over cells must not do it"


def linear_world(*experiments):
    """Noiseless scenarios of the synthetic files: exactly linear in cumulative CO2; hist-aer has none."""
    forcings = {e: synthetic.inputs(e) for e in experiments}
    climate = {e: synthetic.outputs(e, members=1, noise=0.0).isel(member=0, drop=True) for e in experiments}
    return {
        e: climate[e].drop_vars("quantile").rename(lat="latitude", lon="longitude").assign(CO2=forcings[e]["CO2"])
        for e in experiments
    }


def test_a_linear_climate_is_recovered_exactly():
    emulator = fit(linear_world("ssp126", "ssp585", "historical", "hist-aer"))
    assert emulator.global_fit[0] == pytest.approx(0.0, abs=1e-12)
    assert emulator.global_fit[1] == pytest.approx(synthetic.SENSITIVITY, rel=1e-12)
    unseen = synthetic.inputs("ssp245")
    prediction = emulator.predict(unseen, seed=0)
    for name in ("tas", "pr", "pr90", "diurnal_temperature_range"):
        np.testing.assert_allclose(emulator.patterns[f"{name}_slope"], synthetic.pattern(name), rtol=1e-10)
        np.testing.assert_allclose(prediction[name], synthetic.forced("ssp245", name), rtol=1e-9)


def worked(co2, temperature, rain):
    """One cell on the equator, so that the global mean is the cell."""
    maps = {"tas": np.reshape(temperature, (-1, 1, 1)), "pr": np.reshape(rain, (-1, 1, 1))}
    return scenario(co2, **{name: values.astype("f8") for name, values in maps.items()})


def at(emulator, co2):
    inputs = xr.Dataset({"CO2": ("time", [float(co2)])}, coords={"time": [2100]})
    return emulator.predict(inputs, seed=0)["pr"].item()


def test_the_second_stage_is_fitted_on_the_true_temperature_and_not_again_on_the_first_stage():
    """By hand: C = 0 1 2 3, T = 0 2 1 3, y = 0 1 4 3.

    S_CC = 5, S_CT = 4, S_TT = 5, S_Ty = 3, S_Cy = 6. So T = 0.3 + 0.8 C and y = 1.1 + 0.6 T: at C = 4, T = 3.5 and
    y = 3.2. In one stage (which is also what a second fit on the first stage's output gives) y = 0.2 + 1.2 C = 5.
    """
    train = {"ssp126": worked([0, 1, 2, 3], [0, 2, 1, 3], [0, 1, 4, 3])}
    emulator = fit(train)
    assert emulator.global_fit == pytest.approx((0.3, 0.8))
    assert emulator.patterns["pr_intercept"].item() == pytest.approx(1.1)
    assert emulator.patterns["pr_slope"].item() == pytest.approx(0.6)
    assert at(emulator, 4) == pytest.approx(3.2)
    one_stage = np.polyval(np.polyfit([0, 1, 2, 3], [0, 1, 4, 3], 1), 4)
    assert one_stage == pytest.approx(5.0)


def test_cooling_without_co2_pulls_the_line_down():
    """By hand, hist-aer at C = 0 twice with T = -1, and (0, 0), (2, 2): S_CC = 3, S_CT = 4, so T = -2/3 + 4/3 C."""
    train = {"hist-aer": worked([0, 0], [-1, -1], [0, 0]), "ssp585": worked([0, 2], [0, 2], [0, 1])}
    assert fit(train).global_fit == pytest.approx((-2.0 / 3.0, 4.0 / 3.0))
    del train["hist-aer"]
    assert fit(train).global_fit == pytest.approx((0.0, 1.0))


def test_every_year_weighs_the_same_whatever_its_scenario():
    whole = noisy()
    together = xr.concat([s.drop_vars("time") for s in whole.values()], "time").assign_coords(time=np.arange(160))
    one = fit({"all": together})
    other = fit(dict(reversed(whole.items())))
    assert one.global_fit == pytest.approx(other.global_fit, rel=1e-10)
    xr.testing.assert_allclose(one.patterns, other.patterns, rtol=1e-9, atol=1e-12)


def test_only_carbon_dioxide_is_used():
    emulator = fit(noisy())
    assert (emulator.inputs, emulator.training_variables) == (("CO2",), ("tas",))
    inputs = xr.Dataset({"CO2": ("time", [1.0, 2.0])}, coords={"time": [2099, 2100]})
    more = inputs.assign(CH4=("time", [5.0, 9.0]))
    xr.testing.assert_identical(emulator.predict(inputs, seed=0), emulator.predict(more, seed=1))


def test_dimensions_count_by_name():
    train = noisy()
    turned = {name: s.transpose("latitude", "longitude", "time") for name, s in train.items()}
    xr.testing.assert_allclose(fit(turned).patterns, fit(train).patterns, rtol=1e-12)


def test_single_precision_is_fitted_in_double():
    train = noisy()
    single = {name: s.astype("float32") for name, s in train.items()}
    patterns = fit(single).patterns
    assert {v.dtype.name for v in patterns.values()} == {"float64"}
    xr.testing.assert_allclose(patterns, fit(train).patterns, rtol=1e-4, atol=1e-5)


def test_pieces_of_least_squares_add_up():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(9), rng.standard_normal((9, 2, 3))
    slope, intercept = np.polyfit(x, y.reshape(9, 6), 1)
    for cuts in ([], [4], [1, 2, 8]):
        found = least_squares(x, np.split(y, cuts))
        np.testing.assert_allclose(found[0].ravel(), intercept, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found[1].ravel(), slope, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 1500.1, 0.37, -1e-9])
def test_a_predictor_that_does_not_vary_is_refused(value):
    with pytest.raises(ModelError, match="the predictor is the same in all training years"):
        least_squares(np.full(86, value), [np.arange(86.0)[:, None]])


def test_a_predictor_that_varies_a_little_is_not():
    _, slope = least_squares(1.0 + 1e-6 * np.arange(5), [np.arange(5.0)[:, None]])
    assert slope.item() == pytest.approx(1e6, rel=1e-8)


def test_it_comes_back_from_its_folder_without_pickle(tmp_path, monkeypatch):
    emulator = fit(noisy())
    inputs = xr.Dataset({"CO2": ("time", [10.0, 4000.0])}, coords={"time": [2099, 2100]})
    expected = emulator.predict(inputs, seed=0)
    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.delattr(pickle, name)
    emulator.save(tmp_path / "fitted")
    again = LinearPatternScaling.load(tmp_path / "fitted")
    xr.testing.assert_identical(again.predict(inputs, seed=0), expected)
    assert again.global_fit == emulator.global_fit
    files = {file.name: file.read_bytes() for file in (tmp_path / "fitted").iterdir()}
    assert set(files) == {"patterns.nc", "global_fit.json"}
    assert json.loads(files["global_fit.json"]) == list(emulator.global_fit)
    assert files["patterns.nc"].startswith((b"\x89HDF", b"CDF"))


def test_it_must_be_fitted_first(tmp_path):
    inputs = xr.Dataset({"CO2": ("time", [1.0])}, coords={"time": [2100]})
    with pytest.raises(ModelError, match=r"was not fitted; call fit\(train, seed=\.\.\.\) or load"):
        LinearPatternScaling().predict(inputs, seed=0)
    with pytest.raises(ModelError, match="was not fitted; there is nothing to save"):
        LinearPatternScaling().save(tmp_path / "fitted")
    assert not (tmp_path / "fitted").exists()


def test_coefficients_are_counted():
    assert fit(noisy()).parameters == 2 + 3 * 2 * LATITUDE.size * LONGITUDE.size
