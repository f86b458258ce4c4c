"""Card files: listed without being checked, and told apart by their keys."""

from __future__ import annotations

import pytest

from climbench import card_files
from climbench.card_files import headlines
from climbench.cards import list_cards
from climbench.errors import CardError


@pytest.mark.parametrize("kind", ["task", "model", "dataset"])
def test_headlines_are_those_of_the_cards(kind):
    expected = [(card.name, card.title, getattr(card, "protocol", "")) for card in list_cards(kind)]
    assert headlines(kind) == expected


@pytest.mark.parametrize(("key", "kind"), [("class_path", "model"), ("reader", "dataset"), ("targets", "task")])
def test_a_loose_card_is_told_by_its_keys(tmp_path, key, kind):
    (tmp_path / "loose.yaml").write_text(f"{key}: something\n")
    for other in ("task", "model", "dataset"):
        names = [path.name for path in card_files.card_paths(other, [tmp_path])]
        assert ("loose.yaml" in names) is (other == kind)


def test_a_loose_file_that_is_no_card_is_named(tmp_path):
    (tmp_path / "loose.yaml").write_text("name: something\n")
    with pytest.raises(CardError, match=r"loose\.yaml is no card"):
        card_files.card_paths("task", [tmp_path])
