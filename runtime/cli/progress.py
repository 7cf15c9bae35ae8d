"""How long work shows on standard error that it goes on, while that is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(what: str, total: int, least: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar for `total` steps, from `least` on; what it yields is called with how many more of them
    are done."""
    if not sys.stderr.isatty() or total < least:
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(what, total=total)
        yield lambda count: display.advance(task, count)


@contextlib.contextmanager
def spinner(what: str) -> Iterator[None]:
    """A line for work of which nobody knows how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
