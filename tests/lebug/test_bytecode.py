"""Bytecode and UART images: what they hold, and that nothing but a whole one is taken."""

from __future__ import annotations

import struct
import zlib

import pytest
from attrs import evolve

from hcc.compiler.firmware import compile_library, from_program
from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug import Chain, DataType, Firmware, Machine, decode, encode
from hcc.isa.lebug.chain import first_flag, holds, truth_table
from hcc.isa.lebug.section import pack_section, unpack_section
from hcc.isa.lebug.uart import decode_dump, decode_image, encode_image, image_size

HW_TEST = Machine(n=8, m=4, ib_depth=32, tb_size=8, max_chains=4)


def distribution(machine: Machine = HW_TEST) -> Firmware:
    edges = [float(i) for i in range(machine.edge_count)]
    return compile_library("distribution", machine, arguments={"bins": 16}, edges=edges).firmware


def resealed(data: bytes) -> bytes:
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def test_every_condition_byte_survives() -> None:
    for bits in range(256):
        built = Firmware(HW_TEST, (Chain(commit=8, commit_cond=bits),))
        assert built == decode(encode(built))


def test_condition_tables_agree_with_their_flags() -> None:
    for bits in range(256):
        table = truth_table(bits)
        for index in range(16):
            eof1, bof1, eof2, bof2 = (bool(index >> i & 1) for i in range(4))
            assert holds(bits, eof1, bof1, eof2, bof2) == bool(table >> index & 1)
    assert [0, 1, 2, 1, 4, 1, 2] == [first_flag(bits) for bits in range(7)]


def test_casts_choose_the_forks_commit_codes() -> None:
    program = [
        [{"op": "v_commit", "cast_to_int": True}],
        [{"op": "v_commit", "size": 4}],
        [{"op": "v_commit", "size": 1, "cast_to_int": True}],
        [],
    ]
    built = from_program(program, HW_TEST).firmware

    assert built == decode(encode(built))
    assert [8, 4, 1, 0] == [chain.commit for chain in decode(encode(built)).chains]


def test_a_field_over_a_byte_is_refused() -> None:
    built = Firmware(evolve(HW_TEST, vvvrf_size=999), (Chain(cache=True, cache_addr=256),))
    with pytest.raises(HccError, match="chain 1: VVALU_cache_addr is 256: does not fit"):
        encode(built)


@pytest.mark.parametrize("cut", [0, 3, 20, 50, -5, -1])
def test_truncated_bytecode_is_refused(cut: int) -> None:
    with pytest.raises(FormatError, match=r"x\.lbc: "):
        decode(encode(distribution())[:cut], "x.lbc")


def test_altered_bytecode_is_refused() -> None:
    data = encode(distribution())
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        with pytest.raises(FormatError):
            decode(bytes(damaged))


def test_meaningless_fields_are_refused_even_with_a_right_checksum() -> None:
    data = encode(distribution())
    seen = 0
    for at in range(4, len(data) - 4):
        damaged = bytearray(data)
        damaged[at] = 0xEE
        try:
            again = decode(resealed(bytes(damaged)))
        except FormatError:
            seen += 1
        else:
            assert encode(again) == resealed(bytes(damaged))
    assert seen > 20


def test_other_versions_are_refused_by_number() -> None:
    data = bytearray(encode(distribution()))
    data[4] = 9
    with pytest.raises(FormatError, match="bytecode version 9; this hcc reads 1"):
        decode(resealed(bytes(data)))


def test_uart_image_has_the_hardwares_order() -> None:
    image = encode_image(distribution())
    c = HW_TEST.max_chains
    memory = image[2 + 3 * c : 2 + 3 * c + 64]

    assert image_size(HW_TEST) == len(image)
    assert [42, 4] == list(image[:2])
    assert [1, 1, 1, 1, 0, 1, 2, 3, 2, 2, 2, 2] == list(image[2 : 2 + 3 * c])
    # one row of the filter memory: element M-1 on top, most significant byte first
    assert "00030000 00020000 00010000 00000000" == memory[:16].hex(" ", 4)
    # the packer's conditions come before its commit codes
    assert [1] * c + [1] * c == list(image[-2 * c :])


def test_uart_image_round_trip() -> None:
    built = distribution()
    again = decode_image(encode_image(built), HW_TEST)

    assert (built.chains, built.edges) == (again.chains, again.edges)


def test_uart_keeps_one_condition_as_the_generator_does() -> None:
    both = {"op": "v_commit", "condition1": "notfirst", "condition2": "last"}
    built = from_program([[both]], HW_TEST).firmware

    assert 8 == decode_image(encode_image(built), HW_TEST).chains[0].commit_cond


def test_uart_refusals() -> None:
    cast = from_program([[{"op": "v_commit", "cast_to_int": True}]], HW_TEST).firmware
    with pytest.raises(HccError, match="no code in the published data packer"):
        encode_image(cast)
    with pytest.raises(FormatError, match="an image for this machine has"):
        decode_image(b"*" * 7, HW_TEST)
    odd = evolve(distribution(), machine=evolve(HW_TEST, data_width=12))
    with pytest.raises(HccError, match="whole bytes"):
        encode_image(odd)


def test_uart_dump_is_rows_of_little_endian_lanes() -> None:
    machine = Machine(n=2, m=1, tb_size=2, data_type=DataType.INT, data_width=16)
    rows = [(1, -2), (300, 4), (1, -2)]
    data = b"".join(v.to_bytes(2, "little", signed=True) for row in rows for v in row)

    assert [[1, -2], [300, 4]] == decode_dump(data, machine).tolist()
    with pytest.raises(FormatError, match="this machine dumps 12"):
        decode_dump(data[:-1], machine)


def test_section_holds_several_units() -> None:
    units = {3: distribution(), 0: compile_library("raw", HW_TEST).firmware}
    data = pack_section(units)

    assert units == unpack_section(data)
    assert [0, 3] == list(unpack_section(data))
    for damaged in (b"", data[:6], data[:-1], data + b"x", b"HLSE\x02" + data[5:]):
        with pytest.raises(FormatError, match=r"\.hcc\.lebug"):
            unpack_section(damaged)
