"""The examples run and say what they are meant to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "examples" / "systolic"


def output(name: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / name)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_two_arrays_on_one_channel_slow_each_other() -> None:
    text = output("shared_dram.py")

    pairs = re.findall(r"(\d+) cycles with a channel of its own, (\d+) sharing", text)
    assert len(pairs) == 2
    assert all(int(alone) < int(shared) for alone, shared in pairs)


def test_pooling_beside_the_array_is_faster_and_right() -> None:
    text = output("pooling_beside.py")

    beside, after = re.findall(r"network: (\d+) cycles beside, (\d+) after", text)[0]
    assert int(beside) < int(after)
    assert "wins; as numpy has it" in text
