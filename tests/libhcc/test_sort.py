"""qsort, which is stable as glibc's is, and bsearch."""

from __future__ import annotations

import ctypes
import random
import struct
from operator import itemgetter

import pytest

Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def key_at(address: int) -> int:
    return ctypes.c_uint8.from_address(address).value


def first_byte_order(a: int, b: int) -> int:
    return key_at(a) - key_at(b)


by_first_byte = Compare(first_byte_order)


@pytest.mark.parametrize("size", [1, 2, 4, 7, 8, 16, 40])
def test_equal_elements_keep_their_order(size: int, ours: ctypes.CDLL, rng: random.Random) -> None:
    for count in [*range(12), 31, 100, 1000]:
        keys = [rng.randrange(rng.choice([2, 20, 256])) for _ in range(count)]
        elements = [
            (bytes([key]) + struct.pack("<I", i) + bytes(size))[:size] for i, key in enumerate(keys)
        ]
        array = ctypes.create_string_buffer(b"".join(elements), count * size + 1)

        ours.qsort(array, ctypes.c_size_t(count), ctypes.c_size_t(size), by_first_byte)

        in_order = sorted(elements, key=itemgetter(0))
        assert b"".join(in_order) == array.raw[: count * size]


@pytest.mark.parametrize("order", ["rising", "falling", "equal", "sawtooth"])
def test_orders_that_are_hard_for_others(order: str, ours: ctypes.CDLL) -> None:
    calls = 0
    n = 2000
    keys = {
        "rising": range(n), "falling": range(n, 0, -1), "equal": [5] * n,
        "sawtooth": [i % 17 for i in range(n)],
    }[order]  # fmt: skip
    array = (ctypes.c_int * n)(*keys)

    def by_value(a: int, b: int) -> int:
        nonlocal calls
        calls += 1
        left, right = ctypes.c_int.from_address(a).value, ctypes.c_int.from_address(b).value
        return (left > right) - (left < right)

    ours.qsort(array, ctypes.c_size_t(n), ctypes.c_size_t(4), Compare(by_value))

    assert sorted(keys) == list(array)
    assert calls < n * 12  # n log2 n is 22000


def test_search_finds_what_is_there_and_nothing_else(ours: ctypes.CDLL) -> None:
    ours.bsearch.restype = ctypes.c_void_p
    for count in range(20):
        array = (ctypes.c_uint8 * (count + 1))(*(2 * i for i in range(count + 1)))
        for wanted in range(2 * count + 2):
            key = ctypes.c_uint8(wanted)
            found = ours.bsearch(
                ctypes.byref(key), array, ctypes.c_size_t(count), ctypes.c_size_t(1), by_first_byte
            )
            there = wanted % 2 == 0 and wanted < 2 * count

            assert (ctypes.addressof(array) + wanted // 2 if there else None) == found
