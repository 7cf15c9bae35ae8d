"""Whole programs with libhcc against the same programs with the system's library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.libhcc import building

PROGRAMS = building.HERE / "programs"
INPUT = b"12,30 word and the rest of the line\nanother.leftover"


def test_files_and_streams(tmp_path: Path) -> None:
    sources = (PROGRAMS / "files.c",)
    expected = building.run(building.reference(sources), [str(tmp_path)], INPUT)

    assert expected == building.run(building.program(sources), [str(tmp_path)], INPUT)


@pytest.mark.parametrize("how", ["return", "status", "exit", "many", "_Exit", "abort", "time"])
def test_beginning_and_end(how: str) -> None:
    sources = (PROGRAMS / "process.c",)
    expected = building.run(building.reference(sources), [how])

    assert expected == building.run(building.program(sources), [how])


def test_a_failed_assertion_names_its_place() -> None:
    _, stderr, status = building.run(building.program((PROGRAMS / "process.c",)), ["assert"])
    line = stderr.decode().splitlines()[-1]

    assert status == -6
    assert line.endswith('main: Assertion `argc == 3 && "three are needed"\' failed.')
    assert line.startswith(str(PROGRAMS / "process.c") + ":")


def test_what_was_printed_before_an_abort_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "last_words.c"
    source.write_text(
        '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { printf("seen"); abort(); }\n'
    )

    assert building.run(building.program((source,))) == (b"seen", b"", -6)
