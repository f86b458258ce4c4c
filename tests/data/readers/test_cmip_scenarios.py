"""A climate model of a CMIP6 catalogue on a server as emulators are trained on it, with ClimateBench's forcings."""

from __future__ import annotations

import numpy as np
import pytest

from climbench.data.readers.cmip_scenarios import CmipScenarios
from climbench.data.readers.pangeo import PangeoReader
from climbench.errors import DataError
from tests.data import pangeo_store
from tests.data.era5_store import bytes_below, served

EXPERIMENTS = ["historical", "ssp126", "ssp585"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pangeo")
    with served(folder) as held:
        pangeo_store.write(folder, held.url)
        yield held


def test_outputs_are_annual_changes_of_members(server):
    """By hand: months count by their lengths, and the reference is the mean of 1850-1900 over members."""
    found = pangeo_store.scenarios_at(server.url).outputs("ssp126", ["tas"])["tas"]
    assert found.sizes == {"member": 2, "time": 40, "latitude": 6, "longitude": 8}
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) / 365.0
    monthly = pangeo_store.output("ssp126", "r2i1p1f1", "tas")["tas"].values.astype("f8").reshape(40, 12, 6, 8)
    past = [pangeo_store.output("historical", member, "tas")["tas"] for member in pangeo_store.MEMBERS]
    lengths = past[0]["time"].dt.days_in_month.values[: 51 * 12].reshape(51, 12)
    shares = lengths / lengths.sum(1, keepdims=True)
    early = [one.values[: 51 * 12].astype("f8").reshape(51, 12, 6, 8) for one in past]
    reference = np.mean([np.einsum("ym,ymij->yij", shares, one).mean(0) for one in early], axis=0)
    expected = np.einsum("m,mij->ij", days, monthly[0]) - reference  # 2015 is no leap year
    np.testing.assert_allclose(found.isel(member=1, time=0), expected, atol=1e-4)


def test_what_is_streamed_is_asked_for_once_an_epoch_and_not_kept(server, tmp_path, monkeypatch):
    """Once for the predictors, and in each of two epochs; the memory is less than the data."""
    pytest.importorskip("pytorch_lightning", reason="training needs the extra 'models'")
    from climbench.models.lps_lightning import LPSLightning

    monkeypatch.setenv("CLIMBENCH_CACHE", str(tmp_path))
    train = pangeo_store.scenarios_at(server.url).scenarios(EXPERIMENTS, ["tas", "pr"], ["CO2"])
    assert sum(data.nbytes for data in train.values()) > 300_000
    server.requests.clear()
    LPSLightning(batch_size=16, memory=300_000, epochs=2).fit(train, seed=0)
    for variable in ("tas", "pr"):
        chunks = [path for path in server.requests if f"/{variable}/" in path and path.endswith(".0.0")]
        there = sorted(p for p in (server.folder / "stores").rglob("*.0.0") if p.parent.name == variable)
        assert sorted(chunks) == sorted(3 * [str(p.relative_to(server.folder)) for p in there])
    assert bytes_below(tmp_path) == 0


def test_what_does_not_fit_is_refused(server):
    whole = pangeo_store.scenarios_at(server.url)
    short = pangeo_store.scenarios_at(server.url)
    short.inputs = lambda *asked: whole.inputs(*asked).isel(time=slice(0, -1))
    with pytest.raises(DataError, match="the forcings lack 1 years of the climate, first 2054"):
        short.scenarios(["ssp126"], ["tas"], ["CO2"])
    with pytest.raises(DataError, match=r"ssp584.*Did you mean 'ssp585'"):
        whole.scenarios(["ssp584"], ["tas"], ["CO2"])


def test_several_models_are_named(tmp_path):
    pangeo_store.write(tmp_path, str(tmp_path))
    table = tmp_path / "catalogue.csv"
    table.write_text(table.read_text().replace("A-ESM,ssp585", "B-ESM,ssp585"))
    with pytest.raises(DataError, match=r"has several source_id: A-ESM, B-ESM\. Choose one with select"):
        CmipScenarios(PangeoReader(table), lambda *_: None)
