"""RV64GC instruction by instruction: every entry of the table against Unicorn."""

from __future__ import annotations

import random

import pytest
from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV64, Uc, riscv_const

from hcc.emulator.faults import FaultKind
from hcc.emulator.interpreter import CodeSpace, Interpreter, Stop, StopReason
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa.arch import Imm, Insn, Mem, Reg
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.riscv64.architecture import ARCH
from tests.isa import harness
from tests.isa.harness import CODE, DATA, DATA_SIZE, STRIDE, Differences, Oracle, Regs

CASES = harness.read_cases("riscv64.txt")
_WRITE, _READ = harness.uc_registers(
    {
        **{f"x{i}": getattr(riscv_const, f"UC_RISCV_REG_X{i}") for i in range(1, 32)},
        **{f"f{i}": getattr(riscv_const, f"UC_RISCV_REG_F{i}") for i in range(32)},
        "fcsr": riscv_const.UC_RISCV_REG_FCSR,
    },
    riscv_const.UC_RISCV_REG_PC,
)
_BOX = 0xFFFF_FFFF << 32
_FS_DIRTY = 3 << 13  # mstatus.FS: the floating-point unit is on


def _prepare(uc: Uc) -> None:
    uc.reg_write(riscv_const.UC_RISCV_REG_MSTATUS, _FS_DIRTY)


ORACLE = Oracle(UC_ARCH_RISCV, UC_MODE_RISCV64, _WRITE, _READ, _prepare)


def _is_signalling(bits: int, width: int) -> bool:
    """Signalling NaNs: Unicorn's fmin and fmax follow version 2.0 of the F extension there."""
    infinity, quiet = {32: (0x7F80_0000, 1 << 22), 64: (0x7FF0 << 48, 1 << 51)}[width]
    magnitude = bits & (1 << width - 1) - 1
    return magnitude > infinity and not magnitude & quiet


