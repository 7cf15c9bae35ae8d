"""Snapshots: a suspended process as a file that any ISA and any machine can go on from.

    "HCCSNAP\\n"  version (u32)  length of the header (u64)  header  body  SHA-256 of all before

The header is JSON: activation records, personality, arguments, statistics, and the list of memory
ranges; the body is zlib-compressed: the fat binary itself, then the ranges' pages, of which
all-zero ones are left out. Nothing in it depends on the ISA that the process was on, except its
name.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

from attrs import frozen

from hcc.emulator.memory import PAGE_SIZE, READ, SPACE_SIZE, WRITE, Memory
from hcc.isa import fatbinary
from hcc.isa.errors import FormatError
from hcc.isa.fatbinary import Program
from hcc.isa.store import write_atomically
from hcc.runtime.address_space import RECORDS_BASE, RECORDS_SIZE, STACK_SIZE, STACK_TOP
from hcc.runtime.personality import check_state
from hcc.runtime.process import Process
from hcc.runtime.unwind import Activation

MAGIC = b"HCCSNAP\n"
VERSION = 2
_HEAD = struct.Struct("<8sIQ")
_DIGEST_SIZE = 32
_ZERO_PAGE = bytes(PAGE_SIZE)


@frozen
class Snapshot:
    """A suspended process. `pages` maps page addresses to their content."""

    program: Program
    isa: str
    activations: tuple[Activation, ...]
    personality: dict[str, Any]
    ranges: tuple[tuple[int, int, int], ...]
    pages: dict[int, bytes]
    points: int


def _is_private(start: int, program: Program) -> bool:
    """Whether a mapped range is rebuilt rather than saved: the native stack, the record buffer
    and each ISA's constants."""
    stack = STACK_TOP - STACK_SIZE <= start < STACK_TOP
    records = RECORDS_BASE <= start < RECORDS_BASE + RECORDS_SIZE
    constants = any(start == region.addr for region in program.local.values())
    return stack or records or constants


def _split_ranges(memory: Memory) -> list[tuple[int, int, int]]:
    """Mapped ranges, cut where the private native stack ends."""
    result = []
    for start, end, access in memory.mapped_ranges():
        if start < STACK_TOP < end:
            result += [(start, STACK_TOP, access), (STACK_TOP, end, access)]
        else:
            result.append((start, end, access))
    return result


def capture(process: Process) -> Snapshot:
    """The snapshot of a process that is at a migration point."""
    program, memory = process.program, process.memory
    ranges = [r for r in _split_ranges(memory) if not _is_private(r[0], program)]
    pages = {}
    for start, end, _ in ranges:
        content = memory.data[start:end]
        for at in range(0, end - start, PAGE_SIZE):
            page = content[at : at + PAGE_SIZE]
            if page != _ZERO_PAGE:
                pages[start + at] = page
    return Snapshot(
        program=program,
        isa=process.isa,
        activations=tuple(process.activations()),
        personality=process.personality.state(),
        ranges=tuple(ranges),
        pages=pages,
        points=process.statistics.points,
    )


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot, atomically."""
    binary = fatbinary.encode(snapshot.program)
    header = {
        "isa": snapshot.isa,
        "activations": [[a.function, a.site, list(a.values)] for a in snapshot.activations],
        "personality": snapshot.personality,
        "ranges": [list(r) for r in snapshot.ranges],
        "pages": sorted(snapshot.pages),
        "points": snapshot.points,
        "binary_size": len(binary),
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    packer = zlib.compressobj(6)
    body = packer.compress(binary)
    body += b"".join(packer.compress(snapshot.pages[at]) for at in sorted(snapshot.pages))
    body += packer.flush()
    content = _HEAD.pack(MAGIC, VERSION, len(head)) + head + body
    write_atomically(path, content + hashlib.sha256(content).digest())


def load(path: Path) -> Snapshot:
    """Read a snapshot; FormatError says whether it is foreign, truncated or altered."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    if content[: len(MAGIC)] != MAGIC:
        raise FormatError(f"{path}: not a snapshot of hcc")
    if len(content) < _HEAD.size + _DIGEST_SIZE:
        raise FormatError(f"{path}: truncated after {len(content)} bytes")
    _, version, size = _HEAD.unpack_from(content)
    if version != VERSION:
        raise FormatError(f"{path}: snapshot version {version}, this hcc reads {VERSION}")
    if hashlib.sha256(content[:-_DIGEST_SIZE]).digest() != content[-_DIGEST_SIZE:]:
        raise FormatError(f"{path}: truncated or altered: its checksum does not match")
    try:
        header = json.loads(content[_HEAD.size : _HEAD.size + size])
        body = zlib.decompress(content[_HEAD.size + size : -_DIGEST_SIZE])
        return _decode(header, body, str(path))
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise FormatError(f"{path}: damaged: {error}") from error


