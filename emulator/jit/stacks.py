"""Host stacks large enough for guests that recurse deeply.

A guest call is a host call, so the guest runs on a thread with a large stack. Compiled code
compares the stack pointer with a limit at function entry; what is left beyond it is for Python,
which compiled code calls.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

from attrs import define

T = TypeVar("T")

LARGE = 1 << 29
RESERVED = 1 << 22
"""Bytes at a stack's end that compiled code leaves alone."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.pthread_self.restype = ctypes.c_void_p
_libc.pthread_getattr_np.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
_libc.pthread_attr_getstack.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_libc.pthread_attr_destroy.argtypes = (ctypes.c_void_p,)

_local = threading.local()
_creation = threading.Lock()


def limit_of_thread() -> int:
    """The address below which compiled code on this thread must not call."""
    known: int | None = getattr(_local, "limit", None)
    if known is None:
        attributes = ctypes.create_string_buffer(256)
        start, size = ctypes.c_uint64(), ctypes.c_uint64()
        _libc.pthread_getattr_np(_libc.pthread_self(), attributes)
        _libc.pthread_attr_getstack(attributes, ctypes.byref(start), ctypes.byref(size))
        _libc.pthread_attr_destroy(attributes)
        known = _local.limit = start.value + RESERVED
    return known


def is_large() -> bool:
    """Whether this thread was made by `call`."""
    return getattr(_local, "large", False)


@define
class _Outcome:
    value: object = None
    error: BaseException | None = None


def call(function: Callable[[], T], stop: Callable[[], None], timeout: float | None = None) -> T:
    """`function()` on a thread with a large stack.

    If this thread is interrupted, or after `timeout` seconds, `stop` is called, over and over, to
    make the function end; what it then raises is raised here, or the interruption. TimeoutError is
    raised if it does not end; its thread, which is stuck in the host's I/O, is left alone.
    """
    outcome, done = _Outcome(), threading.Event()

    def run() -> None:
        _local.large = True
        try:
            outcome.value = function()
        except BaseException as error:  # noqa: BLE001  (it is raised again by the caller)
            outcome.error = error
        finally:
            done.set()

    with _creation:
        before = threading.stack_size(LARGE)
        try:
            thread = threading.Thread(target=run, name="guest", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    try:
        if not done.wait(timeout) and not _stop(stop, done):
            raise TimeoutError("stuck in the host's I/O")
    except TimeoutError:
        raise
    except BaseException:
        _stop(stop, done)
        raise
    thread.join()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value  # type: ignore[return-value]


def _stop(stop: Callable[[], None], done: threading.Event) -> bool:
    """Ask the function to end until it does, for two seconds; whether it has."""
    for _ in range(200):
        stop()
        if done.wait(0.01):
            return True
    return False
