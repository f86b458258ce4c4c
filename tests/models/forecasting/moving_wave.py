"""A small world for networks: two waves that travel round the globe, one each way, at their own speeds."""

from __future__ import annotations

import numpy as np

from tests.models.forecast_states import series_of

LATITUDE = np.arange(-78.75, 90.0, 22.5)
LONGITUDE = np.arange(0.0, 360.0, 22.5)
SETTINGS = {"epochs": 10, "batch_size": 16, "learning_rate": 0.01, "ema": 0.8, "clock": False}


def world(count=200, step="6h", start="2001-01-01"):
    phase, steps = np.deg2rad(LONGITUDE), np.arange(count)[:, None]
    east = np.cos(2 * phase - 0.5 * steps) * (1.0 + 0.5 * np.sin(0.03 * steps))
    west = 0.6 * np.sin(3 * phase + 0.4 * steps)
    shape = np.cos(np.deg2rad(LATITUDE))[:, None] ** 2
    return series_of(1e5 + 800 * (east + west)[:, None, :] * shape, start, step, "psl", LATITUDE, LONGITUDE)
