"""LeBug's instrumentation unit, emulated: a device that firmware programs.

Read `pipeline` first (the rules, step by step), then `native` and `engine` (the same rules,
fast), `hardware` (the published RTL with its differences), `arrivals`, `trace` and `delta`
(time, memory, compression), and `unit`, which is what the rest of hcc uses.
"""

from __future__ import annotations

from .trace import Trace
from .unit import InstrumentationUnit, Mode, Report

__all__ = ["InstrumentationUnit", "Mode", "Report", "Trace"]
