"""mem* and str* against glibc's, at every alignment and around word boundaries."""

from __future__ import annotations

import ctypes
import random
from typing import Any

import pytest

SIZE = 160


def sign(n: int) -> int:
    return (n > 0) - (n < 0)


def text_of(rng: random.Random, alphabet: bytes = b"ab", longest: int = 60) -> bytes:
    return bytes(rng.choice(alphabet) for _ in range(rng.randrange(longest)))


@pytest.mark.parametrize("name", ["memcpy", "memmove"])
def test_copies(name: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random) -> None:
    for _ in range(5000):
        content = rng.randbytes(SIZE)
        n = rng.randrange(SIZE // 2)
        source, target = rng.randrange(SIZE - n), rng.randrange(SIZE - n)
        if name == "memcpy" and abs(source - target) < n:
            continue
        results = []
        for lib in (theirs, ours):
            buffer = ctypes.create_string_buffer(content, SIZE)
            at = ctypes.addressof(buffer)
            getattr(lib, name)(
                ctypes.c_void_p(at + target), ctypes.c_void_p(at + source), ctypes.c_size_t(n)
            )
            results.append(buffer.raw)

        assert results[0] == results[1], (n, source, target)


def test_fill(ours: ctypes.CDLL, rng: random.Random) -> None:
    for _ in range(2000):
        content = rng.randbytes(SIZE)
        n = rng.randrange(SIZE)
        start = rng.randrange(SIZE - n)
        byte = rng.randrange(-200, 500)
        buffer = ctypes.create_string_buffer(content, SIZE)
        expected = content[:start] + bytes([byte & 255]) * n + content[start + n :]

        address = ctypes.c_void_p(ctypes.addressof(buffer) + start)
        ours.memset(address, ctypes.c_int(byte), ctypes.c_size_t(n))

        assert expected == buffer.raw


def pair_at_random_places(
    rng: random.Random, a: bytes, b: bytes
) -> tuple[ctypes.Array[ctypes.c_char], ctypes.c_void_p, ctypes.c_void_p]:
    room = len(a) + len(b) + 40
    buffer = ctypes.create_string_buffer(b"\xee" * room, room)
    first, second = rng.randrange(9), len(a) + 10 + rng.randrange(9)
    base = ctypes.addressof(buffer)
    ctypes.memmove(base + first, a, len(a))
    ctypes.memmove(base + second, b, len(b))
    return buffer, ctypes.c_void_p(base + first), ctypes.c_void_p(base + second)


@pytest.mark.parametrize(
    ("name", "counted"),
    [("memcmp", True), ("bcmp", True), ("strcmp", False), ("strncmp", True),
     ("strcasecmp", False), ("strncasecmp", True), ("strcoll", False)],
)  # fmt: skip
def test_comparisons(
    name: str, counted: bool, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for _ in range(3000):
        a = text_of(rng, b"aB\xff")
        b = a if rng.random() < 0.5 else a[: rng.randrange(len(a) + 1)] + text_of(rng, b"aAb\x80")
        n = rng.randrange(min(len(a), len(b)) + 1)
        keep, p, q = pair_at_random_places(rng, a + b"\0", b + b"\0")
        count = [ctypes.c_size_t(n)] if counted else []
        expected, actual = getattr(theirs, name)(p, q, *count), getattr(ours, name)(p, q, *count)

        if name == "bcmp":
            assert (expected == 0) == (actual == 0)
        else:
            assert sign(expected) == sign(actual), (a, b, n)
        del keep


SEARCHES: list[tuple[str, str]] = [
    ("strchr", "c"), ("strrchr", "c"), ("strchrnul", "c"), ("strspn", "s"), ("strcspn", "s"),
    ("strpbrk", "s"), ("strstr", "s"), ("strlen", ""), ("memchr", "cn"), ("memrchr", "cn"),
    ("strnlen", "n"), ("index", "c"), ("rindex", "c"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kinds"), SEARCHES)
def test_searches(
    name: str, kinds: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for lib in (ours, theirs):
        getattr(lib, name).restype = ctypes.c_void_p
    for _ in range(3000):
        text = text_of(rng, b"abc", rng.choice([20, 200]))
        needle = text_of(rng, b"abc", 5)
        keep, p, q = pair_at_random_places(rng, text + b"\0", needle + b"\0")
        n = rng.randrange(len(text) + 2)
        choices: dict[str, Any] = {
            "c": ctypes.c_int(rng.choice(b"abcd\0")),
            "s": q,
            "n": ctypes.c_size_t(n),
        }
        args = [choices[kind] for kind in kinds]

        assert getattr(theirs, name)(p, *args) == getattr(ours, name)(p, *args), (text, needle, n)
        del keep


@pytest.mark.parametrize("name", ["strcpy", "strncpy", "stpcpy", "strcat", "strncat"])
def test_copies_of_strings(
    name: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for lib in (ours, theirs):
        getattr(lib, name).restype = ctypes.c_void_p
    for _ in range(2000):
        text, before = text_of(rng), text_of(rng)
        n = [ctypes.c_size_t(rng.randrange(80))] if name.startswith("strn") else []
        results = []
        for lib in (theirs, ours):
            buffer = ctypes.create_string_buffer(before, 200)
            end = getattr(lib, name)(buffer, text, *n)
            results.append((buffer.raw, end - ctypes.addressof(buffer)))

        assert results[0] == results[1]


def test_tokens(ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random) -> None:
    for lib in (ours, theirs):
        lib.strtok.restype = ctypes.c_char_p
    for _ in range(500):
        text = text_of(rng, b"ab,; ")
        results = []
        for lib in (theirs, ours):
            buffer = ctypes.create_string_buffer(text)
            tokens = [lib.strtok(buffer, b",; ")]
            while tokens[-1] is not None:
                tokens.append(lib.strtok(None, b",; "))
            results.append((tokens, buffer.raw))

        assert results[0] == results[1], text


def test_long_needles_are_found(ours: ctypes.CDLL) -> None:
    ours.memmem.restype = ctypes.c_void_p
    needle = b"ab" * 200 + b"c"
    for gap in (0, 1, 255, 256, 1000):
        text = ctypes.create_string_buffer(b"ab" * 300 + b"x" * gap + needle + b"ab" * 9)
        n = ctypes.c_size_t(len(text) - 1)

        found = ours.memmem(text, n, needle, ctypes.c_size_t(len(needle)))

        assert text.raw.find(needle) == found - ctypes.addressof(text)


@pytest.mark.parametrize(
    "name",
    ["isalnum", "isalpha", "isblank", "iscntrl", "isdigit", "isgraph", "islower", "isprint",
     "ispunct", "isspace", "isupper", "isxdigit", "tolower", "toupper"],
)  # fmt: skip
def test_characters(name: str, ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    for c in range(-1, 256):
        expected, actual = getattr(theirs, name)(c), getattr(ours, name)(c)

        assert (expected == actual) if name[:2] == "to" else bool(expected) == bool(actual), c


@pytest.mark.parametrize("number", [*range(41), 75, 84, 95, 110, 12345, -7])
def test_words_for_errors(number: int, ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    for lib in (ours, theirs):
        lib.strerror.restype = ctypes.c_char_p

    assert theirs.strerror(number) == ours.strerror(number)
