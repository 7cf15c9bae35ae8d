"""Digests of files and folders, remembered by what stat says of a file.

A file is read again when its time, size or inode differ from what was remembered. A digest taken
within a moment of the file's last change is not trusted the next time: a later change may carry
the same time.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

from attrs import define, field

_MOMENT = 50_000_000  # nanoseconds; times of files have the grain of the kernel's clock tick
ABSENT = "absent"


def digest_bytes(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@define
class FileDigests:
    """Digests by path. `known` is what a state file keeps: [time, size, inode, digest]."""

    known: dict[str, list[int | str]] = field(factory=dict)
    changed: bool = False
    _now: dict[str, str] = field(factory=dict)

    def of_file(self, path: Path | str) -> str:
        """The digest of a file's content; `ABSENT` where there is no file that can be read."""
        name = os.path.abspath(path)  # noqa: PTH100
        try:
            status = os.stat(name)  # noqa: PTH116
        except OSError:
            return ABSENT
        if not stat.S_ISREG(status.st_mode):
            return ABSENT  # to read a pipe would be to wait
        mark = [status.st_mtime_ns, status.st_size, status.st_ino]
        known = self.known.get(name)
        if known is not None and known[:3] == mark:
            return str(known[3])
        asked = time.time_ns()
        try:
            digest = digest_bytes(Path(name).read_bytes())
        except OSError:
            return ABSENT
        if asked - status.st_mtime_ns > _MOMENT:
            self.known[name] = [*mark, digest]
            self.changed = True
        return digest

    def of_entry(self, path: Path) -> str:
        """The digest of a file with its kind and whether it may be executed; of a link, its
        target; of a folder, that it is one."""
        try:
            status = path.lstat()
        except OSError:
            return ABSENT
        if stat.S_ISLNK(status.st_mode):
            return f"link {path.readlink()}"
        if stat.S_ISDIR(status.st_mode):
            return "folder"
        if not stat.S_ISREG(status.st_mode):
            return "neither file, folder nor link"
        mark = "x " if status.st_mode & 0o111 else ""
        return mark + self.of_file(path)

    def of_tree(self, root: Path) -> dict[str, str]:
        """The digests of all that is in a folder, by path below it; of a file, its own as ''."""
        if not root.is_dir():
            return {"": self.of_entry(root)}
        found = {}
        for folder, folders, files in os.walk(root):
            for name in (*folders, *files):
                path = Path(folder, name)
                found[path.relative_to(root).as_posix()] = self.of_entry(path)
        return found
