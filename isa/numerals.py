"""Whole numbers as users write them.

Python's own tests and conversions do not serve for files: `str.isdigit` takes '²', `int` takes
underscores and the digits of every script, and beyond 4300 digits it raises a ValueError.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def whole(text: str) -> int | None:
    """The number that ASCII digits with an optional sign stand for; None for any other text, and
    for more than 18 digits."""
    return int(text) if _WHOLE.fullmatch(text) else None
