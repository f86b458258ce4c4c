"""``climbench list`` and ``climbench show``: what there is, as lines and as JSON."""

from __future__ import annotations

import pytest

from climbench.cards import find_model, find_task, list_cards

KINDS = {"tasks": "task", "models": "model", "datasets": "dataset"}
CARD = "name: mine\ntitle: Mine [own]\nprotocol: projection\nclass_path: here.py:Mine\n"


@pytest.mark.parametrize("what", [None, *KINDS])
def test_every_card_is_listed_under_its_kind(climbench, what):
    done = climbench("list", *([what] if what else []))
    assert done.code == 0
    lines = done.out.splitlines()
    shown = [what] if what else list(KINDS)
    assert [line for line in lines if not line.startswith(" ")] == shown
    wanted = [card for kind in shown for card in list_cards(KINDS[kind])]
    entries = [line for line in lines if line.startswith("  ")]
    for card, line in zip(wanted, entries, strict=True):
        assert line.split()[0] == card.name
        assert line.endswith(f"  {card.title}")


@pytest.mark.parametrize("what", [None, *KINDS])
def test_the_list_as_json(climbench, what):
    done = climbench("list", *([what] if what else []), "--json")
    wanted = [what] if what else list(KINDS)
    assert done.json == {w: [{"name": c.name, "title": c.title} for c in list_cards(KINDS[w])] for w in wanted}
    assert done.err == ""


def test_cards_of_a_named_folder_are_listed(climbench, tmp_path):
    (tmp_path / "mine.yaml").write_text(CARD)
    done = climbench("list", "models", "--include", tmp_path)
    assert any("mine" in line and line.endswith("Mine [own]") for line in done.out.splitlines())
    assert "mine" not in climbench("list", "tasks", "--include", tmp_path).out


def test_a_broken_card_of_a_named_folder_is_explained(climbench, tmp_path):
    (tmp_path / "mine.yaml").write_text(CARD + "init_arg: 1\n")
    done = climbench("list", "--include", tmp_path)
    assert done.code == 2
    assert "unknown key 'init_arg'. Did you mean 'init_args'?" in done.err


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_card_can_be_shown(climbench, kind):
    for card in list_cards(kind):
        done = climbench("show", card.name)
        assert done.code == 0
        assert f"{card.name} ({kind} card)" in done.out


def test_a_card_is_shown_with_its_settings(climbench):
    out = climbench("show", "climatebench").out
    for line in (
        "  test:",
        "    scenario: ssp245",
        "    years: 2080, 2100",
        "  skill_against: lps",
        "    global_factor: 5.0",
    ):
        assert line in out.splitlines()
    assert "(task card)" in out
    assert "(dataset card)" in out


def test_cards_as_json(climbench):
    content = climbench("show", "climatebench", "--json").json
    assert set(content) == {"task", "dataset"}
    assert content["task"] == find_task("climatebench").model_dump(mode="json")
    assert climbench("show", "lps", "--json").json["model"] == find_model("lps", "projection").model_dump(mode="json")


@pytest.mark.parametrize("what", [None, *KINDS])
def test_the_quick_list_and_the_list_of_checked_cards_are_the_same(climbench, tmp_path, what):
    arguments = ["list", *([what] if what else [])]
    assert climbench(*arguments) == climbench(*arguments, "--include", tmp_path)
