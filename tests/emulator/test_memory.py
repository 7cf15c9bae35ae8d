"""Guest memory by itself: permissions, host access, devices, the map."""

from __future__ import annotations

import pytest

from hcc.emulator.faults import FaultKind, MemoryFault
from hcc.emulator.memory import (
    PAGE_SIZE,
    READ,
    SPACE_SIZE,
    WRITE,
    Memory,
    page_ceil,
    page_floor,
)
from hcc.isa.errors import HccError

BASE = 0x20_0000


@pytest.fixture
def memory() -> Memory:
    """Two writable pages, one read-only, then nothing."""
    memory = Memory()
    memory.protect(BASE, 2 * PAGE_SIZE, READ | WRITE)
    memory.protect(BASE + 2 * PAGE_SIZE, PAGE_SIZE, READ)
    return memory


def test_written_bytes_are_read_back_across_pages(memory: Memory) -> None:
    content = bytes(range(256)) * 20
    memory.write(BASE + 100, content)

    assert content == memory.read(BASE + 100, len(content))
    assert bytes(100) == memory.read(BASE, 100)


def test_nothing_is_mapped_at_first() -> None:
    memory = Memory()

    assert list(memory.mapped_ranges()) == []
    for addr in (0, BASE, SPACE_SIZE - 1):
        with pytest.raises(MemoryFault):
            memory.read(addr, 1)


@pytest.mark.parametrize(
    ("addr", "size"),
    [
        (BASE - 1, 1), (BASE - 1, 2), (BASE + 3 * PAGE_SIZE, 1), (BASE, 3 * PAGE_SIZE + 1),
        (-1, 1), (-8, 16), (SPACE_SIZE, 1), (SPACE_SIZE - 1, 2), (1 << 64, 4),
    ],
)  # fmt: skip
def test_read_outside_names_address_and_size(memory: Memory, addr: int, size: int) -> None:
    with pytest.raises(MemoryFault) as caught:
        memory.read(addr, size)

    assert (caught.value.kind, caught.value.addr, caught.value.size) == (
        FaultKind.READ, addr, size,
    )  # fmt: skip


def test_write_to_read_only_changes_nothing(memory: Memory) -> None:
    with pytest.raises(MemoryFault, match=f"bad write of 8 bytes at {BASE + 0x1FFC:#x}"):
        memory.write(BASE + 2 * PAGE_SIZE - 4, b"12345678")

    assert bytes(8) == memory.read(BASE + 2 * PAGE_SIZE - 4, 8)


def test_fill_ignores_protection_but_wants_a_mapping(memory: Memory) -> None:
    memory.fill(BASE + 2 * PAGE_SIZE, b"code")
    assert memory.read(BASE + 2 * PAGE_SIZE, 4) == b"code"

    with pytest.raises(MemoryFault):
        memory.fill(BASE + 3 * PAGE_SIZE, b"code")


def test_empty_access_still_needs_its_address(memory: Memory) -> None:
    assert memory.read(BASE, 0) == b""
    with pytest.raises(MemoryFault):
        memory.read(0, 0)


def test_protection_can_be_taken_away_and_content_stays(memory: Memory) -> None:
    memory.write(BASE, b"kept")
    memory.protect(BASE, PAGE_SIZE, 0)
    with pytest.raises(MemoryFault):
        memory.read(BASE, 4)
    memory.protect(BASE, PAGE_SIZE, READ)

    assert memory.read(BASE, 4) == b"kept"


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (1, PAGE_SIZE), (0, 100), (-PAGE_SIZE, PAGE_SIZE),
        (SPACE_SIZE, PAGE_SIZE), (0, 2 * SPACE_SIZE),
    ],
)  # fmt: skip
def test_range_that_is_not_made_of_pages_is_refused(start: int, size: int) -> None:
    with pytest.raises(HccError, match="is not made of pages below 4 GiB"):
        Memory().protect(start, size, READ)


def test_mapped_ranges_join_neighbours_of_one_access(memory: Memory) -> None:
    memory.protect(SPACE_SIZE - PAGE_SIZE, PAGE_SIZE, WRITE)

    assert list(memory.mapped_ranges()) == [
        (BASE, BASE + 2 * PAGE_SIZE, READ | WRITE),
        (BASE + 2 * PAGE_SIZE, BASE + 3 * PAGE_SIZE, READ),
        (SPACE_SIZE - PAGE_SIZE, SPACE_SIZE, WRITE),
    ]


def test_string_ends_at_its_nul_even_across_pages(memory: Memory) -> None:
    memory.write(BASE + PAGE_SIZE - 3, b"abcdef\0tail")

    assert memory.read_string(BASE + PAGE_SIZE - 3) == b"abcdef"
    assert memory.read_string(BASE + PAGE_SIZE + 3) == b""


def test_string_without_nul_faults_at_the_end_of_its_pages(memory: Memory) -> None:
    memory.fill(BASE, b"x" * 3 * PAGE_SIZE)
    with pytest.raises(MemoryFault) as caught:
        memory.read_string(BASE + 5)
    assert caught.value.addr == BASE + 3 * PAGE_SIZE

    with pytest.raises(MemoryFault):
        memory.read_string(BASE, limit=100)


def test_integers_are_little_endian(memory: Memory) -> None:
    memory.store(BASE + 1, 4, 0x11223344)

    assert memory.read(BASE, 6) == bytes.fromhex("00 44 33 22 11 00")
    assert memory.load(BASE + 1, 4) == 0x11223344
    assert memory.load(BASE, 16) == 0x11223344 << 8


class Port:
    def __init__(self) -> None:
        self.written: list[tuple[int, int, int]] = []

    def read(self, offset: int, size: int) -> int:
        return offset << 8 | size

    def write(self, offset: int, size: int, value: int) -> None:
        self.written.append((offset, size, value))


def test_each_device_answers_on_its_own_range(memory: Memory) -> None:
    one, two = Port(), Port()
    memory.map_device(0x1000_0000, PAGE_SIZE, one)
    memory.map_device(0x1000_1000, 2 * PAGE_SIZE, two)
    memory.store(0x1000_0FFF, 4, 1)  # belongs to where it starts
    memory.store(0x1000_2004, 2, 9)

    assert one.written == [(0xFFF, 4, 1)]
    assert two.written == [(0x1004, 2, 9)]
    assert memory.load(0x1000_1010, 8) == 0x10 << 8 | 8
    assert memory.load(BASE, 8) == 0
    with pytest.raises(MemoryFault):
        memory.load(0x1000_3000, 4)


def test_device_takes_the_place_of_memory(memory: Memory) -> None:
    memory.map_device(BASE, PAGE_SIZE, Port())

    assert memory.load(BASE + 8, 4) == 8 << 8 | 4
    with pytest.raises(MemoryFault):
        memory.read(BASE, 4)


def test_pages_round_down_and_up() -> None:
    assert [page_floor(a) for a in (0, 1, 4095, 4096, 4097)] == [0, 0, 0, 4096, 4096]
    assert [page_ceil(a) for a in (0, 1, 4095, 4096, 4097)] == [0, 4096, 4096, 4096, 8192]
