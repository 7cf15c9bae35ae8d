"""The section `.hcc.pim` of a fat binary: the microkernels of its `__pim` functions.

JSON, for tools: the program itself carries what it writes to the memory in its read-only data,
the same on every ISA. A kernel's words are those of its body; the runtime puts the JUMP over the
tiles and EXIT behind them when it knows the sizes.
"""

from __future__ import annotations

import json

from attrs import asdict, frozen

from hcc.isa.errors import FormatError

NAME = ".hcc.pim"
VERSION = 1


@frozen
class SectionKernel:
    """One loop of a function: what it computes, the words of its body, its arrays."""

    function: str
    line: int
    computes: str
    words: tuple[int, ...]
    operands: tuple[str, ...]
    result: str


def pack_section(kernels: list[SectionKernel]) -> bytes:
    """The section's bytes."""
    rows = [asdict(kernel) for kernel in kernels]
    body = {"version": VERSION, "dialect": "samsung", "kernels": rows}
    return json.dumps(body, separators=(",", ":"), sort_keys=True).encode()


def unpack_section(content: bytes) -> list[SectionKernel]:
    """The kernels of a section; FormatError if it is none."""
    try:
        body = json.loads(content)
        if body["version"] != VERSION:
            raise FormatError(f"{NAME}: written by another version of hcc")
        return [
            SectionKernel(
                str(row["function"]), int(row["line"]), str(row["computes"]),
                tuple(int(word) for word in row["words"]),
                tuple(map(str, row["operands"])), str(row["result"]),
            )
            for row in body["kernels"]
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{NAME} cannot be read: {error}") from None
