"""Which members a subset has: the published recipe, number by number.

Reference: Lütjens et al. (2025), doi:10.1029/2024MS004619; the subsets are kept with the study's code.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

FIRST_SEED = 42  # of the published 42 to 61
DRAWS = 20


def member_subsets(members: Sequence[Hashable], memberseed: int) -> list[tuple[Hashable, ...]]:
    """Return one subset of each size, drawn one after the other from one stream of random numbers.

    NumPy's legacy generator is seeded once; then 1, 2, ... members are chosen without replacement, in this order.
    Members are the same in every scenario.

    Parameters
    ----------
    members : sequence of hashable
        All of them, in the order of the files: r1, r2, ...
    memberseed : int
        Seed of the draw.

    Returns
    -------
    list of tuple
        Subset n - 1 has n members, in the order drawn.
    """
    stream = np.random.RandomState(memberseed)
    sizes = range(1, len(members) + 1)
    return [tuple(members[i] for i in stream.choice(len(members), size, replace=False)) for size in sizes]


def memberseeds(draws: int) -> list[int]:
    """Return the seeds of some draws, from the first published one on."""
    return list(range(FIRST_SEED, FIRST_SEED + draws))
