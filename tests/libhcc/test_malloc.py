"""The heap: blocks that do not overlap, keep their content, are aligned, reused and merged."""

from __future__ import annotations

import ctypes
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.libhcc import building

Address = int


class Heap:
    """libhcc's heap with a record of what it handed out."""

    def __init__(self, lib: ctypes.CDLL) -> None:
        for name in ("malloc", "calloc", "realloc", "memalign", "aligned_alloc"):
            getattr(lib, name).restype = ctypes.c_void_p
        self.lib = lib
        self.blocks: dict[Address, bytes] = {}

    def note(self, address: Address, size: int, alignment: int, rng: random.Random) -> None:
        assert address and address % alignment == 0
        assert not any(
            address < other + max(len(content), 1) and other < address + max(size, 1)
            for other, content in self.blocks.items()
        )
        content = rng.randbytes(size)
        ctypes.memmove(address, content, size)
        self.blocks[address] = content

    def check(self, address: Address) -> bytes:
        content = self.blocks.pop(address)
        assert content == ctypes.string_at(address, len(content))
        return content

    def free(self, address: Address) -> None:
        self.check(address)
        self.lib.free(ctypes.c_void_p(address))


def a_size(rng: random.Random) -> int:
    return rng.choice([rng.randrange(64), rng.randrange(1200), rng.randrange(20000)])


def test_random_calls_keep_every_block_whole(ours: ctypes.CDLL, rng: random.Random) -> None:
    heap = Heap(ours)
    for _ in range(6000):
        size = a_size(rng)
        action = rng.randrange(8)
        if action < 3 and len(heap.blocks) < 150:
            heap.note(ours.malloc(ctypes.c_size_t(size)), size, 16, rng)
        elif action == 3 and len(heap.blocks) < 150:
            address = ours.calloc(ctypes.c_size_t(size), ctypes.c_size_t(3))
            assert bytes(3 * size) == ctypes.string_at(address, 3 * size)
            heap.note(address, 3 * size, 16, rng)
        elif action == 4:
            alignment = 2 ** rng.randrange(4, 13)
            address = ours.memalign(ctypes.c_size_t(alignment), ctypes.c_size_t(size))
            heap.note(address, size, alignment, rng)
        elif action == 5 and heap.blocks:
            address = rng.choice(list(heap.blocks))
            before = heap.check(address)
            address = ours.realloc(ctypes.c_void_p(address), ctypes.c_size_t(size + 1))
            common = min(len(before), size + 1)
            assert before[:common] == ctypes.string_at(address, common)
            heap.note(address, size + 1, 16, rng)
        elif heap.blocks:
            heap.free(rng.choice(list(heap.blocks)))
    for address in list(heap.blocks):
        heap.free(address)


def test_a_freed_block_is_used_again(tmp_path: Path) -> None:
    """In a heap of its own: one that others have used may have a block that fits better."""
    path = shutil.copy(building.shared_object(), tmp_path / "fresh.so")
    fresh = Heap(ctypes.CDLL(path)).lib
    for size in (1, 24, 100, 1000, 5000, 100000):
        guard = fresh.malloc(ctypes.c_size_t(size)), fresh.malloc(ctypes.c_size_t(16))
        fresh.free(ctypes.c_void_p(guard[0]))

        assert guard[0] == fresh.malloc(ctypes.c_size_t(size))


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.malloc(ctypes.c_size_t(2**63)),
        lambda lib: lib.malloc(ctypes.c_size_t(2**64 - 8)),
        lambda lib: lib.malloc(ctypes.c_size_t(2**40)),
        lambda lib: lib.calloc(ctypes.c_size_t(2**33), ctypes.c_size_t(2**33)),
        lambda lib: lib.realloc(None, ctypes.c_size_t(2**62)),
        lambda lib: lib.memalign(ctypes.c_size_t(4096), ctypes.c_size_t(2**63)),
    ],
)
def test_what_cannot_be_had_is_null_with_enomem(
    call: Callable[[ctypes.CDLL], int | None], ours: ctypes.CDLL
) -> None:
    Heap(ours)
    errno = ctypes.c_int.in_dll(ours, "__hcc_errno")
    errno.value = 0

    assert call(ours) is None
    assert errno.value == 12


def test_posix_memalign_tells_its_errors(ours: ctypes.CDLL) -> None:
    block = ctypes.c_void_p(77)
    for alignment in (0, 3, 4, 24):
        assert (
            ours.posix_memalign(ctypes.byref(block), ctypes.c_size_t(alignment), ctypes.c_size_t(8))
            == 22
        )
    assert block.value == 77
    assert ours.posix_memalign(ctypes.byref(block), ctypes.c_size_t(256), ctypes.c_size_t(8)) == 0
    assert block.value is not None and block.value % 256 == 0


def test_sizes_of_zero_have_blocks_of_their_own(ours: ctypes.CDLL) -> None:
    Heap(ours)
    addresses = {ours.malloc(ctypes.c_size_t(0)) for _ in range(10)}

    assert len(addresses) == 10
    assert None not in addresses


PROGRAM = building.HERE / "programs" / "heap.c"


def test_addresses_depend_on_the_calls_alone() -> None:
    path = building.program((PROGRAM,))
    outputs = {building.run(path, ["addresses", "x" * n])[0] for n in (1, 100, 5000)}

    assert len(outputs) == 1


def test_neighbours_merge_into_room_for_a_large_block() -> None:
    assert building.run(building.program((PROGRAM,)), ["merge"])[0] == b"1\n1\n"


def test_freeing_twice_is_told_and_aborts() -> None:
    for how in ("double", "inside", "stack"):
        stdout, stderr, status = building.run(building.program((PROGRAM,)), [how])

        assert (stdout, status) == (b"", -6)
        assert b"not an allocated block" in stderr
