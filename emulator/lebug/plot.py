"""A trace as a picture. Needs matplotlib, which is an optional extra (`pip install hcc[plot]`).

A firmware that commits scalars fills rows with a sequence of numbers, drawn as a curve over the
order of commit (one curve per committing chain, when each commits once for every other); one
that commits vectors gives an image, lanes upwards, rows to the right.
"""

from __future__ import annotations

import io
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.lebug.chain import Firmware

from .trace import Trace

FORMATS = (".png", ".svg", ".pdf")


def plot_trace(trace: Trace, firmware: Firmware, name: str) -> bytes:
    """The picture's bytes, in the format of the file name (png, svg or pdf)."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in FORMATS:
        raise HccError(f"{name}: a plot is a .png, .svg or .pdf file")
    kind = suffix[1:]
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise HccError("plotting needs matplotlib: pip install 'hcc[plot]'") from None
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(f"{firmware.name or 'firmware'}: {len(trace)} rows")
    curves = _curves(trace, firmware)
    if curves is not None:
        for label, values in curves:
            axes.plot(values, marker=".", linewidth=1, label=label)
        axes.set_xlabel("commit")
        axes.set_ylabel("value")
        if len(curves) > 1:
            axes.legend()
    else:
        image = axes.imshow(
            np.where(np.isfinite(trace.lanes), trace.lanes, np.nan).T,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
        )
        axes.set_xlabel("row")
        axes.set_ylabel("lane")
        figure.colorbar(image)
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(stream, format=kind, metadata=metadata)
    return stream.getvalue()


def _curves(trace: Trace, firmware: Firmware) -> list[tuple[str, NDArray[np.float64]]] | None:
    """Scalar commits as curves, by chain where the chains commit in turns; else None."""
    commits = [(number, chain) for number, chain in enumerate(firmware.chains, 1) if chain.commit]
    if len(trace) == 0 or not commits or any(chain.commit != 1 for _, chain in commits):
        return None
    values = trace.lanes.reshape(-1)
    in_turns = len({chain.commit_cond for _, chain in commits}) == 1
    skipped = trace.overwritten * trace.lanes.shape[1]
    if not in_turns or len(commits) == 1:
        return [("commits", values)]
    return [
        (f"chain {number}", values[(place - skipped) % len(commits) :: len(commits)])
        for place, (number, _) in enumerate(commits)
    ]
