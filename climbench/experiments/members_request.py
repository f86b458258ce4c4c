"""What a members experiment is asked for: which models, how many members, how many draws of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from climbench import records
from climbench.cards import ModelCard
from climbench.errors import ModelError, RunError
from climbench.experiments.sampler import DRAWS
from climbench.experiments.truth import NAME as TRUTH
from climbench.harness import refuse_repeats, source_fingerprint
from climbench.models import Preset, load_emulator

SIZES = (1, 2, 3, 5, 10, 20, 50)


def check_models(cards: Sequence[ModelCard], preset: Preset) -> None:
    """Raise `ModelError` or `CardError` where models repeat, cannot be trained, or take the truth's name."""
    if not cards:
        raise ModelError("No model was named. Name at least one, for example --model lps.")
    refuse_repeats(cards)
    for card in cards:
        if card.name == TRUTH:
            raise ModelError(f"'{TRUTH}' is the row of the known forced response; give the model another name.")
        if hasattr(load_emulator(card, preset), "leave_one_out"):
            raise ModelError(
                f"'{card.name}' is a reference row, made from the target itself: it is not trained on members. "
                "Leave it out."
            )


@dataclass(frozen=True)
class Asked:
    """What is to be found.

    Attributes
    ----------
    cards : tuple of ModelCard
        The models.
    sizes : tuple of int
        Numbers of members, ascending.
    draws : mapping of str to int
        By model.
    keys : mapping of str to str
        By model: the folder of its results, named by everything about it that can change them.
    """

    cards: tuple[ModelCard, ...]
    sizes: tuple[int, ...]
    draws: Mapping[str, int]
    keys: Mapping[str, str]
    preset: Preset

    @classmethod
    def of(
        cls,
        cards: Sequence[ModelCard],
        n: Sequence[int] | None,
        draws: int | Mapping[str, int],
        members: int,
        preset: Preset,
    ) -> Asked:
        """Return it checked: no more members than there are, at least one draw, and only models that are run."""
        sizes = sorted({*(s for s in SIZES if s <= members), members}) if n is None else sorted({*n})
        for size in sizes:
            if not 1 <= size <= members:
                raise RunError(
                    f"n = {size} was asked for, but there are {members} members in every scenario. Choose from 1 to "
                    f"{members}, for example --n {','.join(str(s) for s in SIZES if s <= members)}."
                )
        if not sizes:
            raise RunError("No number of members was named. Name some, for example --n 1,3,10.")
        named = {"": draws} if isinstance(draws, int) else {"": DRAWS, **draws}
        names = [card.name for card in cards]
        for model, count in named.items():
            if model and model not in names:
                raise RunError(f"Draws were named for '{model}', which is not run; run are {', '.join(names)}.")
            if count < 1:
                raise RunError(f"{count} draws were asked for; at least one is needed.")
        keys = {c.name: _key(c, preset) for c in cards}
        return cls(tuple(cards), tuple(sizes), {m: named.get(m, named[""]) for m in names}, keys, preset)

    def summary(self) -> dict[str, Any]:
        """Return it as plain content, for the record."""
        return {"n": list(self.sizes), "draws": dict(self.draws), "models": dict(self.keys)}


def _key(card: ModelCard, preset: Preset) -> str:
    about = {"card": card.settings(), "source": source_fingerprint(card), "preset": preset}
    return f"{card.name}-{records.fingerprint(about)[:8]}"
