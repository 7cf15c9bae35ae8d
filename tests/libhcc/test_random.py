"""rand, random, rand_r and the drand48 family: glibc's sequences, number by number."""

from __future__ import annotations

import ctypes
import random

import pytest

SEEDS = [0, 1, 2, 42, 2**31 - 1, 2**31, 2**31 + 5, 2**32 - 1]
COUNT = 400
State = ctypes.c_ushort * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_rand(seed: int, ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    for lib in (ours, theirs):
        lib.srand(ctypes.c_uint(seed))

    assert [theirs.rand() for _ in range(COUNT)] == [ours.rand() for _ in range(COUNT)]


@pytest.mark.parametrize("seed", SEEDS)
def test_rand_r(seed: int, ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    states = ctypes.c_uint(seed), ctypes.c_uint(seed)
    for _ in range(COUNT):
        assert theirs.rand_r(ctypes.byref(states[0])) == ours.rand_r(ctypes.byref(states[1]))
    assert states[0].value == states[1].value


@pytest.mark.parametrize(
    ("name", "own_state"),
    [("drand48", False), ("lrand48", False), ("mrand48", False),
     ("erand48", True), ("nrand48", True), ("jrand48", True)],
)  # fmt: skip
def test_drand48_family(
    name: str, own_state: bool, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    results = []
    seed = rng.getrandbits(32)
    words = [rng.getrandbits(16) for _ in range(3)]
    for lib in (theirs, ours):
        getattr(lib, name).restype = (
            ctypes.c_double if name[1:] == "rand48" and name[0] in "de" else (ctypes.c_long)
        )
        lib.srand48(ctypes.c_long(seed))
        state = [State(*words)] if own_state else []
        results.append([getattr(lib, name)(*state) for _ in range(COUNT)])

    assert results[0] == results[1]


def test_states_are_set_and_returned(ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    results = []
    for lib in (theirs, ours):
        lib.seed48.restype = ctypes.POINTER(State)
        lib.lrand48.restype = ctypes.c_long
        lib.srand48(ctypes.c_long(7))
        before = list(lib.seed48(State(1, 2, 3)).contents)
        drawn = lib.lrand48()
        lib.lcong48((ctypes.c_ushort * 7)(9, 8, 7, 6, 5, 4, 3))
        results.append((before, drawn, lib.lrand48(), lib.lrand48()))

    assert results[0] == results[1]
