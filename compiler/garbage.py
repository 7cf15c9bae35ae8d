"""When Python's garbage collector may run: between the units of a program, and only if it pays.

A compiler makes large structures and keeps them to the end of a stage; collections in the middle
look through all of them and find next to nothing, at a fifth of the time and more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 3_000_000


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection within; the outermost of nested ones ends it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def collect_if_full() -> None:
    """Between units, for programs of many: collect if as many objects have come up since the last
    time as take some hundred megabytes."""
    if gc.get_count()[0] > MANY:
        gc.collect()
