"""Faults and stops of the guest: the interpreter's reports, and a host that lives on."""

from __future__ import annotations

import ctypes
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hcc.emulator.faults import Fault, FaultKind
from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.options import Options
from hcc.emulator.memory import READ, SPACE_SIZE, WRITE, Memory
from hcc.isa import architecture, fatbinary
from hcc.runtime.process import Death, TimedOut
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run
from tests.jit.test_instructions import jump

HCC = Path(sys.executable).parent / "hcc"
PROGRAM = """
#include <stdlib.h>
static long fail(int which, volatile long *p, long n, long d) {
    switch (which) {
        case 0: return *p;
        case 1: *p = n; return 0;
        case 2: return *(volatile long *)(0x123456789abcdef0 + n);
        case 3: *(volatile char *)(0xfffffffffffffff8 - n) = 1; return 0;
        case 4: *(volatile char *)"text" = 1; return 0;
        case 5: return n / (d - 1);
        case 6: return (-9223372036854775807 - d) / -d;
        case 7: ((void (*)(void))0x7ffffff0)(); return 0;
        case 8: ((void (*)(void))0xffffffffffffffff)(); return 0;
        case 9: abort();
        case 10: return *(volatile long *)(0x30000ffc + ((long)p >> 1) + 0x7ffff000);
    }
    return 0;
}
static long work(volatile long *p, long n, long d, int which) {
    long sum = 0;
    for (long i = 0; i < n; i++) sum += i / d + i;
    return p ? sum + *p : sum + fail(which, p, n, d);
}
int main(int argc, char **argv) {
    volatile long x = argc - 1;
    long sum = 0;
    int which = atoi(argv[1]);
    for (int i = 0; i < 40; i++) sum += work(i < 39 ? &x : (long *)0, 50, x, which);
    return (int)sum & 7;
}
"""
SIGNALS = (11, 11, 11, 11, 11, 8, 8, 11, 11, 6, 11)
OVERFLOW = """
static int f(int n, int *p) { int a[64]; a[n & 63] = n; return f(n + 1, a) + a[1] + *p; }
int main(void) { int x = 1; return f(0, &x); }
"""


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_faults_are_reported_as_by_the_interpreter(isa: str, source: Path) -> None:
    program = compiled(source, PROGRAM, 1, (isa,))
    for which, number in enumerate(SIGNALS):
        interpreted, jitted = (
            run(program, isa, engine, (str(which),), count=False) for engine in ("interp", "jit")
        )
        assert isinstance(interpreted.end, Death), which
        assert number == interpreted.end.signal, which
        assert interpreted.end == jitted.end, which
        assert interpreted.output == jitted.output, which


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_stack_overflow_of_compiled_code_is_reported(isa: str, source: Path) -> None:
    end = run(compiled(source, OVERFLOW, 1, (isa,)), isa, "jit", count=False).end

    assert isinstance(end, Death)
    assert 11 == end.signal
    assert end.message.startswith("stack overflow (bad write of")


# ---- addresses ----


def accesses(isa: str) -> list[tuple[bytes, int, bool, int]]:
    """Code for accesses at base + index of 1 to 16 bytes: code, size, whether it writes, and how
    many instructions it is; the last ones have an index that cannot be large."""
    match isa:
        case "x86_64":  # [rax + rbx - 16]
            codes = [
                ("8a4c18f0", 1, False), ("884c18f0", 1, True), ("668b4c18f0", 2, False),
                ("488b4c18f0", 8, False), ("48894c18f0", 8, True), ("0f104418f0", 16, False),
                ("0f114418f0", 16, True), ("488b08", 8, False), ("488b88f0ffff7f", 8, False),
                ("48894c9810", 8, True), ("0f1100", 16, True),
            ]  # fmt: skip
        case "aarch64":  # [x0, x1], [x0, #imm]
            codes = [
                ("02686138", 1, False), ("02682138", 1, True), ("026861f8", 8, False),
                ("026821f8", 8, True), ("0068e13c", 16, False), ("0068a13c", 16, True),
                ("020040f9", 8, False), ("020c40a9", 16, False), ("020c00a9", 16, True),
            ]  # fmt: skip
        case _:  # 0(x10), 2047(x10), -2048(x10)
            codes = [
                ("03060500", 1, False), ("2300c500", 1, True), ("0336f57f", 8, False),
                ("03360580", 8, False), ("2330c500", 8, True), ("0726c57f", 4, False),
            ]  # fmt: skip
    cases = [(bytes.fromhex(code), size, writes, 1) for code, size, writes in codes]
    for code, size, writes in SMALL_INDEX[isa]:
        parts = code.split()
        cases.append((bytes.fromhex("".join(parts)), size, writes, len(parts)))
    return cases


