"""Whole numbers from text."""

from __future__ import annotations

import pytest

from hcc.isa.numerals import whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("+7", 7),
        ("-12", -12),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("9" * 5000, None),
        ("²", None),
        ("١", None),
        ("1_000", None),
        (" 1", None),
        ("1\n", None),
        ("", None),
        ("-", None),
        ("1.0", None),
    ],
)
def test_only_ascii_digits_make_a_number(text: str, number: int | None) -> None:
    assert number == whole(text)
