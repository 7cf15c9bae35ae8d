"""The .npy and .npz files, read strictly: real numbers only, every malformation a FormatError.

numpy's own reader fails on damaged headers with whatever its tokenizer or evaluator raises, and
can unpickle; this one takes the three versions of the header (a Python dictionary with exactly
`descr`, `fortran_order` and `shape`), checks that the data is all there, and maps .npy files
instead of reading them.
"""

from __future__ import annotations

import ast
import io
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from hcc.isa.errors import FormatError, HccError

AnyArray = NDArray[np.generic]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
MAX_ELEMENTS = 1 << 40
MAX_MEMBER = 1 << 32

_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}


def read_npy(path: Path) -> AnyArray:
    """The array of a .npy file, mapped read-only."""
    try:
        with path.open("rb") as stream:
            dtype, fortran, shape = _header(stream, str(path))
            offset = stream.tell()
        _check_size(dtype, shape, path.stat().st_size - offset, str(path))
        size = math.prod(shape)
        if size == 0:
            return np.zeros(shape, dtype=dtype)
        flat: AnyArray = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=size)
        return flat.reshape(shape, order="F" if fortran else "C")
    except OSError as error:
        raise HccError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def read_npz(path: Path, names: set[str]) -> dict[str, AnyArray]:
    """The arrays of those names that a .npz file has, in memory."""
    found: dict[str, AnyArray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name not in names or name == info.filename:
                    continue
                if info.file_size > MAX_MEMBER:
                    raise FormatError(f"{path}: '{name}' is {info.file_size} bytes unpacked")
                found[name] = _from_bytes(archive.read(info), f"{path}: {name}")
    except OSError as error:
        raise HccError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        raise FormatError(f"{path}: not a numpy archive: {str(error)[:100]}") from None
    return found


def _from_bytes(data: bytes, where: str) -> AnyArray:
    stream = io.BytesIO(data)
    dtype, fortran, shape = _header(stream, where)
    offset = stream.tell()
    _check_size(dtype, shape, len(data) - offset, where)
    flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=offset)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(stream: BinaryIO, where: str) -> tuple[np.dtype[np.generic], bool, tuple[int, ...]]:
    start = stream.read(len(MAGIC) + 2)
    if len(start) < len(MAGIC) + 2 or start[: len(MAGIC)] != MAGIC or start[6] not in _LENGTHS:
        raise FormatError(f"{where}: not a numpy array file (no NUMPY header)")
    form = _LENGTHS[start[6]]
    raw = stream.read(struct.calcsize(form))
    length = struct.unpack(form, raw)[0] if len(raw) == struct.calcsize(form) else MAX_HEADER + 1
    text = stream.read(length) if length <= MAX_HEADER else b""
    if len(text) != length:
        raise FormatError(f"{where}: not a numpy array file (truncated header)")
    try:
        header = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1").strip())
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
        if len(header) != 3 or not isinstance(descr, str) or not isinstance(fortran, bool):
            raise ValueError("unexpected entries")
        dtype: np.dtype[np.generic] = np.dtype(descr)
        sizes = tuple(shape)
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in sizes):
            raise ValueError("unexpected shape")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise FormatError(f"{where}: not a numpy array file (malformed header)") from None
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise FormatError(f"{where}: values of type {dtype}: real numbers are wanted")
    return dtype, fortran, sizes


def _check_size(dtype: np.dtype[np.generic], shape: tuple[int, ...], size: int, where: str) -> None:
    if len(shape) > 16 or max(shape, default=0) > MAX_ELEMENTS or math.prod(shape) > MAX_ELEMENTS:
        raise FormatError(f"{where}: an array of shape {str(shape)[:60]} is too large")
    needed = math.prod(shape) * dtype.itemsize
    if size < needed:
        raise FormatError(f"{where}: not a numpy array file ({size} bytes of {needed})")
