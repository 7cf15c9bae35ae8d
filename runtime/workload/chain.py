"""Inheritance: from a specification and its bases to workloads with every option settled.

A workload's chain is its oldest ancestor first, itself last. Each key has one rule (`schema`), and
an option remembers every setting that the chain has for it and what became of it: `explain`
prints that. Files named by an inherited setting belong to the folder of whoever set it.

A base is named by its file's name and looked for beside the target of the command, beside the
file that names it, then in the folders of --workdir, the last first. A name with a slash is a
path.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from hcc.isa.errors import FormatError
from hcc.runtime.workload.places import Place, SpecError, nearest
from hcc.runtime.workload.schema import BOARD_BASES, EXCLUSIVE, Key, Rule, all_keys
from hcc.runtime.workload.spec import Setting, Spec, Warn, load_spec

_KEYS = all_keys()
_SUFFIXES = (".yaml", ".yml", ".json")


@frozen
class Step:
    """One setting of an option in a chain, and whether it counts in the end."""

    owner: Spec
    setting: Setting
    effect: str


@frozen
class Option:
    """An option of a workload: its value, who set it last, and all that the chain says of it.

    `parts` pairs each piece of an appended value with the specification it came from.
    """

    value: Any
    owner: Spec | None
    place: Place | None
    steps: tuple[Step, ...] = ()
    parts: tuple[tuple[Any, Spec], ...] = ()


@define(eq=False)
class Workload:
    """A workload or a job, settled. `base` is the workload whose image its own begins with."""

    spec: Spec
    chain: tuple[Spec, ...]
    base: Workload | None
    workdirs: dict[int, Path]
    options: dict[str, Option]
    jobs: tuple[Workload, ...] = ()
    node: int | None = None
    nodes: int = 1
    resolved: dict[tuple[int, str], Path] = field(factory=dict)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def workdir(self) -> Path:
        return self.workdirs[id(self.spec)]

    def get(self, key: str) -> Any:
        """An option's value, the default where the chain says nothing."""
        return self.options[key].value

    def own(self, key: str) -> Any:
        """The value that the workload itself sets, or None."""
        setting = self.spec.settings.get(key)
        return None if setting is None else setting.value

    def place(self, key: str) -> Place:
        """Where an option was set; the workload's own beginning where nowhere."""
        return self.options[key].place or self.spec.place

    def path(self, key: str, text: str, owner: Spec | None = None) -> Path:
        """The file that a setting names: in its owner's workdir, else beside its specification."""
        owner = owner or self.options[key].owner or self.spec
        known = self.resolved.get((id(owner), text))
        if known is not None:
            return known
        folders = (self.workdirs[id(owner)], owner.path.parent)
        for folder in folders:
            if (folder / text).exists():
                found = self.resolved[id(owner), text] = folder / text
                return found
        place = owner.settings[key].place if key in owner.settings else owner.place
        looked = " or ".join(dict.fromkeys(map(str, folders)))
        raise SpecError(place, f"'{key}': there is no '{text}' in {looked}")

    def file(self, key: str, text: str) -> Path:
        """As `path`, where only a file will do."""
        path = self.path(key, text)
        if not path.is_file():
            raise SpecError(self.place(key), f"'{key}': {path} is no file")
        return path

    def everyone(self) -> list[Workload]:
        """The workload and its jobs."""
        return [self, *self.jobs]


