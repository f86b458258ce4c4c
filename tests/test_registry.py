"""Names to things: from packages and files, with errors that help."""

from __future__ import annotations

import sys

import pytest

from climbench.errors import CardError, MissingExtraError, ModelError, did_you_mean
from climbench.registry import Registry, load_object


def test_objects_are_found_by_both_spellings():
    from climbench.models.pattern_scaling import LinearPatternScaling

    assert load_object("climbench.models.pattern_scaling.LinearPatternScaling") is LinearPatternScaling
    assert load_object("climbench.models.pattern_scaling:LinearPatternScaling") is LinearPatternScaling


def test_objects_are_found_in_files_beside_a_card(tmp_path):
    (tmp_path / "mine.py").write_text("class Mine:\n    answer = 42\n")
    assert load_object("mine.py:Mine", beside=tmp_path).answer == 42
    assert load_object(f"{tmp_path / 'mine.py'}:Mine").answer == 42


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("climbench.models.pattern_scaling.LinearPatternScalin", "Did you mean 'LinearPatternScaling'"),
        ("no_such_package.Thing", "cannot be imported"),
        ("nothing", "names no object"),
        ("gone.py:Thing", "There is no file"),
    ],
)
def test_what_cannot_be_loaded(place, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        load_object(place, beside=tmp_path)


def test_a_file_that_fails_says_how(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ModelError, match="fails when it is imported: ZeroDivisionError"):
        load_object("broken.py:Thing", beside=tmp_path)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "wants_torch.py").write_text("import torch\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"'wants_torch.Net' needs .* pip install 'climbench\[models\]'"):
        load_object("wants_torch.Net")


def test_registries_offer_the_closest():
    with pytest.raises(CardError, match=r"There is no reader 'climatebenc'. Did you mean 'climatebench'"):
        Registry("reader", {"climatebench": "a:b"}).load("climatebenc")


def test_did_you_mean_lists_everything_where_nothing_is_close():
    assert did_you_mean("zzz", ["b", "a"]) == "There is: a, b."
    assert did_you_mean("zzz", []) == "There is: nothing."
