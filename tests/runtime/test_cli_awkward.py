"""Option values and outputs no example uses: one clear line and status 2, or a right answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.test_cli import HCC, hcc

PROGRAM = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        printf("%zu ", strlen(argv[i]));
    return 3;
}
"""


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("awkward")
    (folder / "p.c").write_text(PROGRAM)
    assert 0 == hcc("compile", "p.c", "-o", "p.hcc", folder=folder).returncode
    return folder / "p.hcc"


@pytest.mark.parametrize("command", ["inspect", "objdump"])
def test_a_full_disk_under_standard_output_is_one_line(binary: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(HCC), command, str(binary)], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert (2, b"hcc: error: standard output: No space left on device\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--timeout", "nan"], "nan is not in the range"),
        (["--timeout", "inf"], "inf is not in the range"),
        (["--timeout", "0"], "0.0 is not in the range"),
        (["--timeout", "-1"], "-1.0 is not in the range"),
        (["--migrate", ""], "migration plan '' is not of the form"),
        (["--engine", "native", "--migrate", ""], "--migrate"),
        (["-E", "NAME"], "'NAME' is not of the form NAME=VALUE"),
        (["-E", "=value"], "'=value' is not of the form NAME=VALUE"),
    ],
)
def test_option_values_without_a_meaning_are_refused(
    binary: Path, options: list[str], message: str
) -> None:
    done = hcc("run", *options, binary)

    assert 2 == done.returncode
    assert message in done.stderr.decode()
    assert 1 == done.stderr.count(b"\n")


def test_arguments_are_bytes(binary: Path) -> None:
    words = [str(HCC).encode(), b"run", str(binary).encode(), b"--", b"\xff\xfe", "é".encode()]
    done = subprocess.run(words, capture_output=True, check=False)

    assert (3, b"2 2 ", b"") == (done.returncode, done.stdout, done.stderr)


def test_a_form_asked_for_goes_to_the_output_named(binary: Path) -> None:
    folder = binary.parent
    printed = hcc("compile", "p.c", "--emit", "ir", folder=folder)
    written = hcc("compile", "p.c", "--emit", "ir", "-o", "p.ir", folder=folder)

    assert (0, b"") == (written.returncode, written.stdout)
    assert printed.stdout == (folder / "p.ir").read_bytes()


@pytest.mark.parametrize("module", ["gc", "click", "hcc.isa.errors", "hcc.runtime.cli.run"])
def test_an_interruption_while_modules_are_loaded_is_one_line(module: str) -> None:
    # The script sends the signal itself, at the moment it is about to import the module.
    script = f"""
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
real = builtins.__import__
def importing(name, *rest):
    if name == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest)
builtins.__import__ = importing
import importlib
def loading(name, package=None, real=importlib.import_module):
    if name == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, package)
importlib.import_module = loading
from hcc.runtime.cli import main
main(["run", "--help"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert (130, b"hcc: interrupted\n", b"") == (done.returncode, done.stderr, done.stdout)


def test_importing_the_command_line_leaves_the_signal_alone() -> None:
    script = (
        "import signal; a = signal.getsignal(signal.SIGINT); import hcc.runtime.cli\n"
        "assert signal.getsignal(signal.SIGINT) is a"
    )

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