def _random_regs(rng: random.Random, insn: Insn) -> Regs:
    """Random registers; those that the instruction reads as singles hold singles.

    Unicorn's QEMU (5.0) knows no NaN boxing: it reads the low half of anything and does not box
    results. So operands are boxed here and results compared by their low halves; boxing itself
    has its own test.
    """
    regs = harness.random_regs(rng, ARCH)
    del regs["x0"]
    regs["fcsr"] = 0
    for operand in insn.operands:
        if isinstance(operand, Reg) and operand.name[0] == "f" and operand.bits == 32:
            regs[operand.name] = _BOX | harness.random_bits(rng, 32)
            if insn.mnemonic in ("fmin.s", "fmax.s") and _is_signalling(regs[operand.name], 32):
                regs[operand.name] = _BOX
        elif insn.mnemonic in ("fmin.d", "fmax.d") and _is_signalling(regs[operand.name], 64):
            regs[operand.name] = 0
    harness.aim(rng, insn, regs)
    for operand in insn.operands:
        if insn.mnemonic.startswith(("lr.", "sc.", "amo")) and isinstance(operand, Mem):
            assert operand.base is not None
            regs[operand.base] &= rng.choice((-8, -4, -1))  # atomics are mostly aligned
    if insn.mnemonic == "jalr":
        regs[insn.operands[1].name] = DATA + rng.randrange(DATA_SIZE // 2) - insn.operands[2].value
    if insn.mnemonic.startswith("csr"):
        source = insn.operands[2]
        regs["fcsr"] = rng.randrange(32)
        if isinstance(source, Reg) and source.name in regs:  # ask for no rounding mode
            regs[source.name] &= ~7 if insn.operands[1] == Imm(2) else ~0xE0
    return regs


def _with_reservation(code: bytes) -> bytes:
    """A store-conditional behind the load that reserves its address: alone it would fail."""
    word = int.from_bytes(code, "little")
    reserve = 0b00010_00_00000_00000_000_00000_0101111 | word & (31 << 15 | 7 << 12)
    return reserve.to_bytes(4, "little") + code


@pytest.mark.parametrize("trials", [6, pytest.param(80, marks=pytest.mark.long)])
def test_each_instruction_does_what_unicorn_does(trials: int) -> None:
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    image = harness.place(
        _with_reservation(code) if text.startswith("sc.") else code for code, text in CASES
    )
    ours, theirs = harness.Subject(ARCH, image), harness.Reference(ORACLE, image)
    found = Differences()
    for number, (_, text) in enumerate(CASES):
        if text == "ecall":  # Unicorn counts it as an exception
            continue
        pc, count = CODE + number * STRIDE, 2 if text.startswith("sc.") else 1
        insn = ours.cpu.insn_at(pc + 4 * (count - 1))
        for _ in range(trials):
            regs, data = _random_regs(rng, insn), rng.randbytes(DATA_SIZE)
            after = ours.run(pc, regs, data, count)
            expected = theirs.run(pc, regs, data, count)
            rd = insn.operands[0] if insn.operands else None
            if isinstance(rd, Reg) and rd.name[0] == "f" and rd.bits == 32:
                expected.regs[rd.name] |= _BOX
            if insn.mnemonic.startswith("csr"):
                if not after.stopped:  # else a rounding mode was asked for
                    found.compare(text, regs, after, expected)
            else:  # operations of ours do not raise exception flags
                found.compare(text, regs, after, expected, ignore=("fcsr",))
    found.check(seed)


def test_every_entry_of_the_table_has_a_case() -> None:
    covered = {ARCH.decode(code, 0).mnemonic for code, _ in CASES}

    assert set(ARCH.semantics) == covered


# ---- what Unicorn does not know or does otherwise, by the manual ----

NAN32, NAN64 = 0x7FC0_0000, 0x7FF8 << 48


def _run_one(word: int, **registers: int) -> tuple[Interpreter, Stop]:
    """Run one instruction at CODE with the data pages mapped."""
    memory = Memory()
    memory.protect(DATA, DATA_SIZE, READ | WRITE)
    cpu = Interpreter(ARCH, memory, CodeSpace([(CODE, word.to_bytes(4, "little"))]))
    cpu.state.pc = CODE
    for name, value in registers.items():
        cpu.state.set(name, value)
    return cpu, cpu.run(1)


FADD_S = 0b0000000_00010_00001_111_00011_1010011  # fadd.s f3, f1, f2
FMIN_S = 0b0010100_00010_00001_000_00011_1010011
FMAX_D = 0b0010101_00010_00001_001_00011_1010011
FSGNJ_S = 0b0010000_00010_00001_000_00011_1010011
FEQ_S = 0b1010000_00010_00001_010_00011_1010011
FCLASS_S = 0b1110000_00000_00001_001_00011_1010011
FMV_X_W = 0b1110000_00000_00001_000_00011_1010011
FMV_W_X = 0b1111000_00000_00001_000_00011_1010011
FSW = 0b0000000_00001_00010_010_00000_0100111  # fsw f1, 0(x2)


@pytest.mark.parametrize("unboxed", [0x3F80_0000, 0xFFFF_FFFE_3F80_0000, 0x7FFF_FFFF_3F80_0000])
def test_unboxed_single_reads_as_the_canonical_nan(unboxed: int) -> None:
    one = _BOX | 0x3F80_0000

    assert _run_one(FADD_S, f1=unboxed, f2=one)[0].state.get("f3") == _BOX | NAN32
    assert _run_one(FSGNJ_S, f1=unboxed, f2=one)[0].state.get("f3") == _BOX | NAN32
    assert _run_one(FSGNJ_S, f1=one, f2=unboxed)[0].state.get("f3") == one
    assert _run_one(FMIN_S, f1=unboxed, f2=one)[0].state.get("f3") == one
    assert _run_one(FEQ_S, f1=unboxed, f2=unboxed)[0].state.get("x3") == 0
    assert _run_one(FCLASS_S, f1=unboxed)[0].state.get("x3") == 1 << 9


def test_moves_and_stores_of_singles_take_the_bits_unboxed() -> None:
    assert _run_one(FMV_X_W, f1=0x8000_0001)[0].state.get("x3") == 0xFFFF_FFFF_8000_0001
    assert _run_one(FMV_W_X, x1=0x1234_5678_8000_0001)[0].state.get("f3") == _BOX | 0x8000_0001
    assert _run_one(FSW, f1=0x1234_5678, x2=DATA)[0].memory.load(DATA, 8) == 0x1234_5678


def test_minimum_and_maximum_prefer_a_number_to_any_nan() -> None:
    signalling, quiet, two = 0x7FF0_0000_0000_0001, NAN64 | 5, 0x4000 << 48

    for nan in (signalling, quiet):
        assert _run_one(FMAX_D, f1=nan, f2=two)[0].state.get("f3") == two
        assert _run_one(FMAX_D, f1=two, f2=nan)[0].state.get("f3") == two
        assert _run_one(FMAX_D, f1=nan, f2=nan)[0].state.get("f3") == NAN64


CSRRW_FRM = 0b000000000010_00001_001_00011_1110011  # csrrw x3, frm, x1
CSRRW_FCSR = 0b000000000011_00001_001_00011_1110011
CSRRSI_FRM = 0b000000000010_00101_110_00011_1110011


@pytest.mark.parametrize(("word", "x1"), [(CSRRW_FRM, 1), (CSRRW_FCSR, 0x20), (CSRRSI_FRM, 0)])
def test_dynamic_rounding_mode_other_than_nearest_is_refused(word: int, x1: int) -> None:
    cpu, stop = _run_one(word, x1=x1, x3=77, fcsr=3)

    assert stop.fault is not None
    assert stop.fault.kind is FaultKind.ILLEGAL
    assert (cpu.state.get("x3"), cpu.state.get("fcsr")) == (77, 3)


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("0000", None, ""),  # c.unimp is an instruction
        ("0400", HccError, "no instruction: 04 00 at 0x1000"),
        ("ffffffff", HccError, "no instruction: ff ff ff ff at 0x1000"),
        ("3385", HccError, "truncated instruction 33 85 at 0x1000"),
        ("", HccError, "truncated instruction  at 0x1000"),
        ("d3972000", UnsupportedError, "rounding mode of fadd.s fa5, ft1, ft2, rtz"),
        ("d3d72000", HccError, "reserved rounding mode in fadd.s|no instruction: d3 d7 20 00"),
        ("73250030", UnsupportedError, "control and status register 0x300 at 0x1000"),
        ("732500c0", UnsupportedError, "control and status register 0xc00 at 0x1000"),
        ("73002030", UnsupportedError, r"mret \(73 00 20 30\) at 0x1000"),
        ("57050502", HccError, "no instruction"),  # vector
    ],
)
def test_what_is_no_instruction_of_ours_is_refused_by_name(
    code: str, error: type[HccError] | None, message: str
) -> None:
    if error is None:
        ARCH.decode(bytes.fromhex(code), 0x1000)
        return
    with pytest.raises(error, match=message):
        ARCH.decode(bytes.fromhex(code), 0x1000)


