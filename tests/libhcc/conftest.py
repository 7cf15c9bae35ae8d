"""Fixtures of libhcc's tests: the library under test, the system's, and a seeded generator."""

from __future__ import annotations

import ctypes
import random

import pytest

from tests.libhcc import building


@pytest.fixture
def ours() -> ctypes.CDLL:
    return building.shared_library()


@pytest.fixture
def theirs() -> ctypes.CDLL:
    return ctypes.CDLL("libc.so.6")


@pytest.fixture
def rng() -> random.Random:
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    return random.Random(seed)
