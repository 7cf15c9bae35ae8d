"""`hcc verify`: check that a fat binary is sound."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
def command(binary: Path) -> int:
    """Check checksums, layout and migration tables; 1 and a list of what is wrong, if anything."""
    from hcc.runtime.cli.files import read_file
    from hcc.runtime.verify import verify_file

    problems = verify_file(read_file(binary), str(binary))
    for problem in problems:
        print(problem)
    return 1 if problems else 0
