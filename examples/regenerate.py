"""Makes every example's expected output anew, with gcc and its C library.

python regenerate.py [name...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GCC = ["gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off"]


def examples() -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = tomllib.loads((HERE / "examples.toml").read_text())["example"]
    return table


def build(example: dict[str, Any], folder: Path) -> Path:
    """The example as gcc compiles it, without a warning."""
    program = folder / str(example["name"])
    sources = [str(HERE / source) for source in example["sources"]]
    host = HERE.parent / "compiler" / "libhcc" / "host"
    subprocess.run([*GCC, f"-I{host}", "-o", program, *sources, "-lm"], check=True)
    return program


def main() -> None:
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for example in examples():
            if wanted and example["name"] not in wanted:
                continue
            program = build(example, Path(folder))
            for size in ("small", "full"):
                run = example[size]
                done = subprocess.run(
                    [program, *run["args"]], cwd=HERE, stdout=subprocess.PIPE, check=True
                )
                (HERE / run["expected"]).write_bytes(done.stdout)


if __name__ == "__main__":
    main()
