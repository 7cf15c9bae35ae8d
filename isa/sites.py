"""Site tables: what the runtime must know to read a suspended program's stack on any ISA.

Two halves. The ISA-neutral half lists functions and their sites, each with the types of the
values that its activation record holds. The half of each ISA says, for every return address at
which a function may be suspended, how large the native frame is, where in it the caller's return
address lies, and where the values are: for one or more *virtual frames*, outermost first, since
functions may have been inlined into one another.

The tables are stored as JSON (section .hcc.sites): readable by any tool, and small enough.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from hcc.isa.errors import FormatError

VERSION = 1

# Bytes of a recorded value, by type name.
VALUE_SIZES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "f32": 4, "f64": 8, "ptr": 8}


@frozen
class SiteInfo:
    """A site of a function: `kind` is "poll" or "call"; `types` those of its live values."""

    id: int
    kind: str
    line: int
    types: tuple[str, ...]


@frozen
class FunctionInfo:
    """A function that may be suspended. `id` is the number bundles name it by."""

    name: str
    id: int
    addr: int
    resume_addr: int
    result: str
    file: str
    sites: tuple[SiteInfo, ...]


@frozen
class Slot:
    """Where a value is: at SP + `value` in the frame, `size` bytes, or the constant `value`."""

    in_frame: bool
    value: int
    size: int


@frozen
class VirtualFrame:
    """One function of an inlined chain: which site it is at and where its live values are."""

    function: int
    site: int
    slots: tuple[Slot, ...]


@frozen
class Record:
    """The frame below one return address: `size` bytes from SP to the caller's SP (without what
    the call instruction pushed), the caller's return address at SP + `return_offset`."""

    return_addr: int
    size: int
    return_offset: int
    frames: tuple[VirtualFrame, ...]


@frozen
class IsaTables:
    """The records of one ISA and the bytes of code of each function by name."""

    arch: str
    code_sizes: dict[str, int]
    records: tuple[Record, ...]


@frozen
class SiteTables:
    """Both halves; `isas` by architecture name."""

    functions: tuple[FunctionInfo, ...]
    isas: dict[str, IsaTables]
    by_id: dict[int, FunctionInfo] = field(init=False, repr=False, eq=False)

    @by_id.default
    def _by_id(self) -> dict[int, FunctionInfo]:
        return {f.id: f for f in self.functions}

    def encode(self) -> bytes:
        """The tables as they are stored."""
        functions = [
            [f.name, f.id, f.addr, f.resume_addr, f.result, f.file, _pack_sites(f.sites)]
            for f in self.functions
        ]
        isas = {
            name: {
                "code_sizes": isa.code_sizes,
                "records": [
                    [r.return_addr, r.size, r.return_offset, _pack_frames(r.frames)]
                    for r in isa.records
                ],
            }
            for name, isa in self.isas.items()
        }
        whole = {"version": VERSION, "functions": functions, "isas": isas}
        return json.dumps(whole, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes, source: str) -> SiteTables:
        """The inverse of `encode`; FormatError for anything that it did not write."""
        try:
            whole = json.loads(content)
            if whole["version"] != VERSION:
                raise FormatError(
                    f"{source}: .hcc.sites has version {whole['version']}, not {VERSION}"
                )
            functions = tuple(
                FunctionInfo(
                    _text(name), _int(id_), _int(addr), _int(resume), _text(result), _text(file),
                    tuple(
                        SiteInfo(_int(i), _text(kind), _int(line), tuple(map(_text, types)))
                        for i, kind, line, types in sites
                    ),
                )
                for name, id_, addr, resume, result, file, sites in whole["functions"]
            )  # fmt: skip
            isas = {}
            for name, half in whole["isas"].items():
                sizes = {_text(n): _int(size) for n, size in half["code_sizes"].items()}
                isas[name] = IsaTables(name, sizes, tuple(map(_record, half["records"])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FormatError(f"{source}: .hcc.sites cannot be read: {error}") from error
        return cls(functions, isas)


def _pack_sites(sites: tuple[SiteInfo, ...]) -> list[list[Any]]:
    return [[s.id, s.kind, s.line, list(s.types)] for s in sites]


def _pack_frames(frames: tuple[VirtualFrame, ...]) -> list[list[Any]]:
    return [
        [f.function, f.site, [[int(s.in_frame), s.value, s.size] for s in f.slots]] for f in frames
    ]


def _record(row: Any) -> Record:
    return_addr, size, return_offset, frames = row
    virtual = tuple(
        VirtualFrame(
            _int(function),
            _int(site),
            tuple(Slot(bool(_int(f)), _int(v), _int(s)) for f, v, s in slots),
        )
        for function, site, slots in frames
    )
    return Record(_int(return_addr), _int(size), _int(return_offset), virtual)


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is not text")
    return value
