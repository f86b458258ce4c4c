"""The report of forecasts: scores against lead time, a scorecard with its certainty, spectra, ranks and maps.

Everything but the maps is drawn from what a run keeps: the score table and the statistics of every initial time.
"""

from __future__ import annotations

from climbench.forecast_report.page import write_forecast_report

__all__ = ["write_forecast_report"]
