"""How long pattern scaling takes on all published subsets of Em-MPI's size, against reading the ensemble once.

50 members, 96 x 192 cells, four training scenarios of 423 years in all, as netCDF; temperature and precipitation.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

MEMBERS, LATITUDES, LONGITUDES = 50, 96, 192
WARMING = {"historical": (165, 1850, 0.0, 1.0), "ssp126": (86, 2015, 1.0, 1.8), "ssp370": (86, 2015, 1.0, 3.6)}
WARMING["ssp585"] = (86, 2015, 1.0, 4.4)
TEST = {"ssp245": (86, 2015, 1.0, 2.6)}
SIZES = {"tas": 1.0, "pr": 3e-7}
SUBSETS = 20 * MEMBERS
SETTINGS = {"targets": list(SIZES), "train": list(WARMING), "validation": []}


@pytest.fixture(scope="session")
def ensemble(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("ensemble"), np.random.default_rng(0)
    latitude = -90.0 + 180.0 / LATITUDES * (np.arange(LATITUDES) + 0.5)
    pattern = (1.0 + 0.5 * np.sin(np.deg2rad(latitude)))[:, None].astype("float32")
    for experiment, (count, first, start, end) in {**WARMING, **TEST}.items():
        years, ramp = first + np.arange(count), np.linspace(start, end, count)
        carbon = xr.Dataset({"CO2": ("time", 1500.0 * ramp)}, coords={"time": years})
        carbon.to_netcdf(folder / f"inputs_{experiment}.nc")
        coords = {"member": np.arange(1, MEMBERS + 1), "time": years, "lat": latitude}
        coords["lon"] = np.arange(LONGITUDES) * 360.0 / LONGITUDES
        response = ramp[:, None, None].astype("float32") * pattern
        shape = (MEMBERS, count, LATITUDES, LONGITUDES)
        fields = {n: np.float32(s) * (response + rng.standard_normal(shape, "float32")) for n, s in SIZES.items()}
        data = xr.Dataset({n: (("member", "time", "lat", "lon"), f) for n, f in fields.items()}, coords=coords)
        data.to_netcdf(folder / f"outputs_{experiment}.nc")
    return folder


def read(folder):
    """Read what the emulators are trained on, one scenario and variable after the other, and nothing else."""
    import netCDF4

    for experiment in WARMING:
        with netCDF4.Dataset(folder / f"outputs_{experiment}.nc") as data:
            for name in SIZES:
                assert data[name][...].size == MEMBERS * WARMING[experiment][0] * LATITUDES * LONGITUDES


def emulate(folder):
    """Fit pattern scaling on all subsets and predict the test years, from files to what is scored."""
    from climbench.evaluate import open_task
    from climbench.experiments.ensemble import Ensemble
    from climbench.experiments.sampler import member_subsets, memberseeds
    from climbench.experiments.subset_runs import SUBSETS_AT_ONCE
    from climbench.experiments.subset_scaling import SubsetScaling

    task = open_task("climatebench", folder, SETTINGS).task
    members = Ensemble(task)
    scaling = SubsetScaling(members, tuple(SIZES))
    emissions = task.test_inputs(("CO2",), 0, members.grid("ssp245"))["CO2"].values
    subsets = [subset for seed in memberseeds(20) for subset in member_subsets(members.members, seed)]
    weights = np.stack([np.isin(members.members, subset) / len(subset) for subset in subsets])
    assert len(weights) == SUBSETS
    for first in range(0, SUBSETS, SUBSETS_AT_ONCE):
        for name in SIZES:
            fit = scaling.fit(name, weights[first : first + SUBSETS_AT_ONCE])
            assert fit.time_mean(emissions).shape == (SUBSETS_AT_ONCE, LATITUDES * LONGITUDES)


def test_time(ratio, ensemble):
    ratio(
        f"lps on {SUBSETS} subsets of {MEMBERS} members: fit and predict",
        lambda: emulate(ensemble),
        against="reading the ensemble once",
        peer=lambda: read(ensemble),
        rounds=3,
    )


def test_memory(peak_memory, ensemble):
    code = "import sys; from pathlib import Path; from tests.performance.test_members import emulate\n"
    peak_memory(f"lps on {SUBSETS} subsets", code + "emulate(Path(sys.argv[1]))\n", ensemble, limit_mb=2000)
