"""One specification as it stands in its file: checked settings with their places, no inheritance.

A job is a specification within another's file. `base` is only named here; `chain` follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from hcc.runtime.workload.documents import KeyedValue, Value, load
from hcc.runtime.workload.places import Place, SpecError, nearest
from hcc.runtime.workload.schema import (
    EXCLUSIVE,
    KEYS,
    REFUSED,
    WITHOUT_EFFECT,
    Key,
    Kind,
)
from hcc.runtime.workload.values import convert

Warn = Callable[[str], None]


@frozen
class Setting:
    """A key's value, and where the key stands."""

    value: Any
    place: Place


@frozen
class Spec:
    """A file's specification, or a job's. Settings are by dotted key; `label` says which it is."""

    name: str
    path: Path
    place: Place
    settings: Mapping[str, Setting]
    jobs: tuple[Spec, ...] = ()
    job: str | None = None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.place.file} (job {self.job})" if self.job else self.place.file


def load_spec(path: Path, name: str | None = None, warn: Warn = lambda _: None) -> Spec:
    """Read and check a file; SpecError names the place of what is wrong. Warnings go to `warn`."""
    document = load(path, name)
    return _spec(document, path, None, warn)


def _spec(document: Value, path: Path, parent: str | None, warn: Warn) -> Spec:
    what = "a workload" if parent is None else "a job"
    if not isinstance(document.content, dict):
        raise SpecError(document.place, f"{what} is a map, not {document.kind}")
    settings: dict[str, Setting] = {}
    _collect(document.content, KEYS, "", settings, warn)
    if "name" not in settings:
        raise SpecError(document.place, f"{what} needs a 'name'")
    for group in EXCLUSIVE:
        given = [key for key in group if key in settings]
        if len(given) > 1:
            first, second = sorted(given, key=lambda k: settings[k].place.line)
            raise SpecError(
                settings[second].place,
                f"'{second}' excludes '{first}', which line {settings[first].place.line} gives",
            )
    job = None if parent is None else str(settings["name"].value)
    name = f"{parent}-{job}" if parent is not None else str(settings["name"].value)
    jobs: tuple[Spec, ...] = ()
    entry = document.content.get("jobs")
    if entry is not None:
        if parent is not None:
            raise SpecError(entry.key_place, "a job cannot have jobs of its own")
        jobs = _jobs(entry, path, name, warn)
    return Spec(name, path, document.place, settings, jobs, job)


def _jobs(entry: KeyedValue, path: Path, parent: str, warn: Warn) -> tuple[Spec, ...]:
    if not isinstance(entry.value.content, tuple):
        raise SpecError(entry.value.place, f"'jobs' takes a list of maps, not {entry.value.kind}")
    jobs = tuple(_spec(item, path, parent, warn) for item in entry.value.content)
    seen: dict[str, Place] = {}
    for job in jobs:
        assert job.job is not None
        place = job.settings["name"].place
        if job.job in seen:
            raise SpecError(
                place, f"a second job named '{job.job}', after that of line {seen[job.job].line}"
            )
        seen[job.job] = place
    return jobs


def _collect(
    entries: Mapping[str, KeyedValue],
    keys: Mapping[str, Key],
    prefix: str,
    settings: dict[str, Setting],
    warn: Warn,
) -> None:
    """Put the settings of a map under their dotted names."""
    for name, entry in entries.items():
        key = keys.get(name)
        if key is None:
            _unknown(name, entry, keys, prefix, warn)
        elif key.kind is Kind.MAP:
            _collect_map(prefix + name, key, entry, settings, warn)
        elif key.kind is not Kind.JOBS:
            value = convert(prefix + name, key, entry.value)
            settings[prefix + name] = Setting(value, entry.key_place)


def _collect_map(
    name: str, key: Key, entry: KeyedValue, settings: dict[str, Setting], warn: Warn
) -> None:
    if isinstance(entry.value.content, dict):
        _collect(entry.value.content, key.keys, f"{name}.", settings, warn)
        # That the map is there says something even when it is empty.
        settings.setdefault(name, Setting(True, entry.key_place))
    elif key.short is not None:
        value = convert(name, key.keys[key.short], entry.value)
        settings[f"{name}.{key.short}"] = Setting(value, entry.key_place)
    else:
        raise SpecError(entry.value.place, f"'{name}' takes a map, not {entry.value.kind}")


def _unknown(
    name: str, entry: KeyedValue, keys: Mapping[str, Key], prefix: str, warn: Warn
) -> None:
    if not prefix and name in WITHOUT_EFFECT:
        warn(f"{entry.key_place}: '{name}' has no effect: {WITHOUT_EFFECT[name]}")
        return
    if not prefix and name in REFUSED:
        raise SpecError(entry.key_place, f"'{name}' is not supported: {REFUSED[name]}")
    where = f" in '{prefix.rstrip('.')}'" if prefix else ""
    raise SpecError(entry.key_place, f"unknown key '{name}'{where}{nearest(name, keys)}")
