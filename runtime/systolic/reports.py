"""Report files: SCALE-Sim's three (four with sparsity), byte for byte, and one JSON with names.

A run's files go into <folder>/<run name>/. Each is written beside its place and moved there whole.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from hcc.emulator.systolic import LayerResult, NetworkResult
from hcc.isa.errors import FormatError

JSON_NAME = "REPORT.json"


def write_file(path: Path, chunks: Iterable[str]) -> None:
    """Write a text file chunk after chunk and move it into its place whole.

    A link is followed; a device or pipe is written to, for it must not be replaced by a file.
    """
    try:
        if path.exists() and not path.is_file():
            _write(path, chunks)
        else:
            _replace(Path(os.path.realpath(path)), chunks)
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error


def _replace(path: Path, chunks: Iterable[str]) -> None:
    part = Path(f"{path}.{os.getpid()}.part")
    try:
        _write(part, chunks)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _write(path: Path, chunks: Iterable[str]) -> None:
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 (three times as fast)
        for chunk in chunks:
            file.write(chunk)


def make_folder(folder: Path) -> Path:
    """Make a folder, and those above it, if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(f"{folder}: {error.strerror}") from error
    return folder


def _csv(rows: list[dict[str, float]], label: str = "") -> str:
    header = "LayerID, " + ", ".join(rows[0]) + ",\n"
    lines = [
        f"{index}, {label}" + ", ".join(str(value) for value in row.values()) + ",\n"
        for index, row in enumerate(rows)
    ]
    return header + "".join(lines)


def report_texts(layers: Iterable[LayerResult], representation: str = "") -> dict[str, str]:
    """The report files' texts by file name."""
    results = list(layers)
    texts = {
        "COMPUTE_REPORT.csv": _csv([layer.compute_row() for layer in results]),
        "BANDWIDTH_REPORT.csv": _csv([layer.bandwidth_row() for layer in results]),
        "DETAILED_ACCESS_REPORT.csv": _csv([layer.access_row() for layer in results]),
    }
    if results[0].storage is not None:
        text = _csv([layer.sparse_row() for layer in results], f"{representation}, ")
        # The one header in which a blank follows the last comma.
        header, rest = text.split(",\n", 1)
        header = header.replace("LayerID, ", "LayerID, Sparsity Representation, ", 1)
        texts["SPARSE_REPORT.csv"] = f"{header}, \n{rest}"
    return texts


def run_folder(top: Path, run_name: str) -> Path:
    """The folder of a run, made if need be."""
    if run_name in ("", ".", "..") or "/" in run_name or "\0" in run_name:
        raise FormatError(f"run_name '{run_name}' is no folder name")
    return make_folder(top / run_name)


def write_reports(result: NetworkResult, top: Path) -> Path:
    """Write all report files of a run; returns their folder."""
    folder = run_folder(top, result.config.run_name)
    sparsity = result.config.sparsity
    texts = report_texts(result.layers, sparsity.representation if sparsity else "")
    texts[JSON_NAME] = json.dumps(result.as_dict()) + "\n"
    for name, text in texts.items():
        write_file(folder / name, [text])
    return folder
