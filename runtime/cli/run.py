"""`hcc run`: run a fat binary on any ISA and engine, moving it as a plan says."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.runtime.cli.instruments import TraceFiles, UnitOptions, trace_options, unit_options
from hcc.runtime.cli.interruption import INTERRUPTED
from hcc.runtime.cli.parameters import assignments, seconds

if TYPE_CHECKING:
    from hcc.runtime.death import Death
    from hcc.runtime.process import Process

EMULATORS = ["jit", "interp", "lockstep"]
ENGINES = [*EMULATORS, "native", "qemu"]
TIMED_OUT = 124  # as timeout(1) has it


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("binary", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--isa", help="ISA to start on (default: the first of the plan or program).")
@click.option("--engine", type=click.Choice(ENGINES),
              show_default="jit; interp for --break and --pim",
              help="What executes the code; lockstep compares jit with interp.")  # fmt: skip
@click.option("--migrate", "plan", metavar="PLAN",
              help="ISA,ISA,...@N: move along the ring at every Nth migration point; ISA/interp "
                   "and ISA/jit name an engine too. "
                   "random@N: move with probability 1/N.")  # fmt: skip
@click.option("--seed", default=0, help="Seed of a random plan.")
@click.option("--poison", is_flag=True,
              help="Overwrite the source's registers and stack at each move.")  # fmt: skip
@click.option("--stats", type=click.Path(path_type=Path), help="Write statistics as JSON.")
@click.option("--timeout", type=float, callback=seconds, metavar="SECONDS",
              help="Stop the program after so long, with exit status 124.")  # fmt: skip
@click.option("--break", "places", multiple=True, metavar="PLACE",
              help="Show place and registers on standard error whenever the program gets to this "
                   "FUNCTION, FILE:LINE (with -g) or 0xADDRESS. Repeatable.")  # fmt: skip
@click.option("--trace", is_flag=True, help="Print every instruction to standard error.")
@click.option("-E", "--env", "env", multiple=True, callback=assignments, metavar="NAME=VALUE",
              help="Environment variable of the program (it has no others).")  # fmt: skip
@click.option("--pim", metavar="SPEC.json",
              help="Run with a PIM memory: a file, or samsung or dramsys.")  # fmt: skip
@unit_options
@trace_options
def command(
    binary: Path,
    args: tuple[str, ...],
    isa: str | None,
    engine: str | None,
    plan: str | None,
    seed: int,
    poison: bool,
    stats: Path | None,
    timeout: float | None,
    places: tuple[str, ...],
    trace: bool,
    env: tuple[str, ...],
    pim: str | None,
    units: UnitOptions,
    traces: TraceFiles,
) -> int:
    """Run a fat binary. Arguments of the program follow `--`."""
    from hcc.isa.errors import HccError
    from hcc.runtime.cli.files import read_program
    from hcc.runtime.migrate import RingPlan, parse_plan

    program = read_program(binary)
    engine = engine or ("interp" if places or pim else "jit")
    argv = [str(binary), *args]
    if engine in ("native", "qemu"):
        from hcc.runtime.external import run_external

        given = [plan, poison, trace, stats, timeout, places, pim, units.firmware.firmware]
        if any(option not in (None, False, ()) for option in given):
            raise HccError(
                "--migrate, --poison, --trace, --stats, --timeout, --break, --pim and --lebug "
                f"need an emulator, not {engine}"
            )
        return run_external(program, isa or program.host_isa, engine, argv, env)
    from hcc.runtime.process import Process

    parsed = parse_plan(plan, program.isas, seed) if plan is not None else None
    ring = parsed.ring if isinstance(parsed, RingPlan) else ()
    first = isa or (ring[0].isa if ring else program.isas[0])
    process = Process(program, first, argv, env, engine, count=stats is not None)
    process.poison = poison
    if parsed:
        process.watch_points(parsed)
    if trace:
        from hcc.runtime.trace import Tracer

        process.trace = Tracer(sys.stderr)
    if places:
        from hcc.runtime.breakpoints import Breakpoints, find_places

        process.stop_at(Breakpoints(find_places(program, places), sys.stderr))
    units.attach(process)
    if pim is not None:
        from hcc.runtime.pim.range import PimRange, read_spec

        used = "jit" if engine == "interp" and process.compiles() else engine
        process.personality.pim = PimRange.attach(process.memory, read_spec(pim), used)
    return finish(process, traces, stats, timeout)


def finish(
    process: Process, traces: TraceFiles, stats: Path | None, timeout: float | None = None
) -> int:
    """Run a process to its end; the exit status of the command."""
    from hcc.runtime.process import TimedOut

    traces.check(process)
    try:
        result: int | Death = process.run(timeout)
    except TimedOut as error:
        print(f"hcc: {error}", file=sys.stderr)
        result = TIMED_OUT
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
        print(f"hcc: interrupted: {process.whereabouts()}", file=sys.stderr)
        result = INTERRUPTED
    finally:
        process.close()
        if process.trace is not None:
            print(file=sys.stderr)
    units = traces.write(process)
    memory = process.personality.pim
    if memory is not None:
        from hcc.runtime.pim.range import text_report

        memory.finish()
        print("\n".join(text_report(memory)), file=sys.stderr)
    if stats is not None:
        write_stats(process, stats, units)
    return exit_status(result)


def exit_status(result: int | Death) -> int:
    """The command's exit status for the end of a process; a death is reported."""
    if isinstance(result, int):
        return result
    print(f"hcc: {result.message}", file=sys.stderr)
    return 128 + result.signal


def write_stats(process: Process, path: Path, units: dict[str, object]) -> None:
    """Write a process's statistics as JSON: the keys are those of `Statistics`, `lebug` has
    the report of each instrumentation unit, `pim` that of a PIM memory. Points are null where
    nothing has counted them."""
    import json

    from attrs import asdict

    from hcc.isa.store import write_atomically

    found = asdict(process.statistics) | ({"lebug": units} if units else {})
    if not process.counts_points:
        found["points"] = None
    if process.personality.pim is not None:
        found["pim"] = process.personality.pim.report()
    text = json.dumps(found, indent=2) + "\n"
    write_atomically(path, text.encode())