@define
class Loader:
    """Loads targets with their bases; a file is read once. `folders` are those of --workdir."""

    folders: Sequence[Path] = ()
    warn: Warn = lambda _: None
    _specs: dict[Path, Spec] = field(factory=dict)
    _workloads: dict[Path, Workload] = field(factory=dict)
    _names: dict[str, Spec] = field(factory=dict)
    _workdirs: dict[int, Path] = field(factory=dict)

    def target(self, text: str) -> Workload:
        """The workload that a command names by a file's path, or by its name alone."""
        path = Path(text)
        if not path.is_file() and "/" not in text:
            path = next((f / text for f in reversed(self.folders) if (f / text).is_file()), path)
        if path.is_dir():
            raise FormatError(f"{text}: is a folder, not a specification")
        return self._workload(path, path.parent, ())

    def _spec(self, path: Path) -> Spec:
        real = path.resolve()
        if real not in self._specs:
            self._specs[real] = load_spec(path, str(path), self.warn)
        return self._specs[real]

    def _workload(self, path: Path, target_dir: Path, below: tuple[Spec, ...]) -> Workload:
        real = path.resolve()
        if real in self._workloads:
            return self._workloads[real]
        spec = self._spec(path)
        if spec in below:
            names = [Path(s.label).name for s in below[below.index(spec) :]]
            place = below[-1].settings["base"].place
            raise SpecError(place, f"'base' goes in a circle: {' -> '.join([*names, names[0]])}")
        self._claim(spec)
        base = self._base(spec, target_dir, (*below, spec))
        self._workdirs[id(spec)] = _workdir(spec)
        root = self._workloads[real] = self._settled(spec, base)
        jobs = []
        for job in spec.jobs:
            self._claim(job)
            self._workdirs[id(job)] = root.workdir
            other = self._base(job, target_dir, (*below, spec, job))
            jobs.append(self._settled(job, other or root))
        root.jobs = tuple(jobs)
        for number, one in enumerate(jobs):
            one.node, one.nodes = number, len(jobs)
        return root

    def _claim(self, spec: Spec) -> None:
        """A name stands for one workload only: what is made is called by it."""
        other = self._names.setdefault(spec.name, spec)
        if other is not spec:
            place = spec.settings["name"].place
            raise SpecError(
                place,
                f"a second workload named '{spec.name}': {other.settings['name'].place} has one",
            )

    def _base(self, spec: Spec, target_dir: Path, below: tuple[Spec, ...]) -> Workload | None:
        setting = spec.settings.get("base")
        if setting is None:
            return None
        text: str = setting.value
        near = spec.path.parent
        folders = [near] if "/" in text else [target_dir, near, *reversed(self.folders)]
        for name in (text, *(text + suffix for suffix in _SUFFIXES)):
            for folder in folders:
                if (folder / name).is_file():
                    return self._workload(folder / name, target_dir, below)
        raise SpecError(setting.place, _no_base(text, folders))

    def _settled(self, spec: Spec, base: Workload | None) -> Workload:
        chain = (*(base.chain if base else ()), spec)
        workload = Workload(spec, chain, base, self._workdirs, {})
        for name, key in _KEYS.items():
            workload.options[name] = settle(chain, name, key)
        return workload


def _workdir(spec: Spec) -> Path:
    """The folder that paths of a specification are relative to: what `workdir` says, else the
    folder named like the file (or like the workload), else the file's own."""
    near = spec.path.parent
    setting = spec.settings.get("workdir")
    if setting is not None:
        folder = near / str(setting.value)
        if not folder.is_dir():
            raise SpecError(setting.place, f"'workdir': {folder} is no folder")
        return folder
    for name in (spec.path.stem, spec.name):
        if (near / name).is_dir():
            return near / name
    return near


def _no_base(text: str, folders: Sequence[Path]) -> str:
    unique = list(dict.fromkeys(folders))
    looked = ", ".join(str(f) for f in unique)
    if Path(text).stem in BOARD_BASES:
        return (
            f"base '{text}' is one of FireMarshal's boards: hcc has none, leave 'base' out to "
            "begin with an empty image"
        )
    there = [p.name for f in unique if f.is_dir() for p in f.iterdir() if p.suffix in _SUFFIXES]
    return f"base '{text}' is not in {looked}{nearest(text, there)}"


def settle(chain: Sequence[Spec], name: str, key: Key) -> Option:
    """A key's value at the end of a chain, by its rule."""
    given = [(spec, spec.settings[name]) for spec in chain if name in spec.settings]
    leaf = chain[-1]
    if key.rule is Rule.OWN:
        steps = tuple(Step(s, x, "set" if s is leaf else key.rule.value) for s, x in given)
        own = leaf.settings.get(name)
        if own is None:
            return Option(key.default, None, None, steps)
        return Option(own.value, leaf, own.place, steps)
    rivals = [k for group in EXCLUSIVE if name in group for k in group if k != name]
    dropped = max((i for i, s in enumerate(chain) for k in rivals if k in s.settings), default=-1)
    live = [(s, x) for s, x in given if chain.index(s) > dropped]
    if not live:
        steps = tuple(Step(s, x, "dropped for another key") for s, x in given)
        return Option(key.default, None, None, steps)
    owner, last = live[-1]
    match key.rule:
        case Rule.APPEND:
            parts = tuple((part, s) for s, x in live for part in x.value)
            value: Any = tuple(part for part, _ in parts)
            effects = ["set", *["added behind"] * len(live)]
        case Rule.MERGE:
            value, parts = _merged(live)
            effects = ["set", *["merged"] * len(live)]
        case _:
            value, parts = last.value, ()
            effects = ["overridden"] * (len(live) - 1) + ["set"]
    gone = ["dropped for another key"] * (len(given) - len(live))
    steps = tuple(Step(s, x, e) for (s, x), e in zip(given, gone + effects, strict=False))
    return Option(value, owner, last.place, steps, parts)


def _merged(live: Sequence[tuple[Spec, Setting]]) -> tuple[Any, tuple[tuple[Any, Spec], ...]]:
    value: dict[str, Any] = {}
    owners: dict[str, Spec] = {}
    for spec, setting in live:
        for entry, content in setting.value.items():
            value.pop(entry, None)
            if content is not None:
                value[entry] = content
                owners[entry] = spec
    return value, tuple((entry, owners[entry]) for entry in value)
