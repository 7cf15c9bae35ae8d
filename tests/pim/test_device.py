"""What the units compute: the reference vectors, and random microkernels against a plain model."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from attrs import define, field
from numpy.typing import NDArray

from hcc.emulator.pim import PimFault, PimsysChannels, SamsungChannels
from hcc.isa.pim import (
    EXIT,
    NOP,
    Dialect,
    File,
    Instruction,
    Op,
    Operand,
    check,
    encode,
    parse_instruction,
)
from hcc.isa.pim.configuration import BankMode, message
from hcc.isa.pim.modes import CONTROL_ROW, ENTER_BANKS, ENTER_ROW, control_burst
from hcc.runtime.pim.cases import run_case

from .golden import golden

Half = NDArray[np.float16]
ROWS = 3

CASES = [
    *golden()["samsung_functional"],
    *(case for cases in golden()["pimsys_functional"].values() for case in cases),
]
KEYS = ("y_u16be", "partial_sums_16_per_row_u16be", "preload_cycles", "exec_cycles", "mem_out",
        "pc_after")  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("kernel") or case["name"])
def test_reference_vectors_bit_for_bit(case: dict[str, Any]) -> None:
    found = run_case(json.loads(json.dumps(case)), "case")

    assert {key: case[key] for key in KEYS if key in case} == {
        key: found[key] for key in KEYS if key in found
    }


def bits(values: Half) -> NDArray[np.uint16]:
    """Bit patterns, with one for every NaN."""
    return np.where(np.isnan(values), np.uint16(0x7E00), values.view(np.uint16))


def relu(values: Half) -> Half:
    return np.where(np.signbit(values), np.float16(0), values)


def random_values(rng: np.random.Generator, *shape: int) -> Half:
    values = rng.standard_normal(shape).astype(np.float16)
    values[rng.random(shape) < 0.01] = np.float16(-0.0)
    values[rng.random(shape) < 0.01] = np.float16(6e-8)
    values[rng.random(shape) < 0.01] = np.float16(40000.0)
    return values


@define
class Model:
    """A unit after the other, an instruction after the other, in numpy's float16."""

    dialect: Dialect
    memory: Half  # row, bank, burst, lane
    program: list[Instruction]
    a: Half = field(factory=lambda: np.zeros((8, 8, 16), np.float16))  # unit, register, lane
    b: Half = field(factory=lambda: np.zeros((8, 8, 16), np.float16))
    srf: Half = field(factory=lambda: np.zeros((8, 16), np.float16))

    def fetch(self, unit: int, o: Operand, row: int, col: int, auto: str, parity: int) -> Half:
        match o.file:
            case File.EVEN_BANK:
                odd = parity if self.dialect is Dialect.PIMSYS else 0
                return self.memory[row, 2 * unit + odd, col]
            case File.ODD_BANK:
                return self.memory[row, 2 * unit + 1, col]
            case File.SRF_M:
                return np.full(16, self.srf[unit, o.index])
            case File.SRF_A:
                return np.full(16, self.srf[unit, 8 + o.index])
        file = self.a if o.file is File.GRF_A else self.b
        return file[unit, self.register(o, row, col, auto)]

    def register(self, o: Operand, row: int, col: int, auto: str) -> int:
        if not auto:
            return o.index
        if auto == "pimsys":
            return col % 8 if o.file is File.GRF_A else (row & 1) << 2 | col // 8
        if auto == "mac" and o.file is File.GRF_A:
            return (row & 1) << 2 | col // 8
        return col % 8

    def compute(self, i: Instruction, row: int, col: int, parity: int) -> None:
        auto = ""
        if self.dialect is Dialect.PIMSYS:
            auto = "pimsys" if i.aam else ""
        elif i.aam or i.op is Op.FILL:
            auto = "mac" if i.op is Op.MAC else "col"
        assert i.dst is not None
        for unit in range(8):
            # PIMSys's own unit indexes src1 and the destination only: src0 says its register.
            autos = ["" if auto == "pimsys" else auto, auto, auto]
            source = [
                self.fetch(unit, o, row, col, by, parity)
                for o, by in zip(i.sources, autos, strict=False)
            ]
            match i.op:
                case Op.ADD:
                    result = source[0] + source[1]
                case Op.MUL:
                    result = source[0] * source[1]
                case Op.MAC:
                    old = self.fetch(unit, i.dst, row, col, auto, parity)
                    result = source[0] * source[1] + old
                case Op.MAD:
                    result = source[0] * source[1] + source[2]
                case _:
                    result = relu(source[0]) if i.relu else source[0]
            if i.dst.file in (File.SRF_M, File.SRF_A):
                if self.dialect is Dialect.PIMSYS:
                    self.srf[unit, i.dst.index + 8 * (i.dst.file is File.SRF_A)] = result[0]
                else:
                    self.srf[unit] = result
                continue
            file = self.a if i.dst.file is File.GRF_A else self.b
            file[unit, self.register(i.dst, row, col, auto)] = result

    def slots(self) -> list[Instruction]:
        """The instruction of every trigger, loops unrolled."""
        found, loops, pc = [], {}, 0
        while self.program[pc].op is not Op.EXIT:
            i = self.program[pc]
            if i.op is Op.JUMP:
                taken = loops.get(pc, 0)
                loops[pc] = taken + 1 if taken < i.count else 0
                pc += i.offset if taken < i.count else 1
                continue
            found += [i] * i.slots(self.dialect)
            pc += 1
        return found


