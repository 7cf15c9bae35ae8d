"""Around the systolic-array model: report files, the API users of SCALE-Sim know, sweeps, plots.

Read reports.py first, then api.py, sweeps.py and plots.py.
"""

from __future__ import annotations

from .api import ScaleSim, ScalesimReport, scalesim
from .reports import write_reports
from .sweeps import Grid, Point, pareto, sweep

__all__ = [
    "Grid",
    "Point",
    "ScaleSim",
    "ScalesimReport",
    "pareto",
    "scalesim",
    "sweep",
    "write_reports",
]
