"""The thread that optimises while the guest runs.

Requests are addresses at which quick code is hot; what has gathered while a module was being made
becomes the next module. LLVM works without the GIL, so the guest goes on beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from hcc.emulator.jit.translator import Translator

QUIET = 0.01
"""Seconds without quick code being made after which there is time to optimise."""
MOMENT = 0.005
"""Seconds in which a place must be passed again, or else the guest has left it; 0 not to look."""
IDLE = 1.0
"""Seconds without requests after which what was compiled is put into the cache."""


class Background:
    """Optimises on request; `installed` is told which addresses have code now."""

    def __init__(self, translator: Translator, installed: Callable[[list[int]], None]) -> None:
        self._translator = translator
        self._installed = installed
        self._wanted: dict[int, None] = {}
        self._left_before: set[int] = set()
        self._making: set[int] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._translating = False
        self.error: BaseException | None = None

    def request(self, pc: int) -> None:
        """Ask for better code for an address at which quick code is hot."""
        with self._condition:
            if pc in self._wanted or pc in self._making or self._closing:
                return
            self._wanted[pc] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jit", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def wait(self) -> None:
        """Wait until everything requested is compiled."""
        with self._condition:
            self._condition.wait_for(lambda: not (self._wanted or self._making) or self.error)
        if self.error is not None:
            raise self.error

    def let_translate(self) -> None:
        """Wait while the thread is in Python: two threads in turns would only be slower."""
        with self._condition:
            self._condition.wait_for(lambda: not self._translating)

    def close(self) -> None:
        """Drop what has not been begun, wait for the rest."""
        with self._condition:
            self._closing = True
            self._wanted.clear()
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self.error is None:
            places = self._take()
            if places is None:
                return
            if places:
                self._make(places)
            else:
                self._translator.save()

    def _take(self) -> list[int] | None:
        """What has been asked for; empty if that is nothing for a while, None at the end."""
        with self._condition:
            places: list[int] = []
            while not places and self._condition.wait_for(self._is_called, IDLE):
                while self._wanted and not self._closing and (busy := self._busy_for()) > 0:
                    self._condition.wait(busy)
                left = self._left()
                if self._closing:
                    return None
                places = [pc for pc in self._wanted if pc not in left]
                self._wanted.clear()
                self._condition.notify_all()
            self._making = set(places)
            self._translating = bool(places)
        return places

    def _is_called(self) -> bool:
        return bool(self._wanted) or self._closing

    def _left(self) -> set[int]:
        """The places asked for that the guest has left since. One that asks anew later is not
        looked at again: it may be a short part of something that takes turns."""
        if not MOMENT:
            return set()
        heat = self._translator.heat
        before = {pc: heat.passes(pc) for pc in self._wanted if pc not in self._left_before}
        self._condition.wait_for(lambda: self._closing, MOMENT)
        left = {pc for pc, passes in before.items() if heat.passes(pc) == passes}
        self._left_before |= left
        return left

    def _busy_for(self) -> float:
        """How many seconds to leave LLVM to the guest's thread, which waits for its quick code."""
        return self._translator.last_quick + QUIET - monotonic()

    def _make(self, places: list[int]) -> None:
        try:
            doubted = frozenset(self._translator.doubted)
            draft = self._translator.generator.optimise(places)
            self._now_in_llvm()
            if draft.starts:
                self._installed(self._translator.compile(draft, doubted))
        except BaseException as error:  # noqa: BLE001  (the guest's thread raises it)
            self.error = error
        with self._condition:
            self._translating = False
            self._making = set()
            self._condition.notify_all()

    def _now_in_llvm(self) -> None:
        with self._condition:
            self._translating = False
            self._condition.notify_all()
