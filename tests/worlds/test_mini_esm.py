"""mini-esm against analytic cases, its own stated truth, and the layout it imitates."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

from climbench.cards import find_dataset
from climbench.errors import DataError
from climbench.worlds import aerosols, emissions, patterns, variability
from climbench.worlds import energy_balance as balance
from climbench.worlds.forced_climate import drivers, warming
from climbench.worlds.mini_esm import MiniESM
from climbench.worlds.parameters import MODELS, Parameters

WORLD = MiniESM()


def test_doubled_carbon_dioxide_forces_by_5_35_ln_2():
    assert balance.forcing_carbon_dioxide(np.array([2 * balance.CO2_1850]))[0] == pytest.approx(3.708, abs=1e-3)


def test_unit_masses_of_air():
    # 2.13 PgC/ppm and 7.8 GtCO2/ppm are the usual round numbers (Joos et al. 2013 take 2.12).
    assert pytest.approx(2.13, abs=0.01) == balance.PGC_PER_PPM
    assert pytest.approx(7.8, abs=0.02) == balance.GTCO2_PER_PPM


def test_a_pulse_of_carbon_stays_as_the_response_function_says():
    pulse = np.zeros(101)
    pulse[0] = 100.0
    left = (balance.carbon_dioxide(pulse) - balance.CO2_1850) * balance.PGC_PER_PPM / 100.0
    assert left[0] == pytest.approx(1.0)
    by_hand = 0.2173 + 0.2240 * np.exp(-100 / 394.4) + 0.2824 * np.exp(-100 / 36.54) + 0.2763 * np.exp(-100 / 4.304)
    assert left[100] == pytest.approx(by_hand)


def test_methane_settles_where_emission_and_loss_balance():
    emitted = np.full(200, 40.0)
    emitted[1:] += 100.0
    excess = (balance.methane(emitted)[-1] - balance.CH4_1850) * balance.TGCH4_PER_PPB
    assert excess == pytest.approx(100.0 * 9.1, rel=1e-6)


LINEAR = balance.TwoBoxModel(feedback=1.13, weakening=0.0)


def test_energy_balance_settles_at_forcing_over_feedback():
    upper, deep = LINEAR.respond(np.full(5000, 3.708))
    assert upper[-1] == pytest.approx(3.708 / 1.13, rel=1e-4)
    assert deep[-1] == pytest.approx(3.708 / 1.13, rel=1e-4)


def test_energy_balance_agrees_with_its_eigenmodes():
    """Geoffroy et al. (2013): the response to a step is a sum of two exponentials where the feedback is constant."""
    model = LINEAR
    matrix = np.array(
        [
            [-(model.feedback + model.exchange) / model.upper, model.exchange / model.upper],
            [model.exchange / model.deep, -model.exchange / model.deep],
        ]
    )
    values, vectors = np.linalg.eig(matrix)
    start = np.linalg.solve(vectors, -np.ones(2) / model.feedback)
    years = np.arange(1, 101)
    exact = 1 / model.feedback + (vectors[0] * start) @ np.exp(np.outer(values, years))
    np.testing.assert_allclose(model.respond(np.ones(100))[0], exact, rtol=1e-8)


@pytest.mark.parametrize(("forcing", "settled"), [(3.708, 3.3189), (7.416, 7.9608)])
def test_a_weakening_feedback_settles_at_the_smaller_root(forcing, settled):
    """By hand: 0.04 T^2 - 1.25 T + F = 0; the second doubling of carbon dioxide warms more than the first."""
    assert (1.25 - np.sqrt(1.25**2 - 0.16 * forcing)) / 0.08 == pytest.approx(settled, abs=1e-4)
    upper, _ = balance.TwoBoxModel().respond(np.full(8000, forcing))
    assert upper[-1] == pytest.approx(settled, abs=1e-4)


def test_a_weakening_feedback_agrees_with_an_adaptive_solver():
    model = balance.TwoBoxModel()
    forcing = np.linspace(0.1, 8.0, 120)
    state, exact = np.zeros(2), []
    for value in forcing:
        solved = solve_ivp(lambda _, y, f: model.rates(*y, f), (0, 1), state, args=(value,), rtol=1e-11, atol=1e-12)
        state = solved.y[:, -1]
        exact.append(state)
    np.testing.assert_allclose(np.stack(model.respond(forcing), axis=1), exact, rtol=1e-7)


def test_energy_is_conserved():
    model = balance.TwoBoxModel()
    fine = balance.TwoBoxModel(upper=model.upper * 1000, deep=model.deep * 1000)  # 1000 steps of a thousandth year
    upper, deep = fine.respond(np.ones(50_000))
    stored = model.upper * upper[-1] + model.deep * deep[-1]
    middle = upper - 0.5 * np.diff(upper, prepend=0.0)
    absorbed = (1.0 - (model.feedback - model.weakening * middle) * middle).sum() / 1000
    assert stored == pytest.approx(absorbed, rel=1e-5)


def test_sulfur_forces_by_a_line_and_a_logarithm_at_each_place():
    parameters = Parameters(direct=-2e-4, indirect=-3.0)
    now, before = np.zeros((1, 32, 64)), np.zeros((32, 64))
    now[0, 16, 34], before[16, 34] = 12_000.0, 2_000.0  # mid-Pacific: sea alone, 2 Tg S/yr of nature's own
    assert patterns.land_fraction()[16, 34] < 0.01
    by_hand = -2e-4 * 10_000 - 3.0 * np.log(14_000 / 4_000)
    found = aerosols.forcing(now, before, parameters)
    assert found[0, 16, 34] == pytest.approx(by_hand, rel=0.01)
    assert not np.delete(found.ravel(), 16 * 64 + 34).any()


def test_forcing_by_sulfur_saturates_and_depends_on_where_it_is_emitted():
    alone = lambda total, region: patterns.cosine_mean(  # noqa: E731
        aerosols.forcing(aerosols.haze(np.array([total]), np.eye(5)[[region]]), np.zeros((32, 64)), Parameters())
    )[0]
    assert alone(20_000.0, 2) > 1.7 * alone(10_000.0, 2)  # both negative: twice the sulfur, not twice the forcing
    assert alone(20_000.0, 2) < alone(10_000.0, 2)
    assert abs(alone(10_000.0, 4) / alone(10_000.0, 1) - 1.0) > 0.1


def test_the_response_to_aerosols_is_not_a_line_in_their_emissions():
    """A regression of the forcing by sulfur on emissions of all regions leaves a rest, in the scenarios themselves."""
    rows, values = [], []
    for scenario in ("ssp126", "ssp245", "ssp370", "ssp585"):
        driven = drivers(scenario, Parameters())
        years = np.arange(1850, 2101)
        sulfur = emissions.yearly_totals(scenario)["so2"][:, None] * emissions.regional_shares(years)
        rows.append(np.column_stack([np.ones(years.size), sulfur]))
        values.append(patterns.cosine_mean(driven.sulfate))
    design, forcing = np.concatenate(rows), np.concatenate(values)
    rest = forcing - design @ np.linalg.lstsq(design, forcing, rcond=None)[0]
    assert rest.std() > 0.02 * forcing.std()


def test_greenhouse_gases_and_aerosols_do_not_add_up():
    """The feedback depends on temperature: aerosols cool a warmer world by more."""
    together, alone = warming("historical", Parameters()), warming("hist-aer", Parameters())
    assert together.aerosol[-1] < alone.aerosol[-1] < 0.0
    linear = Parameters(weakening=0.0)
    np.testing.assert_allclose(warming("historical", linear).aerosol, warming("hist-aer", linear).aerosol, atol=1e-12)


@pytest.mark.parametrize("pattern", [patterns.greenhouse_pattern, patterns.aerosol_pattern])
def test_response_patterns_have_mean_one(pattern):
    assert patterns.cosine_mean(pattern()) == pytest.approx(1.0, abs=1e-12)


def test_greenhouse_gases_and_aerosols_differ_in_pattern():
    correlation = np.corrcoef(patterns.greenhouse_pattern().ravel(), patterns.aerosol_pattern().ravel())[0, 1]
    assert 0.2 < correlation < 0.95


@pytest.mark.parametrize("scenario", ["ssp126", "ssp245", "ssp370", "ssp585"])
def test_cumulative_carbon_dioxide_is_climatebenchs(cesm2, scenario):
    ours = WORLD.inputs(scenario)
    with xr.open_dataset(cesm2 / f"inputs_{scenario}.nc") as theirs:
        np.testing.assert_allclose(ours["CO2"].values, theirs["CO2"].values, rtol=0.03)
        np.testing.assert_allclose(ours["CO2"].values[-1], theirs["CO2"].values[-1], rtol=0.01)


def test_input_maps_add_up_to_the_totals():
    maps = WORLD.inputs("ssp245")
    half = np.deg2rad(90.0 / 32)
    lat = np.deg2rad(maps["latitude"].values)
    area = 6.371e6**2 * (np.sin(lat + half) - np.sin(lat - half)) * 2 * np.pi / 64
    total = (maps["SO2"].values.astype("f8") * area[:, None]).sum(axis=(1, 2))
    sulfur = total * 365 * 86400 * 32.06 / 64.066 / 1e6  # kg SO2 / s -> Gg S / yr
    np.testing.assert_allclose(sulfur, emissions.yearly_totals("ssp245")["so2"][165:], rtol=1e-5)


def test_single_forcing_experiments_lack_the_other_forcing():
    greenhouse, aerosol = WORLD.inputs("hist-GHG"), WORLD.inputs("hist-aer")
    assert not greenhouse["SO2"].values.any()
    assert not greenhouse["BC"].values.any()
    assert not aerosol["CO2"].values.any()
    assert not aerosol["CH4"].values.any()
    cooling = patterns.cosine_mean(WORLD.forced_response("hist-aer")["tas"].values)
    assert cooling[-30:].mean() < -0.1


def test_control_is_the_zero_of_all_anomalies():
    forced = WORLD.forced_response("piControl")
    assert all(abs(forced[name]).max() < 1e-15 for name in forced)


def test_climate_is_of_realistic_size():
    mean = lambda e, y: float(patterns.cosine_mean(WORLD.forced_response(e, y)["tas"].values).mean())  # noqa: E731
    assert 0.8 < mean("historical", (2005, 2014)) < 1.3
    assert 2.0 < mean("ssp245", (2080, 2100)) < 2.9
    assert mean("ssp126", (2080, 2100)) < mean("ssp245", (2080, 2100)) < mean("ssp370", (2080, 2100))


def test_forced_response_is_the_mean_over_many_members():
    members = WORLD.members("ssp370", range(1, 301), seed=5, years=(2090, 2092)).astype("f8")
    truth = WORLD.forced_response("ssp370", (2090, 2092))
    for name in truth:
        error = (members[name].mean("member") - truth[name]) / (members[name].std("member", ddof=1) / np.sqrt(300))
        assert abs(float(error.mean())) < 0.35
        assert float((error**2).mean()) == pytest.approx(1.0, abs=0.35)


def test_a_member_is_the_same_whatever_is_asked_for():
    whole = WORLD.members("ssp126", range(1, 6), seed=3)
    alone = WORLD.members("ssp126", [4], seed=3, years=(2050, 2060))
    xr.testing.assert_identical(whole.sel(member=[4], time=slice(2050, 2060)), alone)


def test_seeds_and_members_and_experiments_differ():
    first = WORLD.members("ssp126", [1, 2], seed=0, years=(2050, 2051))["tas"].values
    other = WORLD.members("ssp126", [1], seed=1, years=(2050, 2051))["tas"].values
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first[0], other[0])


def test_global_mean_varies_by_0_12_kelvin_and_is_red():
    series = patterns.cosine_mean(WORLD.members("piControl", range(1, 13))["tas"].values.astype("f8"))
    assert series.std(axis=1).mean() == pytest.approx(0.12, abs=0.012)
    lagged = np.mean([np.corrcoef(row[:-1], row[1:])[0, 1] for row in series])
    assert 0.3 < lagged < 0.7


def test_oscillation_has_variance_one_and_a_period_of_two_to_seven_years():
    series = np.stack([variability.oscillation(np.random.default_rng(k), 512) for k in range(40)])
    assert series.std() == pytest.approx(1.0, abs=0.03)
    power = (abs(np.fft.rfft(series, axis=1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(512)
    smooth = np.convolve(power, np.ones(9) / 9, "same")[5:]
    assert 2.0 < 1.0 / frequency[5:][smooth.argmax()] < 7.0


def test_variability_is_red_in_space():
    field = WORLD.members("piControl", [1])["tas"].values[0].astype("f8")
    power = (abs(np.fft.rfft(field[:, 12:20], axis=2)) ** 2).mean(axis=(0, 1))
    assert power[1:4].mean() > 10 * power[12:16].mean()


def test_precipitation_has_a_forced_part_that_pattern_scaling_cannot_follow():
    """Pattern scaling fitted on the truth itself: what it misses, in units of three-member noise."""
    train = ("ssp126", "ssp370", "ssp585", "hist-GHG", "hist-aer", "historical")
    truth = {e: WORLD.forced_response(e) for e in train}
    warming = np.concatenate([patterns.cosine_mean(truth[e]["tas"].values) for e in train])
    centred = warming - warming.mean()
    test = WORLD.forced_response("ssp245", (2080, 2100))
    drive = patterns.cosine_mean(test["tas"].values).mean() - warming.mean()
    members = WORLD.members("ssp245", range(1, 31), years=(2080, 2100)).astype("f8").mean("time")
    missed = {}
    for name in ("tas", "pr"):
        fields = np.concatenate([truth[e][name].values for e in train])
        slope = np.tensordot(centred, fields, axes=1) / (centred**2).sum()
        error = fields.mean(axis=0) + slope * drive - test[name].values.mean(axis=0)
        noise = patterns.cosine_mean(members[name].var("member", ddof=1).values) / 3
        missed[name] = np.sqrt(patterns.cosine_mean(error**2) / noise)
    assert missed["pr"] > 1.2
    assert missed["tas"] < 1.0


def test_the_embedded_seed_is_the_first_with_a_typical_target():
    """As its card says: true noise of the three-member mean, and the floor, within 10 % of their expectation."""
    truth = WORLD.forced_response("ssp245", (2080, 2100)).mean("time")
    found = []
    for seed in range(150):
        means = WORLD.members("ssp245", (1, 2, 3), seed=seed, years=(2080, 2100)).astype("f8").mean("time")
        noise = (means.mean("member") - truth) ** 2, means.var("member", ddof=1) / 3
        found.append([[patterns.cosine_mean(part[v].values) for v in truth] for part in noise])
    sizes = np.sqrt(found)
    ratio = sizes / np.sqrt((sizes**2).mean(axis=(0, 1)))
    typical = np.flatnonzero(abs(ratio - 1).max(axis=(1, 2)) < 0.1)
    assert typical[0] == find_dataset("mini-esm").world.seed


def test_files_have_climatebenchs_layout(tmp_path):
    WORLD.write(tmp_path, members=2)
    assert not (tmp_path / "inputs_piControl.nc").exists()
    with (
        xr.open_dataset(tmp_path / "outputs_ssp245.nc") as outputs,
        xr.open_dataset(tmp_path / "inputs_ssp245.nc") as inputs,
    ):
        assert outputs["tas"].dims == ("member", "time", "lat", "lon")
        assert float(outputs["quantile"]) == 0.9
        assert outputs["member"].values.tolist() == [1, 2]
        assert outputs["time"].values.tolist() == list(range(2015, 2101))
        assert inputs["SO2"].dims == ("time", "latitude", "longitude")
        assert outputs["pr"].attrs["units"] == "kg m-2 s-1"
        for data in (outputs, inputs):
            assert '"world": "mini-esm"' in data.attrs["climbench_world"]
            assert "simulated" in data.attrs["title"]
    with xr.open_dataset(tmp_path / "inputs_1pctCO2.nc") as idealised:
        assert idealised["SO2"].dims == ()
        assert float(idealised["CO2"][69]) == pytest.approx((1.01**70 - 1) * balance.CO2_1850 * balance.GTCO2_PER_PPM)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        WORLD.write(folder, members=1, seed=7)
        digests.append([hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())])
    assert digests[0] == digests[1]


def test_unknown_experiments_and_years_are_named():
    with pytest.raises(DataError, match="Did you mean 'ssp245'"):
        WORLD.years("ssp24")
    with pytest.raises(DataError, match=r"2015..2100"):
        WORLD.forced_response("ssp245", (2000, 2010))


def test_a_variable_is_the_same_whatever_others_are_written():
    both = MiniESM().members("ssp126", [2], seed=3, years=(2050, 2060))
    for name in both:
        alone = MiniESM(variables=[name]).members("ssp126", [2], seed=3, years=(2050, 2060))
        xr.testing.assert_identical(both[[name]], alone)


def test_models_differ_in_their_response_and_in_their_members():
    ends = {m: MiniESM(m).forced_response("ssp245", (2081, 2100))["tas"].mean("time").values for m in MODELS}
    globes = {m: patterns.cosine_mean(field) for m, field in ends.items()}
    assert globes["mini-esm-warm"] > 1.15 * globes["mini-esm"] > 1.15**2 * globes["mini-esm-cool"]
    shapes = {m: ends[m] / globes[m] for m in MODELS}
    assert shapes["mini-esm-arctic"][-1].mean() > 1.2 * shapes["mini-esm"][-1].mean()
    noise = [
        MiniESM(m, variables=["tas"]).members("piControl", range(1, 13))["tas"].values.astype("f8")
        for m in ("mini-esm", "mini-esm-calm")
    ]
    assert noise[1].std() == pytest.approx(0.8 * noise[0].std(), rel=0.05)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1


def test_a_world_is_found_again_by_its_mark():
    mark = MiniESM("mini-esm-hazy").mark(3, 7)
    assert (mark["world"], mark["model"], mark["seed"], mark["members"]) == ("mini-esm", "mini-esm-hazy", 7, 3)
    assert MiniESM.of_mark(mark).parameters == MODELS["mini-esm-hazy"]
    assert MiniESM.of_mark(WORLD.mark(3, 0)).model == "mini-esm"
    with pytest.raises(DataError, match="made by version 1 of mini-esm"):
        MiniESM.of_mark({"world": "mini-esm", "version": "1"})


@pytest.mark.parametrize(
    ("arguments", "offered"),
    [
        ({"model": "mini-esm-hot"}, "mini-esm"),
        ({"experiments": ["ssp24"]}, "ssp245"),
        ({"variables": ["tass"]}, "tas"),
    ],
)
def test_unknown_models_experiments_and_variables_are_named(arguments, offered):
    with pytest.raises(DataError, match=f"Did you mean '{offered}"):
        MiniESM(**arguments)
