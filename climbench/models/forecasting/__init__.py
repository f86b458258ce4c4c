"""Forecasters that learn to step: steps and history, anomalies, EOFs, and networks with their training."""

from __future__ import annotations
