"""The options by which commands attach LeBug units to a program, and what is shown of them.

`--lebug FIRMWARE` attaches unit 0, `--lebug 1,2=FIRMWARE` the units named. A binary compiled with
`--lebug` brings its units along; the command line's replace those of the same number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from hcc.isa.errors import HccError
from hcc.isa.numerals import whole

if TYPE_CHECKING:
    from hcc.isa.lebug import Firmware
    from hcc.runtime.process import Process

SECTION = ".hcc.lebug"


@frozen
class FirmwareOptions:
    """Which firmware goes to which unit, on what machine."""

    firmware: tuple[str, ...]
    config: str | None
    settings: tuple[str, ...]
    arguments: tuple[str, ...]

    def compile(self) -> dict[int, Firmware]:
        """The firmware of each unit, checked; warnings go to stderr."""
        if not self.firmware:
            if self.config or self.settings or self.arguments:
                raise HccError("--lebug-config, --lebug-set and --lebug-arg are for --lebug")
            return {}
        from hcc.compiler.firmware.checks import check, require
        from hcc.runtime.cli.firmware_sources import compile_named, read_configuration

        configuration = read_configuration(self.config, self.settings)
        units: dict[int, Firmware] = {}
        for text in self.firmware:
            numbers, name = _unit_numbers(text)
            compilation = compile_named(name, configuration, self.arguments, None, None)
            found = check(compilation)
            for diagnostic in found:
                if diagnostic.severity.value == "warning":
                    print(diagnostic, file=sys.stderr)
            require(found)
            for number in numbers:
                if number in units:
                    raise HccError(f"--lebug {text}: unit {number} has a firmware already")
                units[number] = compilation.firmware
        return units


@frozen
class UnitOptions:
    """The units that a command attaches, and whose rules they follow."""

    firmware: FirmwareOptions
    mode: str

    def attach(self, process: Process) -> None:
        """Attach the units of a program and of the command line to a process."""
        firmware = self.firmware.compile()
        section = process.program.extra.get(SECTION)
        if section is None and not firmware:
            return
        from hcc.emulator.lebug import Mode
        from hcc.isa.lebug.section import unpack_section
        from hcc.runtime.instruments import Instruments

        built_in = {} if section is None else unpack_section(section)
        instruments = Instruments.of(built_in | firmware, Mode(self.mode))
        process.personality.instruments = instruments


@frozen
class TraceFiles:
    """Where traces go."""

    output: Path | None
    plot: Path | None

    def check(self, process: Process) -> None:
        """HccError, before anything runs, for files that could not be written afterwards."""
        if self.output is None and self.plot is None:
            return
        if process.personality.instruments is None:
            raise HccError("--lebug-output and --plot want a unit: attach one with --lebug")
        from hcc.emulator.lebug.export import FORMATS
        from hcc.emulator.lebug.plot import FORMATS as PICTURES

        for path, formats in ((self.output, FORMATS), (self.plot, PICTURES)):
            if path is not None and path.suffix.lower() not in formats:
                raise HccError(f"{path}: the suffix is one of {', '.join(formats)}")
            if path is not None and not path.parent.is_dir():
                raise HccError(f"{path}: no such folder: {path.parent}")

    def write(self, process: Process) -> dict[str, object]:
        """Write the traces and say on stderr what the units have seen; the reports by unit."""
        instruments = process.personality.instruments
        if instruments is None:
            return {}
        from hcc.emulator.lebug.export import encoded
        from hcc.emulator.lebug.plot import plot_trace
        from hcc.isa.store import write_atomically

        several = len(instruments.units) > 1
        reports: dict[str, object] = {}
        for number, unit in sorted(instruments.units.items()):
            report, trace = unit.report(), unit.trace()
            reports[str(number)] = report.to_json()
            print(f"hcc: unit {number} ({report.firmware}): {report.vectors} vectors, "
                  f"{report.rows} rows", file=sys.stderr)  # fmt: skip
            for warning in report.warnings():
                print(f"hcc: warning: unit {number}: {warning}", file=sys.stderr)
            if self.output is not None:
                content = encoded(trace, report.to_json(), self.output.suffix)
                write_atomically(_numbered(self.output, number, several), content)
            if self.plot is not None:
                path = _numbered(self.plot, number, several)
                write_atomically(path, plot_trace(trace, unit.firmware, str(path)))
        return reports


def _unit_numbers(text: str) -> tuple[list[int], str]:
    """The units and the firmware of one `--lebug`."""
    head, equals, name = text.partition("=")
    if not equals or not head.replace(",", "").isdecimal():
        return [0], text
    numbers = []
    for part in head.split(","):
        number = whole(part)
        if number is None:
            raise HccError(f"--lebug {text}: unit numbers are wanted before '='")
        numbers.append(number)
    if max(numbers) >= 1 << 32:
        raise HccError(f"--lebug {text}: units are numbered 0 to 2^32 - 1")
    return numbers, name


def firmware_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of FirmwareOptions, given to the command as its argument `lebug`."""

    @wraps(function)
    def command(
        lebug: tuple[str, ...],
        lebug_config: str | None,
        lebug_set: tuple[str, ...],
        lebug_arg: tuple[str, ...],
        **others: Any,
    ) -> int:
        options = FirmwareOptions(lebug, lebug_config, lebug_set, lebug_arg)
        return function(lebug=options, **others)

    return _with_options(
        command,
        click.option("--lebug", multiple=True, metavar="[UNIT,...=]FIRMWARE",
                     help="Attach LeBug units with this firmware (text, bytecode, or a name of "
                          "the library); unit 0 if none is named. Repeatable."),
        click.option("--lebug-config", metavar="FILE",
                     help="The units' machine: LeBug's config.yaml, or .json or .toml."),
        click.option("--lebug-set", multiple=True, metavar="NAME=VALUE",
                     help="One parameter of the machine (N, M, TB_SIZE, ...). Repeatable."),
        click.option("--lebug-arg", multiple=True, metavar="NAME=VALUE",
                     help="One argument of the firmware function. Repeatable."),
    )  # fmt: skip


def unit_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of UnitOptions, given to the command as its argument `units`."""

    @wraps(function)
    def command(lebug: FirmwareOptions, lebug_mode: str, **others: Any) -> int:
        return function(units=UnitOptions(lebug, lebug_mode), **others)

    return firmware_options(_with_options(
        command,
        click.option("--lebug-mode", default="reference", show_default=True,
                     type=click.Choice(["reference", "fixed", "as-built"]),
                     help="Whose rules: the emulator's, W-bit words, the RTL's."),
    ))  # fmt: skip


def trace_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of TraceFiles, given to the command as its argument `traces`."""

    @wraps(function)
    def command(lebug_output: Path | None, plot: Path | None, **others: Any) -> int:
        return function(traces=TraceFiles(lebug_output, plot), **others)

    return _with_options(
        command,
        click.option("--lebug-output", type=click.Path(path_type=Path), metavar="FILE",
                     help="Write the units' trace as .npy, .csv or .json; of several units, "
                          "each to a file with its number before the suffix."),
        click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
                     help="Draw the units' trace (.png, .svg, .pdf)."),
    )  # fmt: skip


def _with_options(
    function: Callable[..., int], *options: Callable[[Callable[..., int]], Callable[..., int]]
) -> Callable[..., int]:
    for option in reversed(options):
        function = option(function)
    return function


def _numbered(path: Path, number: int, several: bool) -> Path:
    return path.with_suffix(f".{number}{path.suffix}") if several else path
