"""Removing what was made: of workloads and jobs, or deeply, of bases, runs and logs as well."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.folders import Folders
from hcc.runtime.workload.graph import State


def clean(folders: Folders, workloads: Sequence[Workload], deep: bool) -> list[str]:
    """Remove the images of workloads and their jobs; deeply, also those of their bases, and the
    results and logs of these workloads. Nothing in a workdir is touched. The names of what is
    gone."""
    if not folders.root.is_dir():
        return []
    names = {one.name for workload in workloads for one in workload.everyone()}
    stems = {workload.spec.path.stem for workload in workloads}
    if deep:
        for workload in workloads:
            for spec in (s for one in workload.everyone() for s in one.chain):
                names.add(spec.name)
    removed = []
    with folders.locked():
        places = [folders.image(name) for name in sorted(names)]
        if deep:
            for folder in (folders.runs, folders.logs):
                if folder.is_dir():
                    places += [p for p in sorted(folder.iterdir()) if _belongs(p.name, stems)]
        for place in places:
            if place.is_dir():
                shutil.rmtree(place)
            elif place.exists():
                place.unlink()
            else:
                continue
            removed.append(str(place))
        state = State.load(folders.state)
        _forget(state, names, deep)
        if deep:
            for name in names:
                state.names.pop(name, None)
        state.save()
    return removed


def _belongs(name: str, stems: set[str]) -> bool:
    """Whether a run or log, STEM-COMMAND-DATE..., is of one of the specifications."""
    commands = ("build", "launch", "test", "install")
    return any(name.startswith(f"{stem}-{command}-") for stem in stems for command in commands)


def _forget(state: State, names: set[str], deep: bool) -> None:
    for task in list(state.tasks):
        kind, _, rest = task.partition(":")
        if (deep or kind != "host-init") and rest.partition("/")[0] in names:
            del state.tasks[task]

