"""RV64GC instruction by instruction: every entry of the table against Unicorn."""

from __future__ import annotations

import random

from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV64, Uc, riscv_const

from hcc.isa.arch import Imm, Insn, Reg
from hcc.isa.riscv64 import ARCH
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
    if insn.mnemonic == "jalr":
        regs[insn.operands[1].name] = DATA + rng.randrange(DATA_SIZE) - insn.operands[2].value
    if insn.mnemonic.startswith("csr"):
        source = insn.operands[2]
        regs["fcsr"] = rng.randrange(32)
        if isinstance(source, Reg) and source.name in regs:  # ask for no rounding mode
            regs[source.name] &= ~7 if insn.operands[1] == Imm(2) else ~0xE0
    return regs


def test_each_instruction_does_what_unicorn_does(trials: int = 25) -> None:
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    image = harness.place(code for code, _ in CASES)
    ours, theirs = harness.Subject(ARCH, image), harness.Reference(ORACLE, image)
    found = Differences()
    for number, (_, text) in enumerate(CASES):
        pc = CODE + number * STRIDE
        insn = ours.cpu.insn_at(pc)
        if text == "ecall":  # Unicorn counts it as an exception
            continue
        for _ in range(trials):
            regs, data = _random_regs(rng, insn), rng.randbytes(DATA_SIZE)
            after, expected = ours.run(pc, regs, data), theirs.run(pc, regs, data)
            rd = insn.operands[0] if insn.operands else None
            if isinstance(rd, Reg) and rd.name[0] == "f" and rd.bits == 32:
                expected.regs[rd.name] |= _BOX
            if insn.mnemonic.startswith("csr"):
                if not after.stopped:  # else a rounding mode was asked for
                    found.compare(text, regs, after, expected)
            else:  # operations of ours do not raise exception flags
                found.compare(text, regs, after, expected, ignore=("fcsr",))
    found.check(seed)
