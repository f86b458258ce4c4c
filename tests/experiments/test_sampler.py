"""The published subsets of members, number by number.

Source of the numbers: the subsets kept with the code of Lütjens et al. (2025), repository blutjens/climate-emulator,
memberseed 43 of the sweep and the single draw of seed 42 that the study's scores were made with.
"""

from __future__ import annotations

import numpy as np
import pytest

from climbench.experiments.sampler import member_subsets, memberseeds

IDS = [f"r{n}i1f1p1" for n in range(1, 51)]
PUBLISHED = {
    42: {
        1: (14,),
        2: (30, 39),
        3: (2, 50, 6),
        4: (50, 17, 21, 41),
        5: (36, 7, 30, 15, 14),
        6: (36, 29, 13, 17, 49, 27),
        7: (9, 24, 32, 38, 10, 11, 34),
        8: (5, 12, 47, 41, 6, 40, 14, 49),
        9: (35, 31, 38, 3, 36, 11, 41, 49, 7),
        10: (45, 36, 7, 15, 6, 25, 34, 9, 18, 3),
    },
    43: {
        1: (20,),
        2: (3, 16),
        3: (33, 1, 50),
        4: (16, 39, 6, 44),
        5: (8, 11, 20, 7, 31),
        10: (10, 5, 48, 27, 26, 50, 12, 4, 47, 49),
        16: (22, 49, 37, 33, 32, 9, 34, 24, 1, 18, 12, 14, 7, 39, 31, 4),
        20: (12, 27, 42, 5, 32, 3, 35, 41, 23, 9, 6, 38, 30, 31, 43, 8, 26, 47, 37, 11),
    },
}


@pytest.mark.parametrize("memberseed", PUBLISHED)
def test_subsets_are_the_published_ones(memberseed):
    subsets = member_subsets(IDS, memberseed)
    for size, numbers in PUBLISHED[memberseed].items():
        assert subsets[size - 1] == tuple(f"r{n}i1f1p1" for n in numbers)


def test_subsets_are_those_of_the_published_recipe():
    np.random.seed(61)
    by_recipe = [tuple(np.random.choice(IDS, n, replace=False).tolist()) for n in range(1, 51)]
    assert member_subsets(IDS, 61) == by_recipe


def test_the_last_subset_has_every_member_once():
    assert sorted(member_subsets(range(7), 42)[-1]) == list(range(7))


def test_the_generator_others_use_is_left_alone():
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    member_subsets(IDS, 42)
    assert np.random.random() == expected


def test_seeds_are_the_published_ones():
    assert memberseeds(20) == list(range(42, 62))