SMALL_INDEX = {
    "x86_64": [  # movzx ebx, bl or bx, then [rax + rbx * 4], [rax + rbx * 8 + 2147483632]
        ("0fb6db 488b0c98", 8, False), ("0fb7db 48890cd8", 8, True),
        ("0fb6db 488b8cd8f0ffff7f", 8, False),
    ],
    "aarch64": [  # and w1, w1, #0xff, then [x0, w1, uxtw #2]
        ("211c0012 025861b8", 4, False), ("211c0012 025821b8", 4, True),
    ],
    "riscv64": [  # andi a1, a1, 255; slli a1, a1, 2; add a0, a0, a1; then 0(a0), -8(a0)
        ("93f5f50f 93952500 3305b500 03260500", 4, False),
        ("93f5f50f 93952500 3305b500 233cb5fe", 8, True),
    ],
}  # fmt: skip
REGISTERS = {"x86_64": ("rax", "rbx"), "aarch64": ("x0", "x1"), "riscv64": ("x10", "x11")}


@pytest.mark.parametrize("isa", ISAS)
def test_no_address_a_guest_can_form_reaches_the_host(isa: str) -> None:
    """The guest even knows where host memory lies relative to its own, and aims at it."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    arch = architecture(isa)
    start, stride = 0x1000, 32
    cases = accesses(isa)
    image = b"".join(
        (code + jump(isa, len(cases) * stride - i * stride - len(code))).ljust(stride, b"\0")
        for i, (code, _, _, _) in enumerate(cases)
    )
    space = CodeSpace([(start, image)])
    memory, plain = Memory(), Memory()
    for each in (memory, plain):
        each.protect(0, 0x1000, READ | WRITE)
        each.protect(SPACE_SIZE - 0x1000, 0x1000, READ | WRITE)
    functions = [(start + i * stride, stride) for i in range(len(cases))]
    jit = JitCpu(arch, memory, space, functions, Options(count=True, nest=False), cached=False)
    interpreter = Interpreter(arch, plain, space)
    canary = (ctypes.c_uint8 * (1 << 16))(*([0x5A] * (1 << 16)))
    away = ctypes.addressof(canary) + (1 << 15) - memory.host_addr
    names = REGISTERS[isa]
    for i, (code, size, writes, instructions) in enumerate(cases):
        pc = start + i * stride
        assert jit.has_code(pc), code.hex()
        for _ in range(150):
            target = rng.choice((
                away, -8, -16, 0, 8, SPACE_SIZE - 16, SPACE_SIZE - 1, SPACE_SIZE, SPACE_SIZE + 8,
                SPACE_SIZE << 1, 1 << 63, rng.getrandbits(64), rng.getrandbits(33),
                SPACE_SIZE - rng.randrange(64), -rng.randrange(1 << 21),
            ))  # fmt: skip
            index = rng.choice((0, 1, -8, rng.getrandbits(64), rng.getrandbits(32)))
            base = target - index + rng.choice((0, 16, -16, 2048, -2047))
            ends = []
            for cpu in (jit, interpreter):
                cpu.state.pc = pc
                for register in arch.registers.registers:
                    cpu.state.set(register.name, register.fixed or 0)
                cpu.state.set(names[0], base)
                cpu.state.set(names[1], index)
            _, stop = jit.run_region(pc)
            ends = [stop, interpreter.run(interpreter.count + instructions + 1)]
            if stop is None:
                assert StopReason.LIMIT is ends[1].reason
            else:
                fault = stop.fault
                assert isinstance(fault, Fault)
                assert (FaultKind.WRITE if writes else FaultKind.READ) is fault.kind
                assert ends[1] == stop, f"{code.hex()} {base:#x} {index:#x} {size}"
    jit.close()

    assert bytes([0x5A]) * len(canary) == bytes(canary)
    for at in (0, SPACE_SIZE - 0x1000):
        assert plain.read(at, 0x1000) == memory.read(at, 0x1000)


def test_a_fault_of_the_hosts_own_is_not_swallowed(source: Path) -> None:
    program = source.with_suffix(".hcc")
    program.write_bytes(fatbinary.encode(compiled(source, "int main(void) { return 0; }")))
    script = (
        "import ctypes\n"
        "from pathlib import Path\n"
        "from hcc.isa import fatbinary\n"
        "from hcc.runtime.process import Process\n"
        f"program = fatbinary.decode(Path({str(program)!r}).read_bytes(), 'p')\n"
        "process = Process(program, 'riscv64', ['p'], engine='jit')\n"
        "assert process.run() == 0\n"
        "print('before', flush=True)\n"
        "ctypes.string_at(8)\n"
        "print('after', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert (b"before\n", -signal.SIGSEGV) == (done.stdout, done.returncode)


@pytest.mark.parametrize(
    ("gigabytes", "engine", "status", "said"),
    [
        (30, "interp", 0, ""),
        (30, "jit", 2, "hcc: error: compiled code needs 516 GiB of address space"),
        (3, "interp", 2, "hcc: error: the host refuses 4 GiB of address space"),
    ],
)
def test_with_little_address_space(
    gigabytes: int, engine: str, status: int, said: str, source: Path
) -> None:
    program = source.with_suffix(".hcc")
    program.write_bytes(fatbinary.encode(compiled(source, "int main(void) { return 0; }")))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))

    done = subprocess.run(
        [str(HCC), "run", "--engine", engine, str(program)],
        capture_output=True, check=False, preexec_fn=limit, text=True,
    )  # fmt: skip

    assert status == done.returncode
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == (status != 0)


# ---- stops from outside ----

ENDLESS = "int main(void) { volatile unsigned x = 0; for (;;) x++; }"


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_endless_guest_stops_at_its_time(isa: str, source: Path) -> None:
    program = compiled(source, ENDLESS, 2, (isa,))
    begin = time.monotonic()
    with pytest.raises(TimedOut, match=f"timed out: pc 0x.* in main.* on {isa}"):
        run(program, isa, "jit", count=False, timeout=0.7)

    assert time.monotonic() - begin < 30


def heed_interruptions() -> None:
    """A shell has its background jobs ignore the signal, and a test may be run by one of those."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("engine", ["jit", "interp"])
