"""`make demo`: compile a real program once, run it on three ISAs, move it while it runs.

Every step is an ordinary hcc command, shown before it runs, so that all of it can be repeated by
hand. The program is the JSON parser of examples/json: it builds a tree on the heap, recursively.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parent
ROOT = EXAMPLES.parent
HCC = Path(sys.executable).parent / "hcc"
SOURCES = [EXAMPLES / "json" / f"{name}.c" for name in ("json", "parse", "write")]
INPUT = EXAMPLES / "data" / "catalogue-small.json"


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def hcc(*arguments: object) -> bytes:
    """Show and run an hcc command; its standard output."""
    words = [str(a) for a in arguments]
    short = [str(a.relative_to(ROOT)) if isinstance(a, Path) and a.is_relative_to(ROOT)
             else a.name if isinstance(a, Path) else str(a) for a in arguments]  # fmt: skip
    print("  $ hcc " + " ".join(short), flush=True)
    done = subprocess.run([str(HCC), *words], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"demo: the command failed with status {done.returncode}")
    return done.stdout


def show(output: bytes, lines: int = 6) -> None:
    rows = output.decode().splitlines()
    for row in rows[:lines]:
        print("    " + row)
    if len(rows) > lines:
        print(f"    ... ({len(rows)} lines)")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hcc-demo-") as folder:
        binary, stats, snap = (Path(folder) / n for n in ("json.hcc", "stats.json", "json.snap"))
        say("1. One C source becomes one binary with code for three ISAs.")
        hcc("compile", *SOURCES, "-o", binary)
        hcc("verify", binary)
        say("2. It runs on each of them, and prints the same.")
        outputs = {}
        for isa in ("x86_64", "aarch64", "riscv64"):
            outputs[isa] = hcc("run", "--isa", isa, binary, "--", INPUT)
        show(outputs["x86_64"])
        same = len(set(outputs.values())) == 1
        print(f"  all three outputs are the same: {'yes' if same else 'NO'}")
        say("3. The same run, moved to the next ISA at every migration point it reaches.")
        moved = hcc("run", "--migrate", "x86_64,aarch64,riscv64@1", "--poison", "--stats", stats,
                    binary, "--", INPUT)  # fmt: skip
        figures = json.loads(stats.read_text())
        count, frames = figures["migrations"], figures["frames_moved"]
        each = figures["migration_seconds"] / max(count, 1) * 1e3
        print(f"  {count} migrations, {frames} frames moved, {each:.3f} ms each; instructions:")
        for isa, instructions in figures["instructions"].items():
            print(f"    {isa:8} {instructions:>10,}")
        print(f"  the output is the same: {'yes' if moved == outputs['x86_64'] else 'NO'}")
        say("4. Stopped on x86-64 in the middle, saved to a file, and gone on with on RISC-V.")
        resumed = hcc("checkpoint", "--at", count // 2, "-o", snap, binary, "--", INPUT)
        resumed += hcc("resume", snap, "--isa", "riscv64")
        whole = "yes" if resumed == outputs["x86_64"] else "NO"
        print(f"  the two parts of the output make the same: {whole}")
        if not (same and moved == resumed == outputs["x86_64"]):
            sys.exit("demo: the outputs differ")


if __name__ == "__main__":
    main()
