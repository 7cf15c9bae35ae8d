"""Chains as bytes: the field encoding of LeBug's hardware in a checked, versioned container.

LeBug has no object file: its compiler hands Python objects to the emulator and bakes arrays
into the generated RTL. The container here keeps those arrays as they are (one byte per field
per chain, grouped by block, in the order the hardware's configuration takes them) between a
header that says for which machine they were made and a CRC-32 over everything before it. Two
things differ from the published arrays, so that nothing is lost: a condition byte keeps all its
flags (see `chain`), and the packer's commit code is the fork's seven-valued one when any chain
casts to integers (header flag 1). This container is what `.hcc.lebug` holds in a fat binary.

    header   4s "HLBC" · u16 version · u16 flags (1 fork commit codes, 2 edges present)
             u32 N M IB_DEPTH FUVRF_SIZE VVVRF_SIZE TB_SIZE MAX_CHAINS
             u8 data type · u8 data width · u8 delta slots · u8 number of blocks · block ids
             u16 length of name · name (UTF-8)
    IB       u8 valid chains C
    FRU      filter[C] addr[C] axis[C]
    VVALU    op[C] addr[C] cond[C] cache[C] cache_addr[C] minicache[C] cache_cond[C]
    VSRU     op[C]
    DP       commit[C] cond[C]
    edges    f64[FUVRF_SIZE * M], if present
    u32      CRC-32
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from ..errors import FormatError, HccError
from .chain import Axis, Chain, CommitSize, Firmware, Op, commit_size, first_flag
from .machine import Block, DataType, Machine

MAGIC = b"HLBC"
VERSION = 1
SECTION = ".hcc.lebug"

_HEADER = struct.Struct("<4sHH7I4B")
_FORK_CODES = 1
_HAS_EDGES = 2

_BLOCK_IDS = tuple(Block)

_PLAIN_COMMIT = {CommitSize.N: 0, CommitSize.M: 1, CommitSize.ONE: 2}
_NO_COMMIT = 3
_FORK_NO_COMMIT = 6

FIELDS = (
    "FRU_filter",
    "FRU_addr",
    "FRU_axis",
    "VVALU_op",
    "VVALU_addr",
    "VVALU_cond",
    "VVALU_cache",
    "VVALU_cache_addr",
    "VVALU_minicache",
    "VVALU_cache_cond",
    "VSRU_op",
    "DP_commit",
    "DP_cond",
)


def uses_fork_codes(chains: Sequence[Chain]) -> bool:
    """Whether the commit field needs the fork's codes, which also say 'cast to integer'."""
    return any(chain.commit and chain.cast_to_int for chain in chains)


def chain_fields(chain: Chain, machine: Machine, fork: bool) -> dict[str, int]:
    """The bytes of one chain by field name, condition bytes lossless."""
    if not chain.commit:
        commit = _FORK_NO_COMMIT if fork else _NO_COMMIT
    else:
        commit = _PLAIN_COMMIT[commit_size(chain.commit, machine)]
        if chain.cast_to_int:
            commit += 3
    return {
        "FRU_filter": int(chain.filter),
        "FRU_addr": chain.filter_addr,
        "FRU_axis": int(chain.axis),
        "VVALU_op": int(chain.op),
        "VVALU_addr": chain.addr,
        "VVALU_cond": chain.cond,
        "VVALU_cache": int(chain.cache),
        "VVALU_cache_addr": chain.cache_addr,
        "VVALU_minicache": int(chain.mc_load) | int(chain.mc_save) << 1,
        "VVALU_cache_cond": chain.cache_cond,
        "VSRU_op": int(chain.reduce),
        "DP_commit": commit,
        "DP_cond": chain.commit_cond,
    }


def published_fields(chain: Chain, machine: Machine) -> dict[str, int]:
    """The bytes as LeBug's RTL generator emits them: of each condition, the first flag only."""
    fields = chain_fields(chain, machine, uses_fork_codes([chain]))
    for name in ("VVALU_cond", "VVALU_cache_cond", "DP_cond"):
        fields[name] = first_flag(fields[name])
    return fields


def chain_from_fields(fields: dict[str, int], machine: Machine, fork: bool) -> Chain:
    """The chain of a set of bytes; FormatError for a byte the hardware has no meaning for."""
    limits = {"FRU_filter": 1, "FRU_axis": 2, "VVALU_op": 4, "VVALU_cache": 1}
    limits |= {"VVALU_minicache": 3, "VSRU_op": 1}
    limits["DP_commit"] = _FORK_NO_COMMIT if fork else _NO_COMMIT
    for name, limit in limits.items():
        if fields[name] > limit:
            raise FormatError(f"{name} is {fields[name]}, the largest meaningful value is {limit}")
    code = fields["DP_commit"]
    cast = False
    if code == (_FORK_NO_COMMIT if fork else _NO_COMMIT):
        size = 0
    else:
        cast = code >= 3
        size = (machine.n, machine.m, 1)[code % 3]
    return Chain(
        filter=bool(fields["FRU_filter"]),
        filter_addr=fields["FRU_addr"],
        axis=Axis(fields["FRU_axis"]),
        op=Op(fields["VVALU_op"]),
        addr=fields["VVALU_addr"],
        cond=fields["VVALU_cond"],
        cache=bool(fields["VVALU_cache"]),
        cache_addr=fields["VVALU_cache_addr"],
        cache_cond=fields["VVALU_cache_cond"],
        mc_load=bool(fields["VVALU_minicache"] & 1),
        mc_save=bool(fields["VVALU_minicache"] & 2),
        reduce=bool(fields["VSRU_op"]),
        commit=size,
        commit_cond=fields["DP_cond"],
        cast_to_int=cast,
    )


