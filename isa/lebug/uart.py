"""The byte streams of LeBug's serial port: the configuration image and the trace dump.

The image is byte 42, then the blocks in the order of their configuration numbers, every array
MAX_CHAINS long: IB valid_chains; FRU filter, addr, axis, then the filter memory row by row,
most significant byte of element M-1 first; VVALU op, addr, cond, cache, cache_addr, minicache,
cache_cond; VSRU op; DP cond before commit. Conditions are the generator's single flag, since
the hardware ORs the bits of the byte. The published controller counts five VVALU arrays where
its ALU has seven, and takes a block's number for its byte count, so it loads no image rightly;
this one follows the blocks, which is what a repaired controller would take.

The dump is TB_SIZE + 1 rows, lane 0 first, least significant byte first; the last row repeats
row 0, because the address counter has wrapped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError, HccError
from .bytecode import FIELDS, chain_from_fields, published_fields, uses_fork_codes
from .chain import Chain, Firmware
from .fixedpoint import decode_array, encode_array, to_unsigned
from .machine import Machine

START = 42

_FRU = FIELDS[0:3]
_VVALU = FIELDS[3:10]
_VSRU = FIELDS[10:11]
_DP = ("DP_cond", "DP_commit")


def image_size(machine: Machine) -> int:
    """Bytes of an image, the starting 42 included."""
    arrays = len(_FRU) + len(_VVALU) + len(_VSRU) + len(_DP)
    return 2 + arrays * machine.max_chains + machine.edge_count * _value_size(machine)


def encode_image(firmware: Firmware) -> bytes:
    """The configuration image; without edges the filter memory is all zero.

    Raises HccError where the machine or the chains have no image: a data width that is not
    whole bytes, a field over one byte, casts (the published packer has no code for them).
    """
    machine = firmware.machine
    if uses_fork_codes(firmware.chains):
        raise HccError("v_commit(cast_to_int=True) has no code in the published data packer")
    if machine.max_chains > 255:
        raise HccError(f"MAX_CHAINS is {machine.max_chains}: the image counts chains in one byte")
    padded = [*firmware.chains, *[Chain()] * (machine.max_chains - len(firmware.chains))]
    fields = [published_fields(chain, machine) for chain in padded]
    out = bytearray([START, len(firmware.chains)])
    for name in _FRU:
        out += _column(fields, name)
    out += _filter_memory(firmware)
    for name in (*_VVALU, *_VSRU, *_DP):
        out += _column(fields, name)
    return bytes(out)


def decode_image(data: bytes, machine: Machine, source: str = "UART image") -> Firmware:
    """The firmware of an image made for `machine`."""
    if len(data) != image_size(machine):
        raise FormatError(
            f"{source}: {len(data)} bytes; an image for this machine has {image_size(machine)}"
        )
    if data[0] != START:
        raise FormatError(f"{source}: starts with {data[0]}, an image starts with {START}")
    count, at, columns = data[1], 2, {}
    if count > machine.max_chains:
        raise FormatError(f"{source}: {count} valid chains, MAX_CHAINS is {machine.max_chains}")
    edges: list[int] = []
    for name in (*_FRU, "edges", *_VVALU, *_VSRU, *_DP):
        if name == "edges":
            size = _value_size(machine)
            for _row in range(machine.fuvrf_size):
                row = data[at : at + machine.m * size]
                at += machine.m * size
                words = [row[i : i + size] for i in range(0, len(row), size)]
                edges += [int.from_bytes(word, "big", signed=True) for word in reversed(words)]
            continue
        columns[name] = data[at : at + machine.max_chains]
        at += machine.max_chains
    chains = []
    for index in range(count):
        fields = {name: column[index] for name, column in columns.items()}
        try:
            chains.append(chain_from_fields(fields, machine, fork=False))
        except FormatError as error:
            raise FormatError(f"{source}: chain {index + 1}: {error}") from None
    values = decode_array(np.array(edges, dtype=np.int64), machine.data_width, machine.data_type)
    return Firmware(machine, tuple(chains), "", tuple(float(v) for v in values))


def decode_dump(data: bytes, machine: Machine, source: str = "UART dump") -> NDArray[np.float64]:
    """The trace memory of a dump, TB_SIZE rows of N values; the repeated last row is dropped."""
    size = _value_size(machine)
    expected = (machine.tb_size + 1) * machine.n * size
    if len(data) != expected:
        raise FormatError(f"{source}: {len(data)} bytes; this machine dumps {expected}")
    words = [
        int.from_bytes(data[i : i + size], "little", signed=True)
        for i in range(0, machine.tb_size * machine.n * size, size)
    ]
    values = decode_array(np.array(words, dtype=np.int64), machine.data_width, machine.data_type)
    return values.reshape(machine.tb_size, machine.n)


def _value_size(machine: Machine) -> int:
    if machine.data_width % 8:
        raise HccError(f"DATA_WIDTH is {machine.data_width}: the UART moves whole bytes")
    return machine.data_width // 8


def _column(fields: list[dict[str, int]], name: str) -> bytes:
    for number, chain in enumerate(fields, 1):
        if not 0 <= chain[name] <= 255:
            raise HccError(f"chain {number}: {name} is {chain[name]}: does not fit its one byte")
    return bytes(chain[name] for chain in fields)


def _filter_memory(firmware: Firmware) -> bytes:
    machine = firmware.machine
    size = _value_size(machine)
    edges = firmware.edges if firmware.edges is not None else (0.0,) * machine.edge_count
    words = encode_array(
        np.array(edges, dtype=np.float64), machine.data_width, machine.data_type, "filter edge "
    )
    unsigned = [int(word) for word in to_unsigned(words, machine.data_width)]
    out = bytearray()
    for row in range(machine.fuvrf_size):
        for element in reversed(unsigned[row * machine.m : (row + 1) * machine.m]):
            out += element.to_bytes(size, "big")
    return bytes(out)
