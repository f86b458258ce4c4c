"""A quantity has several names: what is asked for, and what a card declares, may use any of them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climbench.cards import find_dataset
from climbench.data.readers.plain import PlainReader
from climbench.data.sanity import declared


def card(**variables):
    entries = {"variables": variables, "name": "mine", "title": "mine", "reader": "plain", "licence": "none"}
    return type(find_dataset("climatebench")).model_validate(entries)


@pytest.fixture
def place(tmp_path):
    field = xr.DataArray(np.full((2, 3), 10.0), dims=("latitude", "longitude"), attrs={"units": "degC"})
    coords = {"latitude": [-10.0, 10.0], "longitude": [0.0, 120.0, 240.0]}
    xr.Dataset({"t2m": field}, coords=coords).to_netcdf(tmp_path / "a.nc")
    return tmp_path / "a.nc"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("t2m", "2m_temperature"), ("2t", "2m_temperature"), ("2m_temperature", "2m_temperature"), ("tas", "tas")],
)
def test_whatever_name_is_asked_for_the_unit_is_known(place, asked, given):
    data = PlainReader(place).open(variables=[asked])
    assert list(data) == [given]
    np.testing.assert_allclose(data[given], 283.15)


@pytest.mark.parametrize("name", ["t2m", "2m_temperature", "tas"])
def test_a_card_is_heeded_whatever_name_it_uses(place, name):
    """The card says that values are kelvin above a reference, whatever their label."""
    data = PlainReader(place, card(**{name: {"units": "K", "stored_units": "K", "anomaly": True}})).open()
    np.testing.assert_allclose(data["2m_temperature"], 10.0)


def test_of_two_entries_the_one_of_the_very_name_holds():
    both = card(tas={"units": "degC"}, t2m={"units": "K"})
    assert declared(both, ["tas"])["tas"].units == "degC"
    very = card(**{"2m_temperature": {"units": "K"}, "tas": {"units": "degC"}})
    assert declared(very, ["2m_temperature"])["2m_temperature"].units == "K"
    assert declared(None, ["tas"]) == {}
