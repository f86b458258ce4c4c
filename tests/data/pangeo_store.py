"""A small simulated model of CMIP6 as Pangeo has it, monthly and absolute, with ClimateBench's forcings beside it."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from climbench.cards import find_dataset
from climbench.data.readers.cmip_scenarios import CmipScenarios
from climbench.data.readers.pangeo import PangeoReader
from climbench.data.readers.plain import PlainReader
from tests import synthetic
from tests.data.readers.cmip_files import months

COLUMNS = "activity_id,institution_id,source_id,experiment_id,member_id,table_id,variable_id,grid_label,zstore,version"
EXPERIMENTS = {"historical": (1850, 165), "ssp126": (2015, 40), "ssp585": (2015, 40)}
MEMBERS = ("r1i1p1f1", "r2i1p1f1")
MEAN, SEASON = {"tas": 280.0, "pr": 3e-5}, {"tas": 10.0, "pr": 1e-5}
UNITS = {"tas": "K", "pr": "kg m-2 s-1"}


def carbon(experiment):
    """Return cumulative emissions in GtCO2: a slow rise to 1500 in 2014, and then a constant rate."""
    begin, count = EXPERIMENTS[experiment]
    years = np.arange(begin, begin + count)
    if experiment == "historical":
        return years, 1500.0 * np.exp((years - 2014) / 40.0)
    return years, 1500.0 + synthetic.EMISSIONS[experiment] * (years - 2014)


def output(experiment, member, variable):
    """Return monthly means: the season, a change in proportion to the emissions, and noise."""
    years, emitted = carbon(experiment)
    rng = np.random.default_rng([MEMBERS.index(member), *experiment.encode(), *variable.encode()])
    change = synthetic.SENSITIVITY * emitted[:, None, None] * synthetic.pattern(variable)
    size = 0.2 * float(np.abs(synthetic.pattern(variable)).mean())
    season = SEASON[variable] * np.cos(2 * np.pi * np.arange(12) / 12)[:, None, None]
    monthly = MEAN[variable] + season + (change + size * rng.standard_normal(change.shape))[:, None]
    coordinates = {
        "time": months(int(years[0]), years.size),
        "lat": synthetic.LATITUDE,
        "lon": synthetic.LONGITUDE,
    }
    values = monthly.reshape(-1, *change.shape[1:]).astype("f4")
    return xr.Dataset({variable: (tuple(coordinates), values, {"units": UNITS[variable]})}, coordinates)


def write(folder, url):
    """Write the stores, their catalogue and the forcings to a folder that is served at a URL."""
    rows = [COLUMNS]
    with warnings.catch_warnings(action="ignore"):
        for experiment in EXPERIMENTS:
            for member in MEMBERS:
                for variable in UNITS:
                    name = f"{experiment}.{member}.{variable}"
                    data = output(experiment, member, variable).chunk(time=120)
                    data.to_zarr(folder / "stores" / name, zarr_format=2, consolidated=True)
                    facets = ("CMIP", "Centre", "A-ESM", experiment, member, "Amon", variable, "gn")
                    rows.append(",".join((*facets, f"{url}/stores/{name}/", "20190101")))
            years, emitted = carbon(experiment)
            inputs = xr.Dataset({"CO2": ("time", emitted)}, {"time": years})
            inputs.to_zarr(folder / f"inputs_{experiment}.zarr", zarr_format=2, consolidated=True)
    (folder / "catalogue.csv").write_text("\n".join(rows) + "\n")


def scenarios_at(url):
    """Return the model at a URL, with the forcings beside it."""
    card = find_dataset("climatebench")

    def inputs(experiment, variables):
        return PlainReader(f"{url}/inputs_{experiment}.zarr", card).open(variables=variables)

    return CmipScenarios(PangeoReader(f"{url}/catalogue.csv"), inputs)
