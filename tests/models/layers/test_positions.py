"""Position embeddings, numbers worked by hand."""

from __future__ import annotations

import math

import torch

from climbench.models.layers.positions import sine_cosine, sine_cosine_grid


def test_sines_and_cosines_at_falling_frequencies():
    """Width 4: the frequencies 1 and 1/100."""
    found = sine_cosine(torch.tensor([0, 2]), 4)
    by_hand = [[0.0, 0.0, 1.0, 1.0], [math.sin(2.0), math.sin(0.02), math.cos(2.0), math.cos(0.02)]]
    torch.testing.assert_close(found, torch.tensor(by_hand))


def test_places_of_a_grid_are_told_row_by_row():
    found = sine_cosine_grid(2, 3, 8).view(2, 3, 8)
    columns, rows = sine_cosine(torch.arange(3), 4), sine_cosine(torch.arange(2), 4)
    for row in range(2):
        for column in range(3):
            torch.testing.assert_close(found[row, column], torch.cat([columns[column], rows[row]]))