def _decode(header: dict[str, Any], body: bytes, source: str) -> Snapshot:
    size = header["binary_size"]
    program = fatbinary.decode(body[:size], f"{source} (program)")
    pages = {
        addr: body[size + i * PAGE_SIZE : size + (i + 1) * PAGE_SIZE]
        for i, addr in enumerate(header["pages"])
    }
    if not isinstance(header["points"], int) or len(body) != size + PAGE_SIZE * len(pages):
        raise ValueError("its counts do not fit its content")
    snapshot = Snapshot(
        program=program,
        isa=header["isa"],
        activations=tuple(Activation(f, s, tuple(v)) for f, s, v in header["activations"]),
        personality=header["personality"],
        ranges=tuple((a, b, c) for a, b, c in header["ranges"]),
        pages=pages,
        points=header["points"],
    )
    if snapshot.isa not in program.isas:
        raise ValueError(f"it was taken on '{snapshot.isa}', for which its program has no code")
    _check_activations(snapshot)
    _check_memory(snapshot)
    check_state(snapshot.personality)
    return snapshot


def _check_activations(snapshot: Snapshot) -> None:
    """ValueError unless every record is one that its function's resume entry can read."""
    if not snapshot.activations:
        raise ValueError("it has no activation records")
    for activation in snapshot.activations:
        function = snapshot.program.sites.by_id[activation.function]
        types = next((s.types for s in function.sites if s.id == activation.site), None)
        if types is None or len(types) != len(activation.values):
            raise ValueError(f"a record does not fit the sites of {function.name}")
        if not all(isinstance(v, int) and 0 <= v < 1 << 64 for v in activation.values):
            raise ValueError(f"a record of {function.name} has a value that is no 64-bit word")


def _check_memory(snapshot: Snapshot) -> None:
    """ValueError unless the ranges are made of pages, and the pages lie in them."""
    limit = SPACE_SIZE // PAGE_SIZE
    mapped: set[int] = set()
    for start, end, access in snapshot.ranges:
        if access not in (READ, READ | WRITE) or start % PAGE_SIZE or end % PAGE_SIZE:
            raise ValueError(f"a memory range {start}-{end} of access {access}")
        if not 0 <= start < end <= limit * PAGE_SIZE:
            raise ValueError(f"a memory range {start}-{end}")
        mapped.update(range(start // PAGE_SIZE, end // PAGE_SIZE))
    for page in snapshot.pages:
        if page % PAGE_SIZE or page // PAGE_SIZE not in mapped:
            raise ValueError(f"a page at {page}, outside its memory ranges")


def restore(
    snapshot: Snapshot, isa: str, engine: str = "interp", count: bool = True
) -> Process:
    """A process that goes on from a snapshot on the given ISA and engine."""
    return Process.resumed(
        snapshot.program,
        isa,
        ranges=snapshot.ranges,
        pages=snapshot.pages,
        personality=snapshot.personality,
        activations=list(snapshot.activations),
        engine=engine,
        count=count,
    )
