"""The thread that compiles while the guest runs.

Requests are addresses; what has gathered while a module was being made becomes the next module.
LLVM works without the GIL, so the guest goes on beside it, interpreted or compiled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hcc.emulator.jit.translator import Translator


class Background:
    """Compiles on request; `installed` is told which addresses have code now."""

    def __init__(self, translator: Translator, installed: Callable[[list[int]], None]) -> None:
        self._translator = translator
        self._installed = installed
        self._wanted: dict[tuple[int, bool], None] = {}
        self._functions: set[int] = set()
        self._seen: set[tuple[int, bool]] = set()
        self._done: set[tuple[int, bool]] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._busy = False
        self._translating = False
        self.error: BaseException | None = None

    def request(self, place: int, exactly: bool = False) -> None:
        """Ask for code for a place where the guest spends its time; each is asked for once.

        That is the loop around it or the function it lies in; with `exactly`, what begins there.
        While something is made for a function, its other loops wait: they may be covered by then.
        """
        function, _ = self._translator.bounds_of(place)
        if (place, exactly) in self._seen or self._closing:
            return
        if not exactly and function in self._functions:
            return
        with self._condition:
            self._seen.add((place, exactly))
            self._wanted[place, exactly] = None
            self._functions.add(function)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jit", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def insist(self, place: int) -> None:
        """Ask for the loop around a place, or for the place itself if that has not helped."""
        self.request(place, exactly=(place, False) in self._done)

    def wait(self) -> None:
        """Wait until everything requested is compiled."""
        with self._condition:
            self._condition.wait_for(lambda: not (self._wanted or self._busy) or self.error)
        if self.error is not None:
            raise self.error

    def let_translate(self) -> None:
        """Wait while the thread is in Python: two threads in turns would only be slower."""
        with self._condition:
            self._condition.wait_for(lambda: not self._translating)

    @property
    def is_busy(self) -> bool:
        """Whether LLVM may be at work now."""
        return self._busy

    def close(self) -> None:
        """Drop what has not been begun, wait for the rest."""
        with self._condition:
            self._closing = True
            self._wanted.clear()
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._wanted or self._closing)
                if self._closing:
                    return
                places = list(self._wanted)
                self._wanted.clear()
                making, self._functions = self._functions, set(self._functions)
                self._busy = self._translating = True
            try:
                text, starts = self._translator.translate(places)
                self._now_in_llvm()
                if starts:
                    self._installed(self._translator.compile(text, starts))
                if not self._wanted:
                    self._translator.save()
            except BaseException as error:  # noqa: BLE001  (the guest's thread raises it)
                self.error = error
            with self._condition:
                self._busy = self._translating = False
                self._functions -= making
                self._done.update(places)
                self._condition.notify_all()
            if self.error is not None:
                return

    def _now_in_llvm(self) -> None:
        with self._condition:
            self._translating = False
            self._condition.notify_all()
