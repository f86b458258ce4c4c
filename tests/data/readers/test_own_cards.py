"""The card of a layout's own data set: it is there, names the layout, and declares units that make sense."""

from __future__ import annotations

import pytest

from climbench.cards import find_dataset, list_cards
from climbench.data import READERS
from climbench.units import conversion, is_amount
from climbench.variables import LEXICON, known_name

OWN = [(n, READERS.load(n).own_card) for n in READERS.places if READERS.load(n).own_card]


@pytest.mark.parametrize(("layout", "name"), OWN)
def test_a_layout_s_own_card_is_read_by_it(layout, name):
    assert find_dataset(name).reader == layout


@pytest.mark.parametrize("name", ["weatherbench2-era5", "arco-era5", "chaosbench", "rainshift"])
def test_units_on_a_card_are_those_of_the_variable(name):
    card = find_dataset(name)
    for variable, entry in {**card.variables, **card.inputs}.items():
        known = LEXICON.get(known_name(variable))
        if known is None:
            continue
        assert known.name == variable
        stays_an_amount = known.kind == "energy" and is_amount(entry.units, "energy")
        assert stays_an_amount or conversion(known.units, entry.units, kind=known.kind).factor > 0.0


def test_stores_are_named_by_url_and_no_number_depends_on_where_they_are():
    stores = {card.name: card.stores for card in list_cards("dataset") if card.stores}
    assert {"64x32", "240x121"} <= set(stores["weatherbench2-era5"])
    assert all(url.startswith("gs://") and ".zarr" in url for urls in stores.values() for url in urls.values())
    card = find_dataset("arco-era5")
    assert card.model_copy(update={"stores": {"full": "s3://elsewhere"}}).hash() == card.hash()
