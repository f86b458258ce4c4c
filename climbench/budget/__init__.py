"""Points the budgets of `climbench.physics` at any files: what they allow, what it comes to, and what is missing.

==============  ============================================================================
`places`        the files and stores that paths name
`vertical`      hybrid coordinates as CMIP writes them
`opening`       many files, one canonical data set
`times`         how long each time lasts, whole years, the steps between times
`areas`         weights of cells, and whether they make a globe
`windows`       hours that amounts were accumulated over
`series`        one pass over the data: means over the area of every budget it allows
`summary`       means over time, years, drift and closure of those
`result`        what comes out
==============  ============================================================================
"""

from __future__ import annotations

from climbench.budget.result import Budget, Budgets
from climbench.budget.summary import budget

__all__ = ["Budget", "Budgets", "budget"]