def encode(firmware: Firmware) -> bytes:
    """The container's bytes; the same firmware gives the same bytes.

    Raises HccError when a field does not fit its byte.
    """
    machine, chains = firmware.machine, firmware.chains
    if len(chains) > 255:
        raise HccError(f"{len(chains)} chains: the bytecode counts chains in one byte (255)")
    fork = uses_fork_codes(chains)
    name = firmware.name.encode("utf-8")
    if len(name) > 0xFFFF:
        raise HccError("the firmware's name is longer than 65535 bytes")
    flags = _FORK_CODES * fork | _HAS_EDGES * (firmware.edges is not None)
    parts = [
        _HEADER.pack(
            MAGIC, VERSION, flags,
            machine.n, machine.m, machine.ib_depth, machine.fuvrf_size, machine.vvvrf_size,
            machine.tb_size, machine.max_chains,
            machine.data_type.value, machine.data_width, machine.delta_slots,
            len(machine.blocks),
        ),
        bytes(_BLOCK_IDS.index(block) for block in machine.blocks),
        struct.pack("<H", len(name)),
        name,
        bytes([len(chains)]),
    ]  # fmt: skip
    encoded = [chain_fields(chain, machine, fork) for chain in chains]
    for field in FIELDS:
        for number, fields in enumerate(encoded, 1):
            if not 0 <= fields[field] <= 255:
                raise HccError(
                    f"chain {number}: {field} is {fields[field]}: does not fit its one byte"
                )
        parts.append(bytes(fields[field] for fields in encoded))
    if firmware.edges is not None:
        parts.append(struct.pack(f"<{len(firmware.edges)}d", *firmware.edges))
    body = b"".join(parts)
    return body + struct.pack("<I", zlib.crc32(body))


class _Reader:
    """Takes bytes from the front; running out is a FormatError that says where."""

    def __init__(self, data: bytes, source: str) -> None:
        self.data, self.source, self.at = data, source, 0

    def take(self, count: int, what: str) -> bytes:
        if self.at + count > len(self.data):
            raise FormatError(
                f"{self.source}: truncated in {what}: {count} bytes wanted at offset {self.at}, "
                f"{len(self.data) - self.at} there"
            )
        self.at += count
        return self.data[self.at - count : self.at]


def decode(data: bytes, source: str = "bytecode") -> Firmware:
    """The firmware of a container; raises FormatError for anything but a whole, intact one."""
    if len(data) < _HEADER.size + 4 or data[:4] != MAGIC:
        raise FormatError(f"{source}: not LeBug bytecode (no {MAGIC.decode()} header)")
    body, stored = data[:-4], struct.unpack("<I", data[-4:])[0]
    if zlib.crc32(body) != stored:
        raise FormatError(f"{source}: checksum mismatch: the file is altered or truncated")
    reader = _Reader(body, source)
    header = _HEADER.unpack(reader.take(_HEADER.size, "header"))
    version, flags = header[1], header[2]
    if version != VERSION:
        raise FormatError(f"{source}: bytecode version {version}; this hcc reads {VERSION}")
    if flags & ~(_FORK_CODES | _HAS_EDGES):
        raise FormatError(f"{source}: unknown flags {flags:#x}")
    machine = _machine(header, reader)
    name = reader.take(struct.unpack("<H", reader.take(2, "name"))[0], "name")
    count = reader.take(1, "chain count")[0]
    columns = {field: reader.take(count, field) for field in FIELDS}
    edges = None
    if flags & _HAS_EDGES:
        raw = reader.take(8 * machine.edge_count, "edges")
        edges = struct.unpack(f"<{machine.edge_count}d", raw)
    if reader.at != len(body):
        raise FormatError(f"{source}: {len(body) - reader.at} bytes after the last field")
    chains = []
    for index in range(count):
        fields = {field: columns[field][index] for field in FIELDS}
        try:
            chains.append(chain_from_fields(fields, machine, bool(flags & _FORK_CODES)))
        except FormatError as error:
            raise FormatError(f"{source}: chain {index + 1}: {error}") from None
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{source}: the firmware's name is not UTF-8") from None
    return Firmware(machine, tuple(chains), text, edges)


def _machine(header: tuple[int, ...], reader: _Reader) -> Machine:
    n, m, ib_depth, fuvrf, vvvrf, tb_size, max_chains, kind, width, slots, count = header[3:]
    ids = reader.take(count, "block order")
    for block_id in ids:
        if block_id >= len(_BLOCK_IDS):
            raise FormatError(f"{reader.source}: unknown building block number {block_id}")
    if kind not in (0, 1):
        raise FormatError(f"{reader.source}: unknown data type number {kind}")
    try:
        return Machine(
            n, m, ib_depth, fuvrf, vvvrf, tb_size, max_chains, DataType(kind), width, slots,
            tuple(_BLOCK_IDS[block_id] for block_id in ids),
        )  # fmt: skip
    except HccError as error:
        raise FormatError(f"{reader.source}: {error}") from None
