"""What a workload's specification may say: every key, its type and how it is inherited, as data.

The keys of FireMarshal have the types and rules that its manual gives them; docs/workload.md
lists where its code does otherwise. A map's keys are keys of their own, called `map.key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from typing import Any

from attrs import field, frozen

from hcc.isa.fatbinary import ARCHITECTURES

LEVELS = ("interp", "jit", "user", "native", "system")


@unique
class Rule(Enum):
    """What becomes of a base's value. The value says it in words."""

    OWN = "not inherited"
    OVERRIDE = "replaces the base's"
    APPEND = "is added behind the base's"
    MERGE = "is merged into the base's, null removes"


@unique
class Kind(Enum):
    """The type of a value. The value says what is expected."""

    STRING = "a string"
    NAME = "a name (at most 100 letters, digits and . _ + -)"
    PATH = "a path"
    PATH_OR_NULL = "a path or null"
    COMMAND = "a command line"
    WORDS = "a list of words, or one string of them"
    PATHS = "a path or a list of paths"
    PAIRS = "a list of [source, destination] pairs"
    BOOL = "true or false"
    COUNT = "a whole number from 1"
    NATURAL = "a whole number from 0"
    SECONDS = "a number of seconds"
    NUMBER = "a number from 0"
    SIZE = "a size, like 4GiB"
    MEGABYTES = "a size, like 512MiB, or a number of MiB"
    STATUS = "an exit status (0 to 255) or any"
    CHOICES = "a list"
    CHOICE = "a word"
    STRING_MAP = "a map of strings"
    PATH_MAP = "a map of paths"
    KERNEL = "a path, or a map from ISA to path"
    PATTERNS = "a pattern, a list of them, or a map from file to those"
    MAP = "a map"
    JOBS = "a list of maps"
    ANYTHING = "anything"


@frozen
class Key:
    """One key. `short` is the key below a map that a plain value stands for."""

    kind: Kind
    rule: Rule
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(factory=dict)
    short: str | None = None


_OWN, _OVER, _APPEND, _MERGE = Rule.OWN, Rule.OVERRIDE, Rule.APPEND, Rule.MERGE

_TESTING = {
    "refDir": Key(Kind.PATH, _OWN, "folder of reference results"),
    "buildTimeout": Key(Kind.SECONDS, _OWN, "longest time to build"),
    "runTimeout": Key(Kind.SECONDS, _OWN, "longest time for each job to run"),
    "strip": Key(Kind.BOOL, _OWN, "compare only what the program printed", True),
    "log": Key(
        Kind.CHOICE, _OWN, "how the reference's log lines must occur", "contiguous",
        ("contiguous", "ordered", "exact"),
    ),
    "match": Key(Kind.PATTERNS, _OWN, "regular expressions that must be found"),
    "absent": Key(Kind.PATTERNS, _OWN, "regular expressions that must not be found"),
    "tolerance": Key(
        Kind.MAP, _OWN, "how far numbers may be off the reference's", short="relative",
        keys={
            "relative": Key(Kind.NUMBER, _OWN, "relative to the reference", 0.0),
            "absolute": Key(Kind.NUMBER, _OWN, "absolutely", 0.0),
        },
    ),
    "exit": Key(Kind.STATUS, _OWN, "exit status that each job must end with", 0),
}  # fmt: skip

_LINUX = {
    "source": Key(Kind.KERNEL, _OVER, "kernel image to boot instead of Debian's"),
    "config": Key(Kind.PATHS, _APPEND, "kernel configuration fragments"),
    "modules": Key(Kind.PATH_MAP, _MERGE, "kernel modules to build"),
}

_FIRMWARE = {
    "opensbi-src": Key(Kind.PATH, _OVER, "OpenSBI image to boot RISC-V with"),
    "opensbi-build-args": Key(Kind.WORDS, _APPEND, "arguments to OpenSBI's make"),
}

_MIGRATE = {
    "plan": Key(Kind.STRING, _OVER, "as `hcc run --migrate`"),
    "seed": Key(Kind.NATURAL, _OVER, "seed of a random plan", 0),
    "poison": Key(Kind.BOOL, _OVER, "overwrite what a move leaves behind", False),
}

_FIRESIM = {
    "simulation_inputs": Key(Kind.PATHS, _OWN, "files FireSim is to send along"),
    "simulation_outputs": Key(Kind.PATHS, _OWN, "files FireSim is to bring back"),
}

