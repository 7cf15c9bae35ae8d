"""Archives in cpio's "newc" format, as Linux unpacks them into its first root file system.

An image is a chain of such archives, one a workload: the kernel unpacks archives that follow one
another into one tree, a later file over an earlier one. No mounting and no rights are needed to
write them, device nodes included. The same tree gives the same bytes: entries are sorted, belong
to root, have one fixed time and modes that do not depend on a umask.

The format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from hcc.isa.errors import FormatError

_MAGIC = b"070701"
_FIELDS = 13
_HEADER_SIZE = len(_MAGIC) + 8 * _FIELDS
_TRAILER = "TRAILER!!!"
_LARGEST = (1 << 32) - 1


@frozen
class Entry:
    """A file, folder, link or device; `content` is a link's target. `device` is (major, minor)."""

    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


Tree = dict[str, Entry]
"""Entries by path, without a leading slash."""


def folder() -> Entry:
    """A folder anyone may look into."""
    return Entry(stat.S_IFDIR | 0o755)


def file(content: bytes, executable: bool = False) -> Entry:
    """A file anyone may read."""
    return Entry(stat.S_IFREG | (0o755 if executable else 0o644), content)


def device(major: int, minor: int) -> Entry:
    """A character device."""
    return Entry(stat.S_IFCHR | 0o666, device=(major, minor))


def entry_of(path: Path) -> Entry:
    """The entry for something on disk; FormatError for what cannot be read or held in an image."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return Entry(stat.S_IFLNK | 0o777, os.fsencode(path.readlink()))
        if stat.S_ISDIR(status.st_mode):
            return folder()
        if stat.S_ISREG(status.st_mode):
            return file(path.read_bytes(), bool(status.st_mode & 0o111))
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    raise FormatError(f"{path}: an image holds files, folders and links, not this")


def with_parents(tree: Mapping[str, Entry]) -> Tree:
    """The tree, with the folders that its paths go through."""
    whole = dict(tree)
    for path in tree:
        for parent in parents(path):
            whole.setdefault(parent, folder())
    return whole


def parents(path: str) -> list[str]:
    """The folders that a path goes through, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def pack(tree: Mapping[str, Entry]) -> bytes:
    """The archive of a tree."""
    parts: list[bytes] = []
    for number, (path, entry) in enumerate(sorted(with_parents(tree).items()), 1):
        parts += _packed(path, entry, number)
    parts += _packed(_TRAILER, Entry(0), 0)
    size = sum(map(len, parts))
    parts.append(bytes(-size % 512))
    return b"".join(parts)


def _packed(path: str, entry: Entry, number: int) -> list[bytes]:
    name = os.fsencode(path) + b"\0"
    size = len(entry.content)
    if size > _LARGEST:
        raise FormatError(f"/{path}: a file of {size} bytes is more than an archive can hold")
    major, minor = entry.device
    links = 2 if entry.is_folder else 1
    fields = (number, entry.mode, 0, 0, links, 0, size, 0, 0, major, minor, len(name), 0)
    header = _MAGIC + b"".join(b"%08X" % f for f in fields)
    return [
        header,
        name,
        bytes(-(len(header) + len(name)) % 4),
        entry.content,
        bytes(-size % 4),
    ]


def unpack(archive: bytes, source: str) -> Tree:
    """The tree of one archive, or of several that follow one another."""
    tree: Tree = {}
    at = 0
    while at < len(archive):
        if archive[at] == 0:  # padding between archives
            at += 1
            continue
        header = archive[at : at + _HEADER_SIZE]
        if len(header) < _HEADER_SIZE or not header.startswith(_MAGIC):
            raise FormatError(f"{source}: not a cpio archive in newc format at byte {at}")
        try:
            fields = [int(header[6 + 8 * i : 14 + 8 * i], 16) for i in range(_FIELDS)]
        except ValueError as error:
            raise FormatError(f"{source}: damaged cpio header at byte {at}") from error
        mode, size, name_size = fields[1], fields[6], fields[11]
        name_at = at + _HEADER_SIZE
        content_at = name_at + name_size + -(_HEADER_SIZE + name_size) % 4
        end = content_at + size
        if end > len(archive) or not name_size:
            raise FormatError(f"{source}: cut off in the entry at byte {at}")
        path = os.fsdecode(archive[name_at : name_at + name_size - 1])
        at = end + -size % 4
        if path != _TRAILER:
            tree[path] = Entry(mode, archive[content_at:end], (fields[9], fields[10]))
    return tree


def merge(trees: Iterable[Mapping[str, Entry]]) -> Tree:
    """One tree of several, later ones over earlier ones, as the kernel unpacks them."""
    whole: Tree = {}
    for tree in trees:
        for path, entry in tree.items():
            if not entry.is_folder and path in whole and whole[path].is_folder:
                continue  # the kernel keeps a folder that is in a file's way
            whole[path] = entry
    return whole


def write_tree(tree: Mapping[str, Entry], root: Path) -> None:
    """Lay a tree out in an empty folder; device nodes, which need rights, are left out.

    FormatError for a path that leads out of the folder.
    """
    root.mkdir(parents=True, exist_ok=True)
    for path, entry in sorted(tree.items()):
        place = _inside(root, path)
        if entry.is_folder:
            place.mkdir(parents=True, exist_ok=True)
            continue
        if stat.S_ISCHR(entry.mode) or stat.S_ISBLK(entry.mode):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(entry.mode):
            place.symlink_to(relocated(path, os.fsdecode(entry.content)))
        else:
            place.write_bytes(entry.content)
            place.chmod(stat.S_IMODE(entry.mode))


def relocated(path: str, target: str) -> str:
    """A link's target that stays in the tree wherever the tree is laid out, as in a root folder:
    its own parent is itself."""
    home = os.path.dirname(path)  # noqa: PTH120
    climb = os.path.normpath(os.path.join(home, target))  # noqa: PTH118
    if not target.startswith("/") and climb.split("/")[0] != "..":
        return target
    inside = os.path.normpath(f"/{home}/{target}" if target[:1] != "/" else target)
    return os.path.relpath(inside.lstrip("/") or ".", home or ".")


def same(path: str, before: Entry | None, now: Entry) -> bool:
    """Whether an entry read back from a folder is what was laid out there."""
    if before is None or not stat.S_ISLNK(before.mode) or not stat.S_ISLNK(now.mode):
        return before == now
    return relocated(path, os.fsdecode(before.content)) == os.fsdecode(now.content)


def _inside(root: Path, path: str) -> Path:
    place = root / path
    if ".." in Path(path).parts or path.startswith("/"):
        raise FormatError(f"'{path}' leads out of the image")
    for parent in place.relative_to(root).parents:
        if (root / parent).is_symlink():
            raise FormatError(f"'{path}' leads through a link")
    return place


def read_tree(root: Path) -> Tree:
    """The tree of a folder."""
    tree: Tree = {}
    for folder_name, folders, files in os.walk(root):
        for name in sorted([*folders, *files]):
            place = Path(folder_name) / name
            tree[place.relative_to(root).as_posix()] = entry_of(place)
    return tree
