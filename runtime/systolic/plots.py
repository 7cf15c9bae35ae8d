"""Pictures of a sweep, with matplotlib: runtime by layer and dataflow, runtime over aspect ratio,
utilisation, bandwidth, and the Pareto front. matplotlib is an extra (pip install 'hcc[plot]')."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hcc.isa.errors import UnsupportedError

from .reports import make_folder, write_file
from .sweeps import Point, objective


def _axes() -> tuple[Any, Any]:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UnsupportedError("plots need matplotlib: pip install 'hcc[plot]'") from error
    mpl.use("svg")
    # The same sweep gives the same bytes.
    mpl.rcParams["svg.hashsalt"] = "hcc"
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Any, path: Path) -> Path:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    write_file(path, [text.getvalue()])
    return path


def _labels(points: Sequence[Point]) -> list[str]:
    """What tells the points apart, in short."""
    parts = [
        [point.topology for point in points],
        [point.shape for point in points],
        [point.dataflow for point in points],
        [f"{point.ifmap_kb}/{point.filter_kb}/{point.ofmap_kb} KiB" for point in points],
        [f"{point.bandwidth} w/c" if point.bandwidth else "CALC" for point in points],
    ]
    varying = [texts for texts in parts if len(set(texts)) > 1] or [parts[1]]
    return [" ".join(texts) for texts in zip(*varying, strict=True)]


def plot_layers(points: Sequence[Point], path: Path) -> Path:
    """Stacked runtime: a bar a point, a piece a layer."""
    figure, axes = _axes()
    labels = _labels(points)
    bottoms = [0] * len(points)
    names = max((point.layers for point in points), key=len)
    for index, layer in enumerate(names):
        heights = [p.layers[index].cycles if index < len(p.layers) else 0 for p in points]
        axes.bar(labels, heights, bottom=bottoms, label=layer.name)
        bottoms = [low + high for low, high in zip(bottoms, heights, strict=True)]
    axes.set_ylabel("cycles")
    axes.tick_params(axis="x", rotation=90)
    if len(names) <= 20:
        axes.legend(fontsize="small")
    return _save(figure, path)


def _lines(points: Sequence[Point], path: Path, what: str, log: bool) -> Path:
    figure, axes = _axes()
    shapes = list(dict.fromkeys(point.shape for point in points))
    series: dict[str, dict[str, float]] = {}
    for point in points:
        name = " ".join(
            part
            for part in (
                point.topology if len({p.topology for p in points}) > 1 else "",
                point.dataflow,
                f"{point.sram_kb} KiB" if len({p.sram_kb for p in points}) > 1 else "",
                f"{point.bandwidth} w/c" if len({p.bandwidth for p in points}) > 1 else "",
            )
            if part
        )
        series.setdefault(name, {})[point.shape] = getattr(point, what)
    for name, values in series.items():
        axes.plot(
            [shape for shape in shapes if shape in values],
            [values[shape] for shape in shapes if shape in values],
            marker="o",
            label=name,
        )
    if log:
        axes.set_yscale("log")
    axes.set_xlabel("array, rows x columns")
    axes.set_ylabel("cycles" if what == "cycles" else "overall utilisation, %")
    axes.tick_params(axis="x", rotation=45)
    axes.legend(fontsize="small")
    return _save(figure, path)


def plot_runtime(points: Sequence[Point], path: Path) -> Path:
    """Runtime over the array's aspect ratio, a line for each dataflow."""
    return _lines(points, path, "cycles", log=True)


def plot_utilisation(points: Sequence[Point], path: Path) -> Path:
    """Overall utilisation over the array's aspect ratio."""
    return _lines(points, path, "utilisation", log=False)


def plot_bandwidth(points: Sequence[Point], path: Path) -> Path:
    """DRAM bandwidth in words a cycle: the cycle-weighted mean over the layers."""
    figure, axes = _axes()
    labels = _labels(points)
    for offset, (name, what) in enumerate(
        (
            ("ifmap", "ifmap_bandwidth"),
            ("filter", "filter_bandwidth"),
            ("ofmap", "ofmap_bandwidth"),
        )
    ):
        means = [
            sum(getattr(layer, what) * layer.cycles for layer in point.layers) / point.cycles
            for point in points
        ]
        places = [at + (offset - 1) * 0.28 for at in range(len(points))]
        axes.bar(places, means, width=0.28, label=name)
    axes.set_xticks(range(len(points)), labels, rotation=90)
    axes.set_ylabel("DRAM words a cycle")
    axes.legend(fontsize="small")
    return _save(figure, path)


def plot_pareto(
    points: Sequence[Point], front: Sequence[Point], names: Sequence[str], path: Path
) -> Path:
    """All points in two objectives, the Pareto front joined."""
    figure, axes = _axes()
    first, second = names[0], names[1]
    axes.scatter([objective(p, first) for p in points], [objective(p, second) for p in points])
    axes.plot(
        [objective(p, first) for p in front], [objective(p, second) for p in front], marker="o"
    )
    for point, label in zip(front, _labels(front), strict=True):
        axes.annotate(label, (objective(point, first), objective(point, second)), fontsize=7)
    axes.set_xlabel(first)
    axes.set_ylabel(second)
    return _save(figure, path)


def plot_all(
    points: Sequence[Point], front: Sequence[Point], names: Sequence[str], folder: Path
) -> list[Path]:
    """All pictures of a sweep, into a folder."""
    make_folder(folder)
    return [
        plot_layers(points, folder / "layers.svg"),
        plot_runtime(points, folder / "runtime.svg"),
        plot_utilisation(points, folder / "utilisation.svg"),
        plot_bandwidth(points, folder / "bandwidth.svg"),
        plot_pareto(points, front, names, folder / "pareto.svg"),
    ]