KEYS: Mapping[str, Key] = {
    "name": Key(Kind.NAME, _OWN, "name of the workload and of what is made for it"),
    "base": Key(Kind.STRING, _OWN, "specification to inherit from"),
    "workdir": Key(Kind.PATH, _OWN, "folder that paths are relative to"),
    "sources": Key(Kind.PATHS, _OVER, "C sources, compiled by hcc into the workload's program"),
    "flags": Key(Kind.WORDS, _OVER, "options of `hcc compile` (-O, -I, -D, --points)", ()),
    "isas": Key(
        Kind.CHOICES, _OVER, "ISAs to compile for and run on", ARCHITECTURES, ARCHITECTURES,
    ),
    "levels": Key(Kind.CHOICES, _OVER, "what to run on", ("jit",), LEVELS),
    "args": Key(Kind.WORDS, _OVER, "arguments of the program", ()),
    "stdin": Key(Kind.PATH, _OVER, "file that is the program's standard input"),
    "env": Key(Kind.STRING_MAP, _MERGE, "environment of the program"),
    "migrate": Key(Kind.MAP, _OVER, "how to move the program", keys=_MIGRATE, short="plan"),
    "pim": Key(Kind.PATH, _OVER, "PIM memory, as `hcc run --pim`: a file or a name"),
    "lebug": Key(Kind.PATHS, _OVER, "instrumentation firmware, as `hcc run --lebug`"),
    "engine-args": Key(Kind.WORDS, _OVER, "more options of `hcc run` (interp and jit)", ()),
    "deps": Key(Kind.PATHS, _OWN, "files that host-init and post-bin read"),
    "host-init": Key(Kind.COMMAND, _OWN, "program to run on the host before the build"),
    "post-bin": Key(Kind.COMMAND, _OWN, "program to run on the host after compiling"),
    "guest-init": Key(Kind.COMMAND, _OWN, "program to run in the image once, when it is built"),
    "run": Key(Kind.COMMAND, _OWN, "program (a file of the workdir) to run, with arguments"),
    "command": Key(Kind.COMMAND, _OWN, "program of the image to run, with arguments"),
    "overlay": Key(Kind.PATH, _OWN, "folder laid over the image"),
    "files": Key(Kind.PAIRS, _OWN, "files copied into the image"),
    "outputs": Key(Kind.PATHS, _OVER, "files of the guest to bring back", ()),
    "jobs": Key(Kind.JOBS, _OWN, "variants of the workload, run side by side"),
    "launch": Key(Kind.BOOL, _OVER, "whether launch and test run it", True),
    "bin": Key(Kind.PATH, _OVER, "fat binary to run instead of compiling one"),
    "qemu": Key(Kind.PATH_OR_NULL, _OVER, "qemu-system to use, null for none", ""),
    "qemu-args": Key(Kind.WORDS, _OVER, "more arguments of qemu-system", ()),
    "cpus": Key(Kind.COUNT, _OVER, "CPUs of the system level's machine", 1),
    "mem": Key(Kind.MEGABYTES, _OVER, "memory of the system level's machine", 512 << 20),
    "rootfs-size": Key(Kind.SIZE, _OVER, "largest image allowed, 0 for any", 0),
    "post_run_hook": Key(Kind.COMMAND, _OVER, "program to run on the folder of results"),
    "linux": Key(Kind.MAP, _OVER, "the kernel of the system level", keys=_LINUX),
    "firmware": Key(Kind.MAP, _OVER, "the firmware of the system level", keys=_FIRMWARE),
    "testing": Key(Kind.MAP, _OWN, "what `test` compares", keys=_TESTING),
    "firesim": Key(Kind.MAP, _OWN, "for `install -t firesim` only", keys=_FIRESIM),
}  # fmt: skip

# Keys of FireMarshal for things that hcc does not have: said, and passed over.
WITHOUT_EFFECT = {
    "distro": "hcc builds no distribution: an image holds what the workload puts there",
    "spike": "hcc has no Spike",
    "spike-args": "hcc has no Spike",
    "nodisk": "images are loaded into memory always",
    "out-dir": "say --out on the command line",
}

# Keys whose loss would change what is run.
REFUSED = {
    "img": "an image is made of overlay and files",
    "linux-src": "it is called linux.source now",
    "linux-config": "it is called linux.config now",
    "isDistro": "hcc has no distributions",
    "builder": "hcc has no distributions",
    "simulation_inputs": "it belongs below 'firesim'",
    "simulation_outputs": "it belongs below 'firesim'",
}

# Of these, only one may be set; to set one drops what a base set of the others.
EXCLUSIVE = (("sources", "bin"), ("run", "command"))

# A base of a FireMarshal board that somebody may ask for.
BOARD_BASES = ("br-base", "fedora-base", "ubuntu-base", "bare-base", "br", "fedora", "bare")


def all_keys(keys: Mapping[str, Key] = KEYS, prefix: str = "") -> dict[str, Key]:
    """Every key that can be set, those of maps by their dotted names."""
    found: dict[str, Key] = {}
    for name, key in keys.items():
        if key.kind is Kind.MAP:
            found |= all_keys(key.keys, f"{prefix}{name}.")
        else:
            found[prefix + name] = key
    return found
