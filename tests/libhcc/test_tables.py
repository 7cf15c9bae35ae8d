"""The generated constants are what the generator makes."""

from __future__ import annotations

import runpy

import pytest

from tests.libhcc import building


@pytest.mark.long
def test_generated_files_are_up_to_date() -> None:
    pytest.importorskip("mpmath")
    generator = runpy.run_path(str(building.LIBHCC / "generate_math.py"))

    for name, text in generator["generated"]().items():
        assert text == (building.LIBHCC / name).read_text(), name
