"""The system calls on files and folders, and what a snapshot keeps of them.

The guest's descriptors are numbers of the guest's own: `files` maps them to descriptors of the
host. Descriptors made by `dup` share one `OpenFile`, as they share one position in the kernel.
The host process's working folder belongs to hcc, so one that the guest chose is kept as a
descriptor, which relative paths are looked up from. Results and errors are as in `personality`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from contextlib import suppress
from signal import SIGPIPE
from typing import Any

from attrs import define, field

from hcc.emulator.memory import Memory
from hcc.isa.errors import FormatError, HccError
from hcc.runtime.endings import Killed

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000
MOST_AT_ONCE = 1 << 24
"""Bytes that one read or write takes at most."""
MOST_FILES = 1024
"""Descriptors are below this, as under Linux unless somebody says otherwise."""
TERMIOS_SIZE = 36
STATX_BASIC_STATS = 0x7FF
_STATX = struct.Struct("<IIQIIIHHQQQQ" + "qII" * 4 + "IIII112x")
_OPEN_FLAGS = os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_APPEND | os.O_NONBLOCK


@define(eq=False)
class OpenFile:
    """A file that the guest has open. `host` is the host's descriptor; `path` is None for the
    standard streams, whose number `standard` is."""

    host: int
    path: str | None
    flags: int
    standard: int | None = None


def _standard(number: int) -> OpenFile:
    return OpenFile(number, None, 0, number)


@define(eq=False)
class FileCalls:
    """The files of one process."""

    memory: Memory
    files: dict[int, OpenFile] = field(init=False)
    folder: int | None = field(init=False, default=None)
    """The host's descriptor of the working folder, if the guest chose one."""
    stdin_read: int = field(init=False, default=0)
    """Bytes taken from standard input so far."""

    def __attrs_post_init__(self) -> None:
        self.files = {fd: _standard(fd) for fd in range(3)}

    def close_all(self) -> None:
        """Close the host files that the guest left open."""
        for fd in list(self.files):
            self._release(fd)
        if self.folder is not None:
            os.close(self.folder)
            self.folder = None

    # ---- descriptors ----

    def _file(self, fd: int) -> OpenFile:
        file = self.files.get(signed32(fd))
        if file is None:
            raise OSError(errno.EBADF, "bad file descriptor")
        return file

    def _release(self, fd: int) -> None:
        """Forget a descriptor; its file is closed with the last one."""
        file = self.files.pop(fd)
        if file.path is not None and file not in self.files.values():
            os.close(file.host)

    def _take_lowest(self, file: OpenFile) -> int:
        fd = next(i for i in range(len(self.files) + 1) if i not in self.files)
        if fd >= MOST_FILES:
            raise OSError(errno.EMFILE, "too many open files")
        self.files[fd] = file
        return fd

    def sys_close(self, fd: int, *_: int) -> int:
        self._file(fd)
        self._release(signed32(fd))
        return 0

    def sys_dup(self, fd: int, *_: int) -> int:
        return self._take_lowest(self._file(fd))

    def sys_dup3(self, fd: int, wanted: int, flags: int, *_: int) -> int:
        file, wanted = self._file(fd), signed32(wanted)
        if signed32(fd) == wanted or flags & 0xFFFF_FFFF & ~os.O_CLOEXEC:
            return -errno.EINVAL
        if not 0 <= wanted < MOST_FILES:
            return -errno.EBADF
        if wanted in self.files:
            self._release(wanted)
        self.files[wanted] = file
        return wanted

    def sys_read(self, fd: int, addr: int, size: int, *_: int) -> int:
        file = self._file(fd)
        if not size:
            return len(os.read(file.host, 0))
        count = os.readv(file.host, [self.memory.writable(addr, min(size, MOST_AT_ONCE))])
        if file.standard == 0:
            self.stdin_read += count
        return count

    def sys_write(self, fd: int, addr: int, size: int, *_: int) -> int:
        file = self._file(fd)
        content = self.memory.read(addr, min(size, MOST_AT_ONCE)) if size else b""
        try:
            return os.write(file.host, content)
        except BrokenPipeError as error:
            # Python ignores SIGPIPE for itself; the program has not asked for that.
            raise Killed(SIGPIPE) from error

    def sys_writev(self, fd: int, vector: int, count: int, *_: int) -> int:
        total = 0
        for i in range(count):
            addr = self.memory.load(vector + 16 * i, 8)
            total += self.sys_write(fd, addr, self.memory.load(vector + 16 * i + 8, 8))
        return total

    def sys_lseek(self, fd: int, offset: int, whence: int, *_: int) -> int:
        return os.lseek(self._file(fd).host, signed64(offset), whence)

    def sys_ftruncate(self, fd: int, size: int, *_: int) -> int:
        os.ftruncate(self._file(fd).host, signed64(size))
        return 0

    def sys_fsync(self, fd: int, *_: int) -> int:
        os.fsync(self._file(fd).host)
        return 0

    def sys_ioctl(self, fd: int, request: int, addr: int, *_: int) -> int:
        """The one request that tells a terminal from other files."""
        file = self._file(fd)
        if request != termios.TCGETS:
            return -errno.ENOTTY
        self.memory.write(addr, fcntl.ioctl(file.host, termios.TCGETS, bytes(TERMIOS_SIZE)))
        return 0

    # ---- paths ----

    def _name(self, directory: int, path: int) -> bytes:
        """A path that a call on names has, seen from the working folder."""
        name = self.memory.read_string(path)
        if signed32(directory) != AT_FDCWD and not name.startswith(b"/"):
            raise OSError(errno.EINVAL, "only the working folder is known")
        return name

    def _folder_path(self) -> str:
        # Where there is no /proc, there is no path.
        return os.getcwd() if self.folder is None else _linked(self.folder)  # noqa: PTH109

    def sys_openat(self, directory: int, path: int, flags: int, mode: int, *_: int) -> int:
        name = os.fsdecode(self._name(directory, path))
        flags &= _OPEN_FLAGS
        host = os.open(name, flags | os.O_CLOEXEC, mode & 0o7777, dir_fd=self.folder)
        absolute = os.path.normpath(os.path.join(self._folder_path(), name))  # noqa: PTH118
        try:
            return self._take_lowest(OpenFile(host, absolute, flags))
        except OSError:
            os.close(host)
            raise

    def sys_unlinkat(self, directory: int, path: int, flags: int, *_: int) -> int:
        name = self._name(directory, path)
        if flags & 0xFFFF_FFFF & ~AT_REMOVEDIR:
            return -errno.EINVAL
        if flags & AT_REMOVEDIR:
            os.rmdir(name, dir_fd=self.folder)
        else:
            os.unlink(name, dir_fd=self.folder)
        return 0

    def sys_renameat2(self, of: int, old: int, to: int, new: int, flags: int, *_: int) -> int:
        if flags & 0xFFFF_FFFF:
            return -errno.EINVAL
        names = self._name(of, old), self._name(to, new)
        os.rename(*names, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return 0

    def sys_mkdirat(self, directory: int, path: int, mode: int, *_: int) -> int:
        name = self._name(directory, path)
        os.mkdir(name, mode & 0o7777, dir_fd=self.folder)
        return 0

    def sys_fchmodat(self, directory: int, path: int, mode: int, *_: int) -> int:
        name = self._name(directory, path)
        os.chmod(name, mode & 0o7777, dir_fd=self.folder)
        return 0

    def sys_truncate(self, path: int, size: int, *_: int) -> int:
        host = os.open(self._name(AT_FDCWD, path), os.O_WRONLY | os.O_CLOEXEC, dir_fd=self.folder)
        try:
            os.ftruncate(host, signed64(size))
        finally:
            os.close(host)
        return 0

    def sys_faccessat(self, directory: int, path: int, mode: int, *_: int) -> int:
        name, mode = self._name(directory, path), mode & 0xFFFF_FFFF
        if mode & ~(os.R_OK | os.W_OK | os.X_OK):
            return -errno.EINVAL
        os.stat(name, dir_fd=self.folder)  # which says what is wrong with a path
        return 0 if os.access(name, mode, dir_fd=self.folder) else -errno.EACCES

    def sys_chdir(self, path: int, *_: int) -> int:
        name = self._name(AT_FDCWD, path)
        flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        host = os.open(name, flags, dir_fd=self.folder)
        try:
            os.stat(b".", dir_fd=host)  # it must be possible to look things up there
        except OSError:
            os.close(host)
            raise
        if self.folder is not None:
            os.close(self.folder)
        self.folder = host
        return 0

    def sys_getcwd(self, addr: int, size: int, *_: int) -> int:
        content = os.fsencode(self._folder_path()) + b"\0"
        if len(content) > size:
            return -errno.ERANGE
        self.memory.write(addr, content)
        return len(content)

    def sys_statx(
        self, directory: int, path: int, flags: int, mask: int, addr: int, *_: int
    ) -> int:
        flags &= 0xFFFF_FFFF
        if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
            return -errno.EINVAL
        if flags & AT_EMPTY_PATH and not self.memory.read_string(path):
            here = signed32(directory) == AT_FDCWD
            status = os.stat(b".", dir_fd=self.folder) if here else os.fstat(
                self._file(directory).host
            )
        else:
            name = self._name(directory, path)
            follow = not flags & AT_SYMLINK_NOFOLLOW
            status = os.stat(name, dir_fd=self.folder, follow_symlinks=follow)
        self.memory.write(addr, _statx(status))
        return 0

    # ---- snapshots ----

    def files_state(self) -> dict[str, Any]:
        """What a snapshot keeps of the files; the inverse is `restore_files`."""
        open_files: dict[OpenFile, list[int]] = {}
        for fd, file in sorted(self.files.items()):
            open_files.setdefault(file, []).append(fd)
        return {
            "files": [
                [fds, _path_of(f.host, f.path), f.flags, os.lseek(f.host, 0, os.SEEK_CUR)]
                for f, fds in open_files.items()
                if f.path is not None
            ],
            "standard": [
                [fds, f.standard] for f, fds in open_files.items() if f.standard is not None
            ],
            "folder": None if self.folder is None else _linked(self.folder),
            "stdin_read": self.stdin_read,
        }

    def restore_files(self, state: dict[str, Any]) -> None:
        """Take over a state: reopen the files at their positions."""
        self.stdin_read = state["stdin_read"]
        self.files = {}
        for fds, number in state["standard"]:
            self.files |= dict.fromkeys(fds, _standard(number))
        path = state["folder"]
        try:
            if path is not None:
                self.folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            for fds, path, flags, position in state["files"]:
                once = os.O_CREAT | os.O_EXCL | os.O_TRUNC
                host = os.open(path, flags & ~once | os.O_CLOEXEC)
                self.files |= dict.fromkeys(fds, OpenFile(host, path, flags))
                os.lseek(host, position, os.SEEK_SET)
        except OSError as error:
            raise FormatError(f"{path}: cannot be reopened: {error.strerror}") from error


def _statx(status: os.stat_result) -> bytes:
    """The kernel's struct statx, which has no time of birth here."""
    times = [
        divmod(ns, 10**9) for ns in (status.st_atime_ns, 0, status.st_ctime_ns, status.st_mtime_ns)
    ]
    return _STATX.pack(
        STATX_BASIC_STATS, status.st_blksize, 0,
        status.st_nlink, status.st_uid, status.st_gid, status.st_mode, 0,
        status.st_ino, status.st_size, status.st_blocks, 0,
        *(n for seconds, rest in times for n in (seconds, rest, 0)),
        os.major(status.st_rdev), os.minor(status.st_rdev),
        os.major(status.st_dev), os.minor(status.st_dev),
    )  # fmt: skip


def _linked(host: int) -> str:
    """The path of an open file."""
    return os.readlink(f"/proc/self/fd/{host}")  # noqa: PTH115


def _path_of(host: int, path: str) -> str:
    """Where an open file is now; HccError if it could not be opened there again."""
    try:
        os.lseek(host, 0, os.SEEK_CUR)
    except OSError as error:
        fact = f"{path}: is open and has no positions: a snapshot cannot keep it"
        raise HccError(fact) from error
    now = path
    with suppress(OSError):  # where there is no /proc, a renamed file is refused, too
        now = _linked(host)
    try:
        same = os.path.samestat(os.stat(now), os.fstat(host))  # noqa: PTH116
    except OSError:
        same = False
    if not same:
        raise HccError(f"{path}: is open and has been removed: a snapshot cannot keep it")
    return now


def check_files_state(state: dict[str, Any]) -> None:
    """ValueError (or KeyError, TypeError) unless `restore_files` can take the state over."""
    numbers = [state["stdin_read"]]
    taken: list[int] = []
    for fds, path, flags, position in state["files"]:
        numbers += [flags, position]
        taken += fds
        if not isinstance(path, str) or b"\0" in os.fsencode(path) or flags & ~_OPEN_FLAGS:
            raise ValueError(f"an open file with the path {path!r} and the flags {flags}")
    folder = state["folder"]
    if folder is not None and (not isinstance(folder, str) or b"\0" in os.fsencode(folder)):
        raise ValueError(f"a working folder {folder!r}")
    for fds, number in state["standard"]:
        taken += fds
        if number not in (0, 1, 2):
            raise ValueError("its standard streams are out of range")
    if not all(isinstance(n, int) and 0 <= n < 1 << 63 for n in (*numbers, *taken)):
        raise ValueError("its open files are described by something else than numbers")
    if len(set(taken)) != len(taken):
        raise ValueError("a descriptor of two open files")


def signed32(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def signed64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
