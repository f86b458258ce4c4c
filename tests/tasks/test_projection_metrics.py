"""The catalogue of metrics, and the cards that name them."""

from __future__ import annotations

import pytest

from climbench.cards import find_task, list_cards, with_settings
from climbench.regions import REGIONS
from climbench.tasks.projection_metrics import CONTRACT, FURTHER, check_scoring, metrics_of, regions_of
from tests.tasks.scored_fields import fields, scorer

TASKS = [card for card in list_cards("task") if card.protocol == "projection"]


@pytest.mark.parametrize("card", TASKS, ids=lambda card: card.name)
def test_every_card_names_what_there_is_and_what_is_defined(card):
    """On the card itself, or on climatebench's, to which the others refer."""
    check_scoring(card)
    assert set(metrics_of(card)) <= {*card.definitions, *find_task("climatebench").definitions}
    assert set(regions_of(card)) <= set(REGIONS)


def test_a_card_that_names_none_has_all_metrics_and_the_usual_regions():
    silent = with_settings(find_task("climatebench"), {"scoring.metrics": None, "scoring.regions": None})
    card = find_task("climatebench")
    assert set(metrics_of(silent)) == set(metrics_of(card)) == set(FURTHER)
    assert {"global", *regions_of(silent)} == set(regions_of(card))
    assert metrics_of(with_settings(card, {"scoring.metrics": []})) == ()


def test_climatebench_is_scored_by_all_of_them_and_defines_them():
    card = find_task("climatebench")
    assert set(card.scoring.metrics) == set(FURTHER)
    assert {*CONTRACT, *FURTHER} <= set(card.definitions)


def test_every_metric_gives_a_row():
    variables = ("tas", "pr", "pr90")
    target, ensemble = fields(0, members=4, variables=variables), fields(1, members=3, variables=variables)
    for metric in FURTHER:
        scores = scorer(target, scoring__regions=[], scoring__metrics=[metric]).score("mine", ensemble, None)
        new = {row["metric"] for row in scores.rows} - {*CONTRACT, "skill_vs_lps"}
        assert new in ({metric}, {metric, f"{metric}_error"})
