"""Traces as files: .npy (the rows alone), CSV and JSON (with step, vector and chain)."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping

import numpy as np

from hcc.isa.errors import HccError

from .trace import Trace

FORMATS = (".npy", ".csv", ".json")


def number(value: float) -> float | str:
    """A value for JSON, which has no infinity and no NaN: those become text."""
    if math.isfinite(value):
        return value
    return "nan" if value != value else ("inf" if value > 0 else "-inf")


def to_npy(trace: Trace) -> bytes:
    stream = io.BytesIO()
    np.save(stream, trace.lanes, allow_pickle=False)
    return stream.getvalue()


def to_csv(trace: Trace) -> bytes:
    """One line a row: step, vector, chain (both from 0), then the lanes."""
    width = trace.lanes.shape[1]
    lines = [",".join(["step", "vector", "chain", *(f"lane{i}" for i in range(width))])]
    for row in rows(trace):
        lanes = [repr(float(v)) for v in row["row"]]  # type: ignore[attr-defined]
        lines.append(",".join([*(str(row[k]) for k in ("step", "vector", "chain")), *lanes]))
    return ("\n".join(lines) + "\n").encode()


def rows(trace: Trace) -> list[dict[str, object]]:
    """The rows as plain objects."""
    return [
        {
            "step": int(trace.steps[i]),
            "vector": int(trace.vectors[i]),
            "chain": int(trace.chains[i]),
            "row": [number(float(v)) for v in trace.lanes[i]],
        }
        for i in range(len(trace))
    ]


def to_json(trace: Trace, report: Mapping[str, object]) -> bytes:
    found = {"report": dict(report), "rows": rows(trace)}
    return (json.dumps(found, indent=1) + "\n").encode()


def encoded(trace: Trace, report: Mapping[str, object], suffix: str) -> bytes:
    """The trace in the format of a file name's suffix; HccError for an unknown one."""
    match suffix.lower():
        case ".npy":
            return to_npy(trace)
        case ".csv":
            return to_csv(trace)
        case ".json":
            return to_json(trace, report)
    raise HccError(f"a trace is written as {', '.join(FORMATS)}, not '{suffix}'")