def random_operand(rng: random.Random, files: list[File]) -> Operand:
    file = rng.choice(files)
    return Operand(file, 0 if file in (File.EVEN_BANK, File.ODD_BANK) else rng.randrange(8))


def random_program(rng: random.Random, dialect: Dialect) -> list[Instruction]:
    """A legal program with loops that follow one another."""
    while True:
        program: list[Instruction] = []
        for _ in range(rng.randrange(1, 4)):
            body = [random_step(rng, dialect) for _ in range(rng.randrange(1, 5))]
            program += body
            if rng.random() < 0.6:
                program.append(Instruction(Op.JUMP, offset=-len(body), count=rng.randrange(1, 4)))
        program.append(EXIT)
        words = [encode(i) for i in program]
        if words and not check(program, dialect):
            return program


def random_step(rng: random.Random, dialect: Dialect) -> Instruction:
    while True:
        op = rng.choice([Op.ADD, Op.MUL, Op.MAC, Op.MAD, Op.MOV, Op.FILL, Op.NOP])
        if op is Op.NOP:
            return Instruction(op, count=rng.choice([0, 7]) if dialect is Dialect.SAMSUNG else 0)
        files = [File.EVEN_BANK, File.ODD_BANK, File.GRF_A, File.GRF_B, File.SRF_M, File.SRF_A]
        dst, *sources = [random_operand(rng, files) for _ in range(4)]
        count = {Op.MAD: 3, Op.MOV: 1, Op.FILL: 1}.get(op, 2)
        src0, src1, src2 = (*sources[:count], None, None)[:3]
        if op is Op.MAD and src1 and src2:
            src2 = dst if dialect is Dialect.PIMSYS else Operand(src2.file, src1.index)
            if src1.file in (File.EVEN_BANK, File.ODD_BANK) or src2.index != src1.index:
                continue
        relu_ = op in (Op.MOV, Op.FILL) and dialect is Dialect.SAMSUNG and rng.random() < 0.5
        aam = op in (Op.ADD, Op.MUL, Op.MAC, Op.MAD) and rng.random() < 0.4
        step = Instruction(op, dst, src0, src1, src2, aam=aam, relu=relu_)
        bank_store = dst.is_bank
        if not check([step, EXIT], dialect) and not bank_store:
            return step


def test_random_samsung_microkernels_agree_with_the_model() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng, values = random.Random(seed), np.random.default_rng(seed)
    for _ in range(60):
        program = random_program(rng, Dialect.SAMSUNG)
        model = Model(Dialect.SAMSUNG, random_values(values, ROWS, 16, 32, 16), program)
        device = SamsungChannels(1)
        for row in range(ROWS):
            device.banks.row(row)[0] = model.memory[row].view(np.uint16)
        for bank in ENTER_BANKS:
            device.activate(bank, ENTER_ROW)
        words = np.array([encode(i) for i in program] + [0] * (32 - len(program)), np.uint32)
        for burst in range(4):
            data = words[8 * burst : 8 * burst + 8].view(np.uint16).reshape(1, 16)
            device.write(1, CONTROL_ROW, 4 + burst, data)
        scalars = random_values(values, 16)
        model.srf[:] = scalars
        device.write(0, CONTROL_ROW, 1, scalars.view(np.uint16).reshape(1, 16))
        on = np.frombuffer(control_burst(pim=True), np.uint16).reshape(1, 16)
        device.write(0, CONTROL_ROW, 0, on)
        with np.errstate(all="ignore"):
            for i in model.slots():
                bank, row, col = rng.randrange(2), rng.randrange(ROWS), rng.randrange(32)
                if i.op is Op.NOP and rng.random() < 0.7:
                    stored = (model.b if bank else model.a)[:, col % 8]
                    model.memory[row, bank::2, col] = stored
                    device.write(bank, row, col, np.zeros((1, 16), np.uint16))
                    continue
                if i.op is not Op.NOP:
                    model.compute(i, row, col, bank)
                device.read(bank, row, col)

        for row in range(ROWS):
            got = device.banks.row(row)[0].view(np.float16)
            assert np.array_equal(bits(model.memory[row]), bits(got))
        for file, registers in ((File.GRF_A, model.a), (File.GRF_B, model.b)):
            assert np.array_equal(bits(registers), bits(device.grf[file][0].astype(np.float16)))


