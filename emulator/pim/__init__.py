"""Memories that compute: banks, units, modes, timing.

Read in this order: `half` (binary16 on arrays), `banks` (storage), `samsung` and `pimsys` (the
units of either dialect, and how requests reach them).
"""

from __future__ import annotations

from .banks import Banks
from .pimsys import PimsysChannels
from .samsung import PimFault, SamsungChannels

__all__ = ["Banks", "PimFault", "PimsysChannels", "SamsungChannels"]
