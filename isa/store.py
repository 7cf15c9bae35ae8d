"""An on-disk store of derived bytes, keyed by a digest of everything they were derived from.

Compiled library units, JIT code and parser tables are kept here between runs. An entry is written
to a temporary file and renamed, so readers see all of it or nothing; it carries a checksum, and
one that does not match is treated as absent. Losing the store loses time only.

The folder is $HCC_CACHE_DIR, else $XDG_CACHE_HOME/hcc, else ~/.cache/hcc. Once a day, whoever
writes removes the entries that were used least recently, as far as there is more than
$HCC_CACHE_SIZE MiB (else 2 GiB).
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hcc.isa.errors import HccError

_DIGEST_SIZE = 32
_USUAL_SIZE = 2048
"""MiB that the store may hold unless $HCC_CACHE_SIZE says otherwise."""
_STAMP = "pruned"
_DAY = 24 * 3600


def store_dir() -> Path:
    """The folder of the store; it need not exist."""
    own = os.environ.get("HCC_CACHE_DIR")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base) / "hcc" if base else Path.home() / ".cache" / "hcc"


def digest_of(parts: Iterable[bytes]) -> str:
    """A key for the given inputs: their SHA-256, each part set off by its length."""
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()


def _path(kind: str, key: str) -> Path:
    return store_dir() / kind / key[:2] / key[2:]


def fetch(kind: str, key: str) -> bytes | None:
    """The entry of a kind and key, or None if there is none or it is damaged."""
    _most_bytes()  # a wrong setting is refused before anything is done
    try:
        content = _path(kind, key).read_bytes()
    except OSError:
        return None
    body = content[_DIGEST_SIZE:]
    return body if content[:_DIGEST_SIZE] == hashlib.sha256(body).digest() else None


def keep(kind: str, key: str, body: bytes) -> None:
    """Store an entry. A folder that cannot be written to is no error: the store is optional."""
    path = _path(kind, key)
    try:
        write_atomically(path, hashlib.sha256(body).digest() + body)
    except HccError:
        return
    with suppress(OSError):
        _prune_daily()


def _prune_daily() -> None:
    stamp = store_dir() / _STAMP
    try:
        if time.time() - stamp.stat().st_mtime < _DAY:
            return
    except FileNotFoundError:
        stamp.touch()  # a new store has a day before anybody looks
        return
    stamp.touch()
    prune(_most_bytes())


def _most_bytes() -> int:
    size = os.environ.get("HCC_CACHE_SIZE") or str(_USUAL_SIZE)
    if not (size.isascii() and size.isdecimal()):
        raise HccError(f"HCC_CACHE_SIZE is '{size}', not a number of MiB")
    return int(size) << 20


def prune(most: int) -> None:
    """Remove the entries used least recently until the store holds at most so many bytes.

    What else lies in the folder (kernels, the peers of benchmarks) is left alone.
    """
    entries = []
    for path in store_dir().glob("*/[0-9a-f][0-9a-f]/*"):
        with suppress(FileNotFoundError):  # another process may be at it too
            about = path.stat()
            entries.append((max(about.st_atime, about.st_mtime), about.st_size, path))
    held = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if held <= most:
            break
        path.unlink(missing_ok=True)
        held -= size


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file's content as one step, making its folder if need be.

    A link is followed; a device, pipe or socket is written to, for it must not be replaced by a
    file. HccError says what stands in the way.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content, mode)
    except OSError as error:
        raise HccError(f"{path}: cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes, mode: int) -> None:
    import tempfile  # which runs that find all they want need not wait for

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode & ~_umask())  # noqa: PTH101
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
