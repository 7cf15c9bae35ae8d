"""Input vectors and their signals from files and short descriptions.

Vectors come as .npy (an array whose last axis is the lane, or a flat one) or .npz (arrays v and,
if there, valid, eof1, eof2). Files are mapped, not read, so that a long input costs no memory.
A signal is given as `none`, `all`, `last`, `every:K` (high on every Kth vector), a list of 0
and 1, or a .npy file with one entry a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from hcc.isa.errors import FormatError, HccError

from .arrayfile import read_npy, read_npz

AnyArray = NDArray[np.generic]


@frozen(eq=False)
class VectorFile:
    """Vectors as a 2-D array of any real type, and the signals that came with them."""

    vectors: AnyArray
    valid: NDArray[np.bool_] | None = None
    eof1: NDArray[np.bool_] | None = None
    eof2: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.vectors)


def last_axis(path: str | Path) -> int | None:
    """The width of the vectors in a file, or None if it is flat."""
    array = _load(Path(path))[0]
    return array.shape[-1] if array.ndim > 1 else None


def read_vectors(path: str | Path, n: int) -> VectorFile:
    """The vectors of a file as (count, n); FormatError if it is no such array."""
    path = Path(path)
    array, signals = _load(path)
    if array.ndim == 0:
        raise FormatError(f"{path}: a single number, not vectors")
    if array.ndim == 1:
        if array.size % n:
            raise FormatError(
                f"{path}: {array.size} values are no whole number of {n}-lane vectors"
            )
        array = array.reshape(-1, n)
    elif array.shape[-1] != n:
        shape = "x".join(map(str, array.shape))
        raise FormatError(f"{path}: an array of {shape}: the last axis must be N = {n}")
    array = array.reshape(-1, n)
    kept = {name: _bits(signal, len(array), f"{path}: {name}") for name, signal in signals.items()}
    return VectorFile(array, kept.get("valid"), kept.get("eof1"), kept.get("eof2"))


def read_numbers(path: str | Path) -> list[float]:
    """All the real numbers of an array file, in order; FormatError if it is none."""
    array = _load(Path(path))[0]
    return [float(value) for value in array.reshape(-1).astype(np.float64)]


def signal(description: str, count: int, name: str) -> NDArray[np.bool_]:
    """One bit per vector from a description; HccError if it is not understood or too short."""
    bits = np.zeros(count, dtype=np.bool_)
    text = description.strip()
    match text:
        case "none":
            return bits
        case "all":
            return ~bits
        case "last":
            bits[-1:] = True
            return bits
    if text.startswith("every:"):
        try:
            period = int(text.removeprefix("every:"))
        except ValueError:
            period = 0
        if period < 1:
            raise HccError(f"{name}: '{text[:40]}': every:K takes a positive integer")
        bits[period - 1 :: period] = True
        return bits
    if text and set(text) <= set("01, "):
        digits = text.replace(",", "").replace(" ", "")
        return _bits(np.array([digit == "1" for digit in digits]), count, name)
    if text.endswith(".npy"):
        return _bits(_load(Path(text))[0].reshape(-1), count, f"{name}: {text}")
    raise HccError(
        f"{name}: '{text[:40]}' is not none, all, last, every:K, a list of 0 and 1, or a .npy file"
    )


def arrival_times(description: str, count: int) -> NDArray[np.int64] | None:
    """Steps at which vectors arrive: `wait` (None), an interval K, or a .npy file."""
    text = description.strip()
    if text == "wait":
        return None
    if text.endswith(".npy"):
        times = _load(Path(text))[0].reshape(-1)
        if times.dtype.kind not in "iu" or len(times) != count:
            raise HccError(f"arrivals: {text}: wanted {count} integers, one a vector")
        return times.astype(np.int64)
    try:
        interval = int(text)
    except ValueError:
        interval = -1
    if not 0 <= interval <= 1 << 32:
        raise HccError(f"arrivals: '{text[:40]}' is not wait, an interval in steps, or a .npy file")
    return np.arange(count, dtype=np.int64) * interval


def parts(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _bits(array: AnyArray, count: int, what: str) -> NDArray[np.bool_]:
    if array.shape != (count,):
        raise HccError(f"{what}: {array.size} entries for {count} vectors")
    return array.astype(np.bool_)


def _load(path: Path) -> tuple[AnyArray, dict[str, AnyArray]]:
    match path.suffix.lower():
        case ".npy":
            return read_npy(path), {}
        case ".npz":
            found = read_npz(path, {"v", "valid", "eof1", "eof2"})
            if "v" not in found:
                raise FormatError(f"{path}: no array 'v' in it")
            vectors = found.pop("v")
            return vectors, {name: array.reshape(-1) for name, array in found.items()}
    raise FormatError(f"{path}: input vectors are .npy or .npz, not '{path.suffix}'")
