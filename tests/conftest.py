"""What all tests share: which tools this machine has, and what is skipped for want of them."""

from __future__ import annotations

import shutil

import pytest

TOOLS = ("gcc", "clang", "qemu-aarch64", "qemu-riscv64", "aarch64-linux-gnu-gcc")


def pytest_report_header() -> str:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"hcc: tools missing, their tests skip: {', '.join(missing) or 'none'}"


def require(tool: str) -> str:
    """The path of a tool; skips the calling test by name where it is absent."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed")
    return path
