"""The command line: one file a command, imported only when that command is asked for.

`hcc --help` has to answer in 0.2 s, so this module imports click and nothing else; the table
`COMMANDS` carries the one-line help of every command so that listing them loads none.
"""

from __future__ import annotations

from hcc.runtime.cli.interruption import INTERRUPTED, leave_at_once, raise_again

leave_at_once()

import atexit  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

raise_again()

# command: (module under hcc.runtime.cli that defines `command`, help line)
COMMANDS: dict[str, tuple[str, str]] = {
    "compile": ("compile", "Compile C sources into one fat binary."),
    "run": ("run", "Run a fat binary on any ISA, moving it between ISAs while it runs."),
    "checkpoint": ("checkpoint", "Stop a program at a migration point, into a snapshot."),
    "resume": ("resume", "Go on from a snapshot, on any ISA."),
    "inspect": ("inspect", "Show what is in a fat binary."),
    "objdump": ("objdump", "Disassemble a fat binary's code for one ISA."),
    "extract": ("extract", "Write one ISA's code out as a plain static ELF."),
    "verify": ("verify", "Check a fat binary's checksums, layout and migration tables."),
    "bench": ("bench", "Measure hcc against its peers."),
    "systolic": ("systolic", "Systolic arrays: SCALE-Sim's files and numbers."),
    "workload": ("workload", "Workloads: describe once, build, run on every level, compare."),
    "firmware": ("firmware", "LeBug instrumentation firmware: compile, run, disassemble."),
    "pim": ("pim", "Processing in memory: assemble, compile, run, measure."),
}


COLLECT_AFTER = 100_000
"""How many objects more before Python looks for garbage in cycles: commands make large trees, of
which nearly all is in use, and looking through them took up to a fifth of a command's time."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when first named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"hcc.runtime.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        raise_again()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:  # for which click would print an empty line
            raise click.exceptions.Abort from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hcc", prog_name="hcc")
def hcc() -> None:
    """Compile C once for x86-64, AArch64 and RISC-V; run it; move it between them."""


def fail(message: object) -> None:
    """Print the one line that bad input gets."""
    print(f"hcc: error: {message}", file=sys.stderr)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with its status: 2 for bad input or usage."""
    leave_at_once()
    from hcc.isa.errors import HccError

    gc.set_threshold(COLLECT_AFTER, 20, 100)
    atexit.register(gc.freeze)  # Python looks for cycles once more at its end, for nothing
    try:
        status = hcc.main(args=argv, prog_name="hcc", standalone_mode=False)
        if sys.stdout is not None:  # closed from the start
            sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
        print("hcc: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        fail(error.format_message().rstrip("."))
        sys.exit(2)
    except HccError as error:
        fail(error)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        what = error.filename or "standard output"
        fail(f"{what}: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    finally:
        raise_again()
    sys.exit(status if isinstance(status, int) else 0)
