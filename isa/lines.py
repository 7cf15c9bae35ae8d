"""The section `.hcc.lines` of a fat binary compiled with -g: which source line code comes from.

JSON: the names of the files, then for each ISA and function a flat list of offset, file (its
index) and line, three numbers a row, each row good up to the next one's offset.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from attrs import frozen

from hcc.isa.errors import FormatError

SECTION = ".hcc.lines"


@frozen
class Row:
    """From `offset` in its function on, code comes from this line; 0: from none."""

    offset: int
    file: str
    line: int


@frozen
class LineTable:
    """Rows by ISA and function, in ascending order of offset."""

    rows: Mapping[str, Mapping[str, Sequence[Row]]]

    def find(self, isa: str, function: str, offset: int) -> tuple[str, int] | None:
        """File and line of an offset in a function's code, or None where no line is known."""
        rows = self.rows.get(isa, {}).get(function, ())
        i = bisect_right(rows, offset, key=lambda r: r.offset) - 1
        return (rows[i].file, rows[i].line) if i >= 0 and rows[i].line else None

    def encode(self) -> bytes:
        """The section's bytes."""
        files: dict[str, int] = {}
        isas = {
            isa: {
                name: [n for r in rows
                       for n in (r.offset, files.setdefault(r.file, len(files)), r.line)]
                for name, rows in functions.items()
            }
            for isa, functions in self.rows.items()
        }  # fmt: skip
        return json.dumps({"files": list(files), "isas": isas}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes, source: str = SECTION) -> LineTable:
        """The inverse of `encode`; FormatError for anything else."""
        try:
            data = json.loads(content)
            files = [str(name) for name in data["files"]]
            return cls(
                {
                    str(isa): {name: _rows(flat, files) for name, flat in functions.items()}
                    for isa, functions in data["isas"].items()
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise FormatError(f"{source}: cannot be read: {error}") from error


def _rows(flat: list[int], files: list[str]) -> list[Row]:
    if not all(isinstance(number, int) and number >= 0 for number in flat):
        raise ValueError("a row has something else than numbers")
    rows = [Row(flat[i], files[flat[i + 1]], flat[i + 2]) for i in range(0, len(flat), 3)]
    offsets = [row.offset for row in rows]
    if offsets != sorted(offsets):
        raise ValueError("rows out of order")
    return rows
