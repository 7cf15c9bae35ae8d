"""Map a function over many items, here, in local processes or on a Ray cluster.

Sweeps, workload jobs and nodes all need the same thing: call one picklable function on each of
many items and have the results in the items' order, as soon as each is there. Three ways to do it
stand behind one interface; there is no scheduler or transport of our own.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

from attrs import frozen

from hcc.isa.errors import UnsupportedError

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int], None]


class Executor(Protocol):
    """Something that can map a function over items."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the items' order. An exception of the function is raised where its
        result would be."""
        ...


@frozen
class InProcess:
    """One after another, in this process."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the items' order."""
        return map(function, items)


@frozen
class Processes:
    """Local processes. Only a few items wait in line at a time, so `items` may be endless."""

    jobs: int

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the items' order."""
        # Not fork: the parent may have threads (a progress display).
        context = get_context("spawn")
        with ProcessPoolExecutor(self.jobs, mp_context=context) as pool:
            waiting: deque[Future[Result]] = deque()
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) >= 4 * self.jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


@frozen
class Ray:
    """A Ray cluster: the one RAY_ADDRESS or `address` names, else one on this machine."""

    address: str | None = None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the items' order."""
        try:
            import ray
        except ImportError as error:
            raise UnsupportedError(
                "running on a cluster needs Ray: pip install 'hcc[cluster]'"
            ) from error
        if not ray.is_initialized():
            ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")
        remote: Any = ray.remote(function)
        width = 4 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(remote.remote(item))
                if len(waiting) >= width:
                    result: Result = ray.get(waiting.popleft())
                    yield result
            while waiting:
                result = ray.get(waiting.popleft())
                yield result
        finally:
            for reference in waiting:
                with contextlib.suppress(ValueError):
                    ray.cancel(reference)


def executor(jobs: int = 1, cluster: bool = False, address: str | None = None) -> Executor:
    """The executor for a command's options; `jobs` of 0 means one for each CPU."""
    if cluster:
        return Ray(address)
    if jobs == 0:
        jobs = len(os.sched_getaffinity(0))
    return InProcess() if jobs == 1 else Processes(jobs)


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    how: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """Results in the items' order; `progress` is told how many are done after each."""
    for done, result in enumerate((how or InProcess()).map(function, items), 1):
        if progress is not None:
            progress(done)
        yield result
