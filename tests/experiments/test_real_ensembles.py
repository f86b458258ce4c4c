"""The members experiment on real ensembles: CSIRO-Mk3-6-0 with ten members, and PCM with four.

Both are brought into ClimateBench's layout. Carbon dioxide is that of the nearest shared socioeconomic pathway, which
is all that pattern scaling asks for.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climbench.experiments.members import members
from climbench.experiments.sampler import member_subsets

PATHWAYS = {"historical": "ssp245", "rcp26": "ssp126", "rcp45": "ssp245", "rcp85": "ssp585"}
GRID = {"lat": [-30.0, 30.0], "lon": [0.0, 180.0]}  # for a series that is the same everywhere


@pytest.fixture(autouse=True)
def without_figures(monkeypatch):
    monkeypatch.setattr("climbench.experiments.members_record._write_report", lambda *_: None)


def cumulative_carbon_dioxide(shared_data, pathway, years):
    table = pd.read_csv(
        shared_data / "emissions" / f"{pathway}_emiss-constraints_rf.csv", comment=";", index_col="Date"
    )
    total = table["ffi_emissions"].loc[1850:].cumsum() * 44.01 / 12.011
    return xr.Dataset({"CO2": ("time", total.loc[years].values)}, coords={"time": years})


def write(folder, experiment, fields, carbon):
    fields.to_netcdf(folder / f"outputs_{experiment}.nc")
    carbon.to_netcdf(folder / f"inputs_{experiment}.nc")


@pytest.fixture(scope="module")
def csiro(shared_data, tmp_path_factory):
    """Annual global means of ten members, as anomalies from the first thirty years, on a grid of four equal cells."""
    folder = tmp_path_factory.mktemp("csiro")
    series = {}
    for name, units in (("tas", "K"), ("pr", "mm/day")):
        with xr.open_dataset(shared_data / "cmip5-ensembles" / f"cmip5_{name}_global.nc") as data:
            runs = data[name].sel(model="CSIRO-Mk3-6-0", drop=True).load().dropna("run", how="all")
        runs = runs.assign_coords(time=runs["time"].dt.year, run=np.arange(1, runs.sizes["run"] + 1))
        base = runs.sel(scen="historical", time=slice(1850, 1879)).mean()
        series[name] = (runs - base).rename(run="member").assign_attrs(units=units)
    for experiment, pathway in PATHWAYS.items():
        chosen = xr.Dataset(series).sel(scen=experiment, drop=True).dropna("time", how="all")
        assert chosen.sizes["member"] == 10
        fields = chosen.expand_dims(GRID).transpose("member", "time", "lat", "lon")
        write(folder, experiment, fields, cumulative_carbon_dioxide(shared_data, pathway, fields["time"].values))
    return folder


@pytest.fixture(scope="module")
def pcm(shared_data, tmp_path_factory):
    """Maps of four members: the years to 1979 to learn from, those after to be predicted."""
    folder = tmp_path_factory.mktemp("pcm")
    with xr.open_dataset(shared_data / "pcm" / "pcm_tas_annual_all-forcing.nc") as data:
        maps = data.rename(year="time").load()
    maps = (maps - maps.sel(time=slice(1890, 1919)).mean(("member", "time"))).transpose("member", "time", "lat", "lon")
    maps["tas"].attrs["units"] = "K"
    for experiment, years in (("early", slice(1890, 1979)), ("late", slice(1980, 1999))):
        part = maps.sel(time=years)
        write(folder, experiment, part, cumulative_carbon_dioxide(shared_data, "ssp245", part["time"].values))
    return folder


def test_csiro_with_ten_members(csiro, tmp_path):
    settings = {"targets": ["tas", "pr"], "train": ["historical", "rcp26", "rcp85"], "validation": []}
    settings |= {"test.scenario": "rcp45", "test.years": [2079, 2099]}
    found = members("climatebench", ["lps", "no-change"], data=csiro, set=settings, out=tmp_path / "run")
    assert found.asked["n"] == [1, 2, 3, 5, 10]
    assert found.data.kind == "real"
    scores = found.scores.set_index(["model", "variable", "metric", "target", "n"]).sort_index()["value"]
    lps = scores["lps", "tas", "rmse_spatial"]
    assert lps["all", 1] < 1.5 * lps["all", 10]  # nearly flat in the members averaged
    assert lps["same", 1] > lps["all", 1]  # a single member as the target adds its own variability
    assert (found.scores["floor"] > 0.0).all()
    spatial = found.verdicts[(found.verdicts["variable"] == "tas") & (found.verdicts["metric"] == "rmse_spatial")]
    assert spatial["verdict"].tolist() == ["worse"] * 5  # no change against pattern scaling
    assert found.crossovers[found.crossovers["variable"] == "tas"]["n"].isna().all()


def test_csiro_by_two_straight_lines(csiro, tmp_path):
    """The draw of seed 44 by hand: NumPy's straight lines through the members' means."""
    settings = {"targets": ["pr"], "train": ["historical", "rcp26", "rcp85"], "validation": []}
    settings |= {"test.scenario": "rcp45", "test.years": [2079, 2099]}
    found = members("climatebench", ["lps"], n=[3], draws=3, data=csiro, set=settings, out=tmp_path / "run").draws
    row = found[(found["memberseed"] == 44) & (found["metric"] == "rmse_global") & (found["target"] == "same")]
    subset = list(member_subsets(range(1, 11), 44)[2])
    train = [xr.load_dataset(csiro / f"outputs_{s}.nc").sel(member=subset) for s in settings["train"]]
    carbon = np.concatenate([xr.load_dataset(csiro / f"inputs_{s}.nc")["CO2"].values for s in settings["train"]])
    tas, pr = (np.concatenate([d[v].mean("member")[:, 0, 0].values for d in train]) for v in ("tas", "pr"))
    test = xr.load_dataset(csiro / "outputs_rcp45.nc").sel(member=subset, time=slice(2079, 2099))
    driven = xr.load_dataset(csiro / "inputs_rcp45.nc")["CO2"].sel(time=slice(2079, 2099)).values
    predicted = np.polyval(np.polyfit(tas, pr, 1), np.polyval(np.polyfit(carbon, tas, 1), driven))
    error = predicted - test["pr"].mean("member")[:, 0, 0].values
    assert row["value"].item() == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)


def test_pcm_with_four_members(pcm, tmp_path):
    settings = {"targets": ["tas"], "train": ["early"], "validation": []}
    settings |= {"test.scenario": "late", "test.years": [1980, 1999]}
    found = members("climatebench", ["lps", "no-change"], data=pcm, set=settings, out=tmp_path / "run")
    assert found.asked["n"] == [1, 2, 3, 4]
    scores = found.scores.set_index(["model", "metric", "target", "n"]).sort_index()
    for n in (1, 2, 3):
        assert (
            scores.loc[("lps", "rmse_spatial", "same", n)]["floor"]
            > scores.loc[("lps", "rmse_spatial", "same", n + 1)]["floor"]
        )
    lps = scores["value"]["lps", "rmse_spatial", "all"]
    assert lps[4] < lps[1]
    assert set(found.verdicts["n"]) == {1, 2, 3, 4}
    assert found.verdicts["low"].notna().all()
