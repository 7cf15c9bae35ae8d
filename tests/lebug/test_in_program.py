"""`hcc_tap`: what a program sends to its units, on every ISA and engine, moved or suspended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hcc.compiler.firmware import compile_library
from hcc.compiler.firmware.config import read_config
from hcc.compiler.firmware.text import compile_file
from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.isa import fatbinary
from hcc.isa.errors import FormatError, HccError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.isa.lebug import EOF1, EOF2, Firmware, Machine
from hcc.isa.lebug.section import pack_section
from hcc.runtime import snapshot
from hcc.runtime.instruments import Instruments
from hcc.runtime.migrate import parse_plan
from hcc.runtime.process import CheckpointReached, Process
from tests import cells
from tests.runtime.test_cli import hcc

EXAMPLE = cells.ROOT / "examples" / "lebug"
TYPES = """#include <hcc.h>
#include <stdbool.h>
#define SEND(type, ...) do { const type v[8] = {__VA_ARGS__}; hcc_tap(3, v, 8, flags); \\
    migrate_point(); } while (0)
int main(void)
{
    unsigned flags = HCC_EOF1 | HCC_EOF2;
    SEND(double, 0.5, -1e300, 3);
    SEND(float, 0.25f, -1e30f, 7);
    flags = 0;
    SEND(_Float16, 0.125f, 65504, -2);
    SEND(signed char, -128, 127);
    SEND(char, 1, -1);
    flags = HCC_EOF2;
    SEND(unsigned char, 255, 1);
    SEND(bool, true, false, true);
    SEND(short, -32768, 32767);
    SEND(unsigned short, 65535);
    SEND(int, -2147483647 - 1, 2147483647);
    SEND(unsigned, 4294967295u);
    SEND(long, -9007199254740992, 5);
    SEND(long long, 9007199254740992, 5);
    SEND(unsigned long, 18446744073709551615u);
    SEND(unsigned long long, 1ull << 63);
    hcc_tap(4, "nobody listens here", 8, 0);
    return 0;
}
"""
SENT = [
    [0.5, -1e300, 3],
    [0.25, float(np.float32(-1e30)), 7],
    [0.125, 65504, -2],
    [-128, 127],
    [1, -1],
    [255, 1],
    [1, 0, 1],
    [-32768, 32767],
    [65535],
    [-(2**31), 2**31 - 1],
    [2**32 - 1],
    [-(2**53), 5],
    [2**53, 5],
    [2.0**64],
    [2.0**63],
]


def raw() -> Firmware:
    return compile_library("raw", Machine(n=8, m=4)).firmware


def build(folder: Path, text: str) -> Program:
    source = folder / "program.c"
    source.write_text(text)
    return cells.build((source,), 2)


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_elements_of_every_type_arrive(isa: str, engine: str, tmp_path: Path) -> None:
    process = Process(build(tmp_path, TYPES), isa, ["program"], engine=engine)
    process.personality.instruments = Instruments.of({3: raw()}, Mode.REFERENCE)
    assert 0 == process.run()
    process.close()
    rows = process.personality.instruments.units[3].trace().lanes

    assert [values + [0] * (8 - len(values)) for values in SENT] == rows.tolist()


def test_frame_signals_arrive(tmp_path: Path) -> None:
    heard = []

    class Listener(InstrumentationUnit):
        def tap_bytes(self, data, kind, flags=0, at=None):  # type: ignore[no-untyped-def]
            heard.append(flags)

    process = Process(build(tmp_path, TYPES), "riscv64", ["program"])
    process.personality.instruments = Instruments({3: Listener(raw())})
    assert 0 == process.run()
    process.close()

    assert [EOF1 | EOF2] * 2 + [0] * 3 + [EOF2] * 10 == heard


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_trace_is_the_same_moved_or_not(engine: str, tmp_path: Path) -> None:
    program = build(tmp_path, TYPES)
    process = Process(program, "x86_64", ["program"], engine=engine)
    process.poison = True
    process.personality.instruments = Instruments.of({3: raw()}, Mode.REFERENCE)
    process.watch_points(parse_plan("x86_64,aarch64,riscv64@1", program.isas, 0))
    assert 0 == process.run()
    process.close()
    rows = process.personality.instruments.units[3].trace().lanes

    assert len(SENT) <= process.statistics.migrations
    assert [values + [0] * (8 - len(values)) for values in SENT] == rows.tolist()


@pytest.mark.parametrize("mode", Mode)
def test_unit_goes_with_a_checkpoint(mode: Mode, tmp_path: Path) -> None:
    program = build(tmp_path, TYPES.replace("-1e300", "-7").replace("-1e30f", "9"))
    firmware = compile_library("sumAll", Machine(n=8, m=4)).firmware
    whole = Process(program, "x86_64", ["program"])
    whole.personality.instruments = Instruments.of({3: firmware}, mode)
    assert 0 == whole.run()
    first = Process(program, "x86_64", ["program"])
    first.personality.instruments = Instruments.of({3: firmware}, mode)
    first.watch_points(None, checkpoint_at=6)
    with pytest.raises(CheckpointReached):
        first.run()
    snapshot.save(snapshot.capture(first), tmp_path / "snap")
    second = snapshot.restore(snapshot.load(tmp_path / "snap"), "aarch64")
    second.stop_watching()
    assert 0 == second.run()
    assert second.personality.instruments is not None
    expected = whole.personality.instruments.units[3]
    found = second.personality.instruments.units[3]

    assert expected.snapshot() == found.snapshot()
    assert 0 < expected.trace().lanes.size


def test_a_damaged_unit_in_a_snapshot_is_refused() -> None:
    state = Instruments.of({0: raw()}, Mode.REFERENCE).state()
    for text in ("!", "AAAA", state["0"][:40], "é"):
        with pytest.raises(FormatError, match=r"^s: unit 0: "):
            Instruments.restored({"0": text}, "s")


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_what_a_unit_cannot_take_names_it(engine: str, tmp_path: Path) -> None:
    text = "#include <hcc.h>\nint main(void) { float v[5] = {1}; hcc_tap(0, v, 5, 0); return 0; }\n"
    process = Process(build(tmp_path, text), "x86_64", ["program"], engine=engine)
    process.personality.instruments = Instruments.of({0: raw()}, Mode.REFERENCE)

    with pytest.raises(HccError, match=r"^hcc_tap: unit 0: a vector of 5 values: the unit has 8"):
        process.run()


def test_units_in_a_binary_survive_it_and_are_verified(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text(TYPES)
    done = hcc("compile", "p.c", "-o", "p.hcc", "--lebug", "3=raw", "--lebug-set", "N=8",
               folder=tmp_path)  # fmt: skip
    assert 0 == done.returncode, done.stderr
    content = (tmp_path / "p.hcc").read_bytes()
    program = fatbinary.decode(content, "p.hcc")
    assert pack_section({3: raw()}) == program.extra[".hcc.lebug"]
    done = hcc("run", "p.hcc", "--lebug-output", "t.json", "--stats", "s.json", folder=tmp_path)

    assert (0, b"") == (done.returncode, done.stdout)
    assert b"unit 3 (raw): 15 vectors, 15 rows" in done.stderr
    assert 15 == len(json.loads((tmp_path / "t.json").read_text())["rows"])
    assert 15 == json.loads((tmp_path / "s.json").read_text())["lebug"]["3"]["vectors"]
    assert 0 == hcc("verify", "p.hcc", folder=tmp_path).returncode


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lebug", "noSuch"], b"noSuch"),
        (["--lebug", "0=raw", "--lebug", "0=raw"], b"unit 0 has a firmware already"),
        (["--lebug", "1,,2=raw"], b"unit numbers"),
        (["--lebug-set", "N=8"], b"--lebug"),
        (["--plot", "x.png"], b"want a unit"),
        (["--lebug", "raw", "--plot", "x.txt"], b"x.txt: the suffix is one of"),
        (["--lebug", "raw", "--lebug-output", "no/x.npy"], b"no such folder"),
        (["--lebug", "raw", "--engine", "native"], b"need an emulator"),
    ],
)
def test_bad_options_are_refused(options: list[str], message: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void) { return 0; }\n")
    assert 0 == hcc("compile", "p.c", "-O0", folder=tmp_path).returncode
    done = hcc("run", "a.hcc", *options, folder=tmp_path)

    assert (2, b"") == (done.returncode, done.stdout)
    assert done.stderr.startswith(b"hcc: error: ") and message in done.stderr
    assert 1 == done.stderr.count(b"\n")


@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_network_example_is_what_numpy_says(isa: str, tmp_path: Path) -> None:
    """The example's trace against its own printed activations, evaluated by numpy."""
    program = cells.build((EXAMPLE / "network.c",), 2)
    configuration = read_config(EXAMPLE / "layers.yaml")
    firmware = compile_file(
        EXAMPLE / "layers.py", configuration.machine, edges=configuration.edges
    ).firmware
    process = Process(program, isa, ["network", "5", "dump"])
    process.personality.instruments = Instruments.of(
        dict.fromkeys(range(3), firmware), Mode.REFERENCE
    )
    process.watch_points(parse_plan("x86_64,aarch64,riscv64@11", program.isas, 0))
    out = tmp_path / "out"
    with out.open("w+b") as stream:
        process.personality.files[1].host = stream.fileno()
        assert 0 == process.run()
    process.close()
    expected = cells.reference((EXAMPLE / "network.c",), ["5", "dump"])
    assert expected.stdout == out.read_bytes()
    layers: dict[int, list[list[float]]] = {0: [], 1: [], 2: []}
    frames: dict[tuple[int, int], list[float]] = {}
    for line in out.read_text().splitlines()[:-1]:
        image, layer, value = line.split()
        frames.setdefault((int(layer), int(image)), []).append(float.fromhex(value))
    for (layer, _), values in sorted(frames.items()):
        layers[layer].append(values)
    for layer, images in layers.items():
        rows = process.personality.instruments.units[layer].trace().lanes
        before = 0.0
        for image, values in enumerate(images):
            array = np.array(values)
            bins = [int(((array > low) & (array <= low + 0.25)).sum()) for low in np.arange(8) / 4]
            assert bins == rows[2 * image].tolist()
            assert int((array > 0).sum()) == rows[2 * image + 1][0]
            assert rows[2 * image + 1][4] == pytest.approx(array.sum() - before, abs=1e-9)
            before = array.sum()