def test_auto_indexing_in_pimsys_leaves_the_first_source_alone() -> None:
    kernel = [parse_instruction("MOV GRF_B #5, BANK"), parse_instruction("NOP"),
              parse_instruction("ADD(AAM) GRF_B, GRF_B #5, GRF_A"), EXIT]  # fmt: skip
    device = PimsysChannels(1)
    device.configure(message(BankMode.PIM_ALL_BANK, kernel))
    device.banks.row(0)[...] = np.float16(1.5).view(np.uint16)
    for _ in range(3):
        device.read(0, 0, 0)

    assert (device.grf[File.GRF_B][0, 0, [0, 5], 0] == 1.5).all()


@pytest.mark.parametrize("seed", [None, 4155201827])
def test_random_pimsys_microkernels_agree_with_the_model(seed: int | None) -> None:
    seed = random.randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}")
    rng, values = random.Random(seed), np.random.default_rng(seed)
    for _ in range(60):
        program = random_program(rng, Dialect.PIMSYS)
        model = Model(Dialect.PIMSYS, random_values(values, ROWS, 16, 32, 16), program)
        device = PimsysChannels(1, shared=True)
        for row in range(ROWS):
            device.banks.row(row)[0] = model.memory[row].view(np.uint16)
        device.configure(message(BankMode.PIM_ALL_BANK, program))
        with np.errstate(all="ignore"):
            for i in model.slots():
                bank, row, col = rng.randrange(16), rng.randrange(ROWS), rng.randrange(32)
                if i.op is not Op.NOP:
                    model.compute(i, row, col, bank % 2)
                device.read(bank, row, 4 * col)

        for file, registers in ((File.GRF_A, model.a), (File.GRF_B, model.b)):
            assert np.array_equal(bits(registers), bits(device.grf[file][0].astype(np.float16)))
        device.read(0, 0, 0)  # EXIT clears everything
        assert device.pc == 0
        assert not device.grf[File.GRF_A].any()


def test_products_are_rounded_before_they_are_added() -> None:
    kernel = [parse_instruction("MAC GRF_B #0, BANK, GRF_A #0"), EXIT]
    device = PimsysChannels(1)
    device.configure(message(BankMode.PIM_ALL_BANK, kernel))
    a, c = np.float16(1.0009765625), np.float16(-1.001953125)
    device.grf[File.GRF_A][...] = a
    device.grf[File.GRF_B][...] = c
    device.banks.row(0)[...] = a.view(np.uint16)
    device.read(0, 0, 0)

    assert float(a * a + c) == float(device.grf[File.GRF_B][0, 0, 0, 0])


def nested() -> list[Instruction]:
    move = parse_instruction("MOV GRF_A #0, BANK")
    jump = Instruction(Op.JUMP, offset=-1, count=2)
    return [move, jump, move, Instruction(Op.JUMP, offset=-3, count=2), EXIT]


def test_nested_jumps_never_end_as_in_the_references() -> None:
    pimsys = PimsysChannels(1)
    pimsys.configure(message(BankMode.PIM_ALL_BANK, nested()))
    reached = []
    for _ in range(30):
        reached.append(pimsys.pc)
        pimsys.read(0, 0, 0)

    assert 4 not in reached
    assert check(nested(), Dialect.PIMSYS)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ([NOP, EXIT], "a write request met NOP"),
        ([parse_instruction("MAC(AAM) GRF_A, BANK, GRF_A"), EXIT], "a write request met MAC"),
    ],
)
def test_writes_that_meet_no_fill_are_refused(program: list[Instruction], said: str) -> None:
    device = PimsysChannels(1)
    device.configure(message(BankMode.PIM_ALL_BANK, program))
    with pytest.raises(PimFault, match=said):
        device.write(0, 0, 0, np.zeros(16, np.uint16))


def test_reads_of_gemv_beyond_its_loop_fault_as_the_published_binary_does() -> None:
    move = [parse_instruction(f"MOV GRF_A #{n}, BANK") for n in range(8)]
    mac = [
        parse_instruction("MAC(AAM) GRF_B, BANK, GRF_A"),
        Instruction(Op.JUMP, offset=-1, count=7),
    ]
    fill = [parse_instruction("FILL BANK, GRF_B #0"), EXIT]
    device = PimsysChannels(1)
    device.configure(message(BankMode.PIM_ALL_BANK, [*move, *mac, *fill]))
    for _ in range(16):
        device.read(0, 0, 0)
    with pytest.raises(PimFault, match="cannot store to the bank"):
        device.read(0, 0, 0)