def test_every_compressed_encoding_decodes_or_is_refused() -> None:
    """And what decodes has operands that the semantics of its expansion take."""
    builder_inputs = 0
    for word in range(1 << 16):
        if word & 3 == 3:
            continue
        try:
            insn = ARCH.decode(word.to_bytes(2, "little"), 0x8000)
        except HccError:
            continue
        assert insn.size == 2
        assert insn.mnemonic in ARCH.semantics
        builder_inputs += 1
    # RV64C has 46 774 valid encodings by LLVM's disassembler, some of them hints.
    assert 46_000 < builder_inputs < 47_000


@pytest.mark.parametrize(
    ("word", "base"),
    [
        (0b000000000000_00001_011_00001_0000011, 0x1234_5000),  # ld x1, 0(x1)
        (0b000000000000_00001_011_00001_0000011, 1 << 63),
        (0b000000000000_00001_011_00000_0000111, DATA + DATA_SIZE - 4),  # fld f0, 0(x1): crosses
        (0b0000000_00010_00001_011_00000_0100011, 1 << 32),  # sd x2, 0(x1)
        (0b0000000_00010_00001_011_00011_0101111, 0),  # amoadd.d x3, x2, (x1)
        (0b000000000000_00001_000_00000_0000011, 0),  # lb x0, 0(x1): loads, too
    ],
)
def test_fault_leaves_the_registers_as_they_were(word: int, base: int) -> None:
    before = {f"x{i}": i << 40 for i in range(1, 32)} | {"f0": 5, "x1": base}
    cpu, stop = _run_one(word, **before)

    assert stop.reason is StopReason.FAULT
    assert stop.fault is not None
    assert stop.fault.kind in (FaultKind.READ, FaultKind.WRITE)
    assert stop.fault.addr == base
    assert cpu.state.pc == CODE
    assert cpu.count == 0
    assert before == {name: cpu.state.get(name) for name in before}


def test_misaligned_atomic_faults() -> None:
    _, stop = _run_one(0b0000000_00010_00001_011_00011_0101111, x1=DATA + 4)

    assert stop.fault is not None
    assert stop.fault.kind is FaultKind.ALIGN


def test_jump_targets_are_printed_as_addresses() -> None:
    assert ARCH.decode(bytes.fromhex("fdb7"), 0x1000).text == "c.j 0xfee"
    assert ARCH.decode(bytes.fromhex("6342b000"), 0x1000).text == "bgtz a1, 0x1004"
