"""The unit's state as plain bytes: versioned, checksummed, the same on every host.

    4s "HLBS" · u16 version · u32 length of header · header (JSON) · arrays · u32 CRC-32

The header holds numbers and text and, in order, each array's name, type and shape; the arrays
follow, little-endian. Nothing in it depends on the ISA or the engine of the program that feeds
the unit, so it travels with a migration or a checkpoint as it is.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from hcc.isa.errors import FormatError

MAGIC = b"HLBS"
VERSION = 1

_HEAD = struct.Struct("<4sHI")
_TYPES = {"<f8", "<i8", "|u1", "|b1"}
MAX_ELEMENTS = 1 << 30

AnyArray = NDArray[np.generic]


@frozen(eq=False)
class State:
    """Numbers and text by name, and arrays by name."""

    values: Mapping[str, object]
    arrays: Mapping[str, AnyArray]


def pack(state: State) -> bytes:
    """The bytes of a state; equal states give equal bytes."""
    listed, chunks = [], []
    for name, array in sorted(state.arrays.items()):
        kind = array.dtype.newbyteorder("<").str
        if kind not in _TYPES:
            raise AssertionError(f"{name}: no encoding for {kind}")
        listed.append([name, kind, list(array.shape)])
        chunks.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    header = json.dumps(
        {"values": dict(state.values), "arrays": listed}, sort_keys=True, separators=(",", ":")
    ).encode()
    body = b"".join([_HEAD.pack(MAGIC, VERSION, len(header)), header, *chunks])
    return body + struct.pack("<I", zlib.crc32(body))


def unpack(data: bytes, source: str = "snapshot") -> State:
    """The state of some bytes; FormatError for anything but a whole, intact one."""
    if len(data) < _HEAD.size + 4 or data[:4] != MAGIC:
        raise FormatError(f"{source}: not an instrumentation-unit snapshot")
    body, stored = data[:-4], struct.unpack("<I", data[-4:])[0]
    if zlib.crc32(body) != stored:
        raise FormatError(f"{source}: checksum mismatch: the snapshot is altered or truncated")
    _, version, length = _HEAD.unpack_from(body)
    if version != VERSION:
        raise FormatError(f"{source}: snapshot version {version}; this hcc reads {VERSION}")
    at = _HEAD.size + length
    try:
        header = json.loads(body[_HEAD.size : at])
        values = dict(header["values"])
        listed = [(str(name), str(kind), [int(n) for n in shape])
                  for name, kind, shape in header["arrays"]]  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"{source}: malformed snapshot header: {error}") from None
    arrays: dict[str, AnyArray] = {}
    for name, kind, shape in listed:
        count = math.prod(shape) if min(shape, default=0) >= 0 else -1
        if kind not in _TYPES or not 0 <= count <= MAX_ELEMENTS:
            raise FormatError(f"{source}: array '{name[:40]}' has type {kind[:8]}, shape {shape}")
        size = count * np.dtype(kind).itemsize
        if at + size > len(body):
            raise FormatError(f"{source}: truncated in array '{name[:40]}'")
        arrays[name] = np.frombuffer(body, dtype=kind, count=count, offset=at).reshape(shape).copy()
        at += size
    if at != len(body):
        raise FormatError(f"{source}: {len(body) - at} bytes after the last array")
    return State(values, arrays)


class Restorer:
    """Takes values and arrays out of a state, checking type and shape."""

    def __init__(self, state: State, source: str) -> None:
        self.state, self.source = state, source

    def integer(self, name: str) -> int:
        value = self.state.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1 << 62:
            raise FormatError(f"{self.source}: no integer '{name}'")
        return value

    def text(self, name: str) -> str:
        value = self.state.values.get(name)
        if not isinstance(value, str):
            raise FormatError(f"{self.source}: no text '{name}'")
        return value

    def integers(self, name: str) -> list[int]:
        value = self.state.values.get(name)
        if not isinstance(value, list) or not all(
            isinstance(item, int) and abs(item) <= 1 << 64 for item in value
        ):
            raise FormatError(f"{self.source}: no list of integers '{name}'")
        return value

    def within(self, name: str, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        value = self.integer(name)
        if not low <= value <= high:
            raise FormatError(f"{self.source}: '{name}' is {value}, must be {low} to {high}")
        return value

    def into(self, name: str, target: AnyArray) -> None:
        """Copy an array into one of the same shape and type."""
        array = self.state.arrays.get(name)
        if array is None or array.shape != target.shape or array.dtype != target.dtype:
            raise FormatError(f"{self.source}: no array '{name}' of shape {target.shape}")
        target[...] = array

    def array(self, name: str, dtype: str, dimensions: int) -> AnyArray:
        array = self.state.arrays.get(name)
        if array is None or array.dtype != np.dtype(dtype) or array.ndim != dimensions:
            raise FormatError(f"{self.source}: no array '{name}'")
        return array
