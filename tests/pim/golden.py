"""The reference data of tests/data/pim, read once."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent.parent / "data" / "pim" / "hbm_pim.json"


@functools.cache
def golden() -> dict[str, Any]:
    """The whole file."""
    data: dict[str, Any] = json.loads(_FILE.read_text())
    return data