def test_endless_command_is_interrupted_from_the_keyboard(engine: str, source: Path) -> None:
    program = source.with_suffix(".hcc")
    program.write_bytes(fatbinary.encode(compiled(source, ENDLESS)))
    command = [str(HCC), "run", "--engine", engine, str(program)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interruptions
    ) as child:
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        try:
            output, errors = child.communicate(timeout=60)
        finally:
            child.kill()

    assert (b"", 130) == (output, child.returncode)
    assert errors.startswith(b"hcc: interrupted: pc 0x")
    assert 1 == errors.count(b"\n")


def test_command_with_a_time_limit_exits_with_124(source: Path) -> None:
    program = source.with_suffix(".hcc")
    program.write_bytes(fatbinary.encode(compiled(source, ENDLESS)))
    command = [str(HCC), "run", "--timeout", "1", str(program)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)

    assert (b"", 124) == (done.stdout, done.returncode)
    assert done.stderr.startswith(b"hcc: timed out: pc 0x")


@pytest.mark.parametrize("engine", ["jit", "interp"])
def test_a_time_limit_holds_for_a_guest_that_waits_for_input(engine: str, source: Path) -> None:
    program = source.with_suffix(".hcc")
    text = "#include <stdio.h>\nint main(void) { return getchar(); }"
    program.write_bytes(fatbinary.encode(compiled(source, text)))
    command = [str(HCC), "run", "--engine", engine, "--timeout", "0.5", str(program)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert 124 == child.wait(timeout=60)
        assert child.stderr is not None
        assert child.stderr.read().startswith(b"hcc: timed out: pc 0x")


def test_a_second_interruption_changes_nothing(source: Path) -> None:
    program = source.with_suffix(".hcc")
    program.write_bytes(fatbinary.encode(compiled(source, ENDLESS)))
    command = [str(HCC), "run", str(program)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=heed_interruptions) as child:
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        line = child.stderr.readline()
        child.send_signal(signal.SIGINT)
        assert 130 == child.wait(timeout=60)

    assert line.startswith(b"hcc: interrupted: pc 0x")


# ---- depth ----


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_recursion_ten_thousand_deep(isa: str, source: Path) -> None:
    text = """
    #include <stdio.h>
    static int f(int n, int *p) { int x = n; return n ? f(n - 1, &x) + *p % 3 : *p; }
    int main(void) { int x = 7; printf("%d\\n", f(10000, &x)); return 0; }
    """
    program = compiled(source, text, 1, (isa,))
    expected = run(program, isa, "interp")

    assert expected == run(program, isa, "jit")
