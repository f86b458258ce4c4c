"""Ways to a lead time by steps of several lengths."""

from __future__ import annotations

from collections.abc import Sequence


def sequences(steps: int, leads: Sequence[int], combinations: int) -> list[tuple[int, ...]]:
    """Return sequences of leads that add up to a number of steps.

    There is one for each longest lead: as many of it as there is room for, and for what remains the same with the
    shorter ones. Those with the longest leads, which have the fewest parts, come first.

    Parameters
    ----------
    steps : int
        At least one.
    leads : sequence of int
        Lengths, in steps; 1 among them.
    combinations : int
        How many sequences at most.

    Examples
    --------
    >>> sequences(7, (1, 2, 4), 3)
    [(4, 2, 1), (2, 2, 2, 1), (1, 1, 1, 1, 1, 1, 1)]
    """
    longest = [lead for lead in sorted(leads, reverse=True) if lead <= steps]
    return [_greedy(steps, longest[place:]) for place in range(min(combinations, len(longest)))]


def _greedy(steps: int, leads: Sequence[int]) -> tuple[int, ...]:
    found: list[int] = []
    for lead in leads:
        count, steps = divmod(steps, lead)
        found += [lead] * count
    return tuple(found)
