"""Child processes that end: with their whole tree, at a time limit and when hcc itself is killed.

Each child leads a session of its own, and everything it starts inherits a token in its
environment, so that also what has left the session is found in /proc and killed. If hcc is
killed, the kernel kills the children it started; what those started is found by the token at the
next command: the tokens of a build folder stand in its `running/`, each locked while its owner
lives. Scratch folders stand beside the token, so they go with it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from attrs import define, field, frozen

from hcc.isa.errors import HccError
from hcc.runtime.orphans import die_with_parent

TOKEN_VARIABLE = "HCC_WORKLOAD_TOKEN"
_POLL = 0.02
_BUSY_TRIES = 100


@frozen
class Ending:
    """How a child ended: status (128 + signal for a death), or that it was out of time."""

    status: int
    seconds: float
    timed_out: bool = False


@define
class Children:
    """The children of one command. `stop` ends those that run and lets none begin."""

    token: str
    scratch_root: Path
    stopped: bool = field(default=False)

    def run(
        self,
        command: Sequence[str],
        output: IO[bytes],
        cwd: Path,
        env: Mapping[str, str],
        stdin: Path | None = None,
        timeout: float | None = None,
        pass_fds: Sequence[int] = (),
        executable: str | None = None,
        started: Callable[[int], None] = lambda _: None,
    ) -> Ending:
        """Run a command to its end, or to the end of its time, with its output in a file."""
        begin = time.monotonic()
        mine = f"{self.token}.{secrets.token_hex(6)}"
        with open(stdin or os.devnull, "rb") as feed:  # noqa: PTH123
            try:
                child = _started(
                    command, executable=executable, cwd=cwd, stdin=feed, stdout=output,
                    stderr=subprocess.STDOUT, env={**env, TOKEN_VARIABLE: mine},
                    start_new_session=True, pass_fds=pass_fds, preexec_fn=die_with_parent,
                )  # fmt: skip
            except OSError as error:
                raise HccError(f"{command[0]}: cannot be started: {error.strerror}") from error
        started(child.pid)
        timed_out = False
        try:
            status = self._wait(child, None if timeout is None else begin + timeout)
            timed_out = status is None
        finally:
            kill_tree(mine, child)
        if status is None:
            status = child.wait()
        if status < 0:
            status = 128 - status
        return Ending(status, time.monotonic() - begin, timed_out)

    def _wait(self, child: subprocess.Popen[bytes], deadline: float | None) -> int | None:
        """The child's return code, or None when time is over or the command is to stop."""
        pause = 0.001
        while not self.stopped:
            left = _POLL if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return child.poll()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(min(pause, left))
            pause = min(2 * pause, _POLL)
        return child.poll()

    @contextlib.contextmanager
    def scratch(self, prefix: str) -> Iterator[Path]:
        """A folder that is gone in the end, or with the next command if this one is killed."""
        self.scratch_root.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=self.scratch_root)).absolute()
        try:
            yield folder
        finally:
            remove(folder)

    def stop(self) -> None:
        """End all children soon."""
        self.stopped = True


def _started(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A new child process.

    A program that another thread has just written may be busy for a moment: that thread is done,
    but a child forked meanwhile has its file open until it executes something else.
    """
    for _ in range(_BUSY_TRIES):
        try:
            return subprocess.Popen(command, **options)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
        time.sleep(_POLL)
    return subprocess.Popen(command, **options)


def remove(folder: Path) -> None:
    """Remove a folder, also where a program has made parts of it unreadable."""
    if folder.exists():
        shutil.rmtree(folder, onerror=_make_removable)


def _make_removable(function: Callable[[str], object], path: str, _info: object) -> None:
    with contextlib.suppress(OSError):
        Path(path).parent.chmod(stat.S_IRWXU)
        function(path)


def _scratch_of(token: Path) -> Path:
    return Path(f"{token}.d")


def kill_tree(token: str, child: subprocess.Popen[bytes] | None = None) -> None:
    """Kill every process that carries a token, and the child's session, until none is left."""
    if child is not None and child.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    for _ in range(50):
        found = [pid for pid in carriers(token) if child is None or pid != child.pid]
        if child is not None:
            child.poll()
        if not found:
            break
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def carriers(token: str) -> list[int]:
    """The processes with a token (or one that begins with it) in their environment."""
    wanted = f"{TOKEN_VARIABLE}={token}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            content = Path(f"/proc/{entry.name}/environ").read_bytes()
            state = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if wanted in content and state != "Z" and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@contextlib.contextmanager
def children(folder: Path) -> Iterator[Children]:
    """The children of one command on a build folder; first ends those a killed command left."""
    running = folder / "running"
    running.mkdir(parents=True, exist_ok=True)
    end_leftovers(running)
    token = f"{os.getpid()}-{secrets.token_hex(8)}"
    path = running / token
    own = Children(token, _scratch_of(path))
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield own
        finally:
            own.stop()
            remove(own.scratch_root)
            path.unlink(missing_ok=True)
            end_leftovers(running)


def end_leftovers(running: Path) -> None:
    """Kill what commands that are gone have left running, and remove their scratch folders."""
    for path in list(running.iterdir()):
        if path.is_dir():
            token = path.with_suffix("")
            if not token.exists():  # something wrote there while it was being removed
                kill_tree(token.name)
                remove(path)
            continue
        try:
            lock = path.open("r+")
        except OSError:
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its owner lives
            kill_tree(path.name)
            remove(_scratch_of(path))
            path.unlink(missing_ok=True)
