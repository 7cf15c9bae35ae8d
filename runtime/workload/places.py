"""Where something stands in a file, and errors that say so."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from attrs import frozen

from hcc.isa.errors import FormatError


@frozen
class Place:
    """A position in a file; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SpecError(FormatError):
    """Something in a specification that cannot be; the message begins with the place."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word nearest to an unknown one, else nothing."""
    words = list(known)
    folded = {w.lower().replace("_", "-"): w for w in words}
    found = get_close_matches(word.lower().replace("_", "-"), folded, 1, 0.6)
    return f"; did you mean '{folded[found[0]]}'?" if found else ""
