#!/usr/bin/env python3
"""Plot the tables of a run: plot.py [--title T] FOLDER writes FOLDER/counts.svg.

FOLDER is what `hcc workload` gives a post_run_hook: one folder a job. Nothing but Python is needed.
"""

import argparse
import csv
import math
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 480, 320, 40
COLOURS = ("#1b6ca8", "#c84b31", "#2d6a4f", "#7b2d8b")


def tables(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """The tables by job."""
    found = {}
    for path in sorted(folder.rglob("counts.csv")):
        rows = list(csv.reader(path.open()))[1:]
        found[path.parent.name] = [(float(a), float(b)) for a, b in rows]
    return found


def svg(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """All series in one picture with logarithmic axes."""
    points = [p for row in series.values() for p in row if p[1] > 0]
    right, top = (math.log10(max(p[i] for p in points)) for i in (0, 1))

    def place(x: float, y: float) -> str:
        across = MARGIN + math.log10(x) / right * (WIDTH - 2 * MARGIN)
        up = HEIGHT - MARGIN - math.log10(y) / top * (HEIGHT - 2 * MARGIN)
        return f"{across:.1f},{up:.1f}"

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" ',
        'font-size="12">',
        f'<text x="{MARGIN}" y="20">{title}</text>',
    ]
    for i, (name, row) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(place(x, y) for x, y in row if y > 0)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        y = HEIGHT - 10 - 14 * i
        lines.append(f'<text x="{WIDTH - 150}" y="{y}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>\n"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--title", default="counts")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    series = tables(options.folder)
    if not series:
        raise SystemExit(f"plot.py: no counts.csv in {options.folder}")
    (options.folder / "counts.svg").write_text(svg(options.title, series))


if __name__ == "__main__":
    main()
