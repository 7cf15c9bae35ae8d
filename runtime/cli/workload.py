"""`hcc workload`: describe a workload once, build it incrementally, run it on every level, compare.

The commands live in modules of their own, imported when first named.
"""

from __future__ import annotations

import importlib

import click

# command: (module under hcc.runtime.cli, help line)
_COMMANDS = {
    "build": ("workload_build", "Build workloads, their bases and jobs; only what changed."),
    "launch": ("workload_launch", "Run a workload, or its jobs, on ISAs and levels."),
    "test": ("workload_test", "Build, launch and compare with references and between cells."),
    "clean": ("workload_build", "Remove what was built."),
    "install": ("workload_install", "Write a workload for FireSim, or as a folder with a script."),
    "explain": ("workload_explain", "Say which file set an option, and what that overrode."),
    "resolve": ("workload_explain", "Print a workload's options with all inheritance settled."),
    "verify": ("workload_install", "Check results against their manifests."),
    "fetch-kernel": ("workload_install", "Fetch Debian's kernels for the system level."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"hcc.runtime.cli.{_COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands)
@click.option(
    "--workdir", "folders", multiple=True, metavar="DIR",
    help="Folder in which targets and bases are looked for, too; may be repeated.",
)  # fmt: skip
@click.pass_context
def command(ctx: click.Context, folders: tuple[str, ...]) -> None:
    """Workloads: describe once, build what changed, run on every level, compare."""
    ctx.obj = folders
