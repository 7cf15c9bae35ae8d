"""The example programs as benchmarks use them: sources, arguments, builds by hcc and by others."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from hcc.isa.errors import HccError

# Set up for a checkout: the examples are not part of the installed package.
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
HOST_INCLUDE = Path(__file__).parent.parent.parent / "compiler" / "libhcc" / "host"


@frozen
class Example:
    """A program with the arguments of its small and full runs, and of a long one, which takes
    over a second natively, if it has any; paths are absolute."""

    name: str
    sources: tuple[Path, ...]
    small: tuple[str, ...]
    full: tuple[str, ...]
    long: tuple[str, ...] | None
    expected_small: Path
    expected_full: Path


def examples(only: Sequence[str] = ()) -> list[Example]:
    """The examples of examples.toml, or those named."""
    path = EXAMPLES / "examples.toml"
    if not path.exists():
        raise HccError(f"{path}: not found: benchmarks run in a checkout")
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text())["example"]
    found = [
        Example(
            row["name"],
            tuple(EXAMPLES / source for source in row["sources"]),
            tuple(row["small"]["args"]),
            tuple(row["full"]["args"]),
            tuple(row["long"]["args"]) if "long" in row else None,
            EXAMPLES / row["small"]["expected"],
            EXAMPLES / row["full"]["expected"],
        )
        for row in rows
    ]
    unknown = set(only) - {e.name for e in found}
    if unknown:
        raise HccError(f"no such example: {', '.join(sorted(unknown))}")
    return [e for e in found if not only or e.name in only]


def build_native(example: Example, compiler: str, output: Path, flags: Sequence[str]) -> Path:
    """Build an example with gcc or clang."""
    found = shutil.which(compiler)
    if found is None:
        raise HccError(f"{compiler} is not installed")
    command = [found, "-std=gnu99", "-w", *flags, f"-I{HOST_INCLUDE}", "-o", str(output)]
    done = subprocess.run(
        [*command, *map(str, example.sources), "-lm"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise HccError(f"{compiler} failed on {example.name}: {done.stderr.strip()}")
    return output
