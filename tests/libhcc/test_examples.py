"""The examples print what is expected: built by gcc, and built by gcc with libhcc."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.libhcc import building

EXAMPLES = building.HERE.parent.parent / "examples"
CASES: list[dict[str, Any]] = tomllib.loads((EXAMPLES / "examples.toml").read_text())["example"]


def sources_of(example: dict[str, Any]) -> tuple[Path, ...]:
    return tuple(EXAMPLES / source for source in example["sources"])


def check(example: dict[str, Any], size: str, program: Path) -> None:
    expected = (EXAMPLES / example[size]["expected"]).read_bytes()
    stdout, stderr, status = building.run(program, example[size]["args"], cwd=EXAMPLES)

    assert (expected, b"", 0) == (stdout, stderr, status)


@pytest.mark.parametrize("example", CASES, ids=lambda example: example["name"])
@pytest.mark.parametrize("size", ["small", pytest.param("full", marks=pytest.mark.long)])
def test_example_with_the_systems_library(example: dict[str, Any], size: str) -> None:
    check(example, size, building.reference(sources_of(example)))


@pytest.mark.parametrize("example", CASES, ids=lambda example: example["name"])
@pytest.mark.parametrize("size", ["small", pytest.param("full", marks=pytest.mark.long)])
def test_example_with_libhcc(example: dict[str, Any], size: str) -> None:
    check(example, size, building.program(sources_of(example)))


@pytest.mark.parametrize("example", CASES, ids=lambda example: example["name"])
def test_usage_and_bad_input_are_told(example: dict[str, Any]) -> None:
    bad = {"sha256": ["no-such-file"], "lz": ["no-such-file"], "json": ["data/access.log"],
           "nbody": None}.get(example["name"], ["-1"])  # fmt: skip
    if bad is None:
        return
    for program in (
        building.reference(sources_of(example)), building.program(sources_of(example)),
    ):  # fmt: skip
        stdout, stderr, status = building.run(program, bad, cwd=EXAMPLES)

        assert stdout == b"" and stderr and status in (1, 2)
