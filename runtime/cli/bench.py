"""`hcc bench`: the project's own measurements, each against its peers in the same run."""

from __future__ import annotations

import importlib

import click

# benchmark: (module under hcc.runtime.bench that defines `command`, help line)
BENCHMARKS: dict[str, tuple[str, str]] = {
    "interpreter": ("interpreter", "Interpreted instructions per second, by ISA."),
    "migration": ("migration", "Time per migration and per migrated frame."),
    "native": ("native", "Speed of hcc's x86-64 code against gcc or clang, and the cost of polls."),
    "compile": ("compile_time", "Compile time against clang run once for each ISA."),
    "emulator": ("emulator", "The JIT against native code, qemu-user and Unicorn."),
    "systolic": ("systolic", "The systolic model against SCALE-Sim."),
    "workload": ("workload", "Builds of workloads with many jobs: nothing to do, one change."),
    "lebug": ("lebug", "The firmware emulator's speed."),
    "pim": ("pim", "Processing in memory: cycles, emulation speed, speed-ups."),
}


class _Benchmarks(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(BENCHMARKS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in BENCHMARKS:
            return None
        module = importlib.import_module(f"hcc.runtime.bench.{BENCHMARKS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Benchmarks"):
            formatter.write_dl([(name, text) for name, (_, text) in BENCHMARKS.items()])


@click.group(cls=_Benchmarks)
def command() -> None:
    """Measure hcc against its peers; both sides are measured in one run."""
