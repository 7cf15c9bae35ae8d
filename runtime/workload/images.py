"""A workload's image: the layers of its bases, and one layer of its own from overlay and files.

A layer is one cpio archive (`layer.cpio`); `image.json` lists the chain. Children do not copy
their bases' layers, and the same input gives the same bytes.

guest-init is a program run once in the tree of the layers so far; what it changes becomes part of
the layer. Since archives that follow one another can add and replace but not remove, a guest-init
that removes something makes its workload's layer hold everything, and the chain begin anew there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from hcc.isa.errors import FormatError, HccError
from hcc.isa.store import write_atomically
from hcc.runtime.workload import cpio
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.graph import Made, Task, TaskFailed
from hcc.runtime.workload.hashes import digest_bytes
from hcc.runtime.workload.places import SpecError
from hcc.runtime.workload.programs import HCC, Built, Program
from hcc.runtime.workload.workshop import Workshop

LAYER = "layer.cpio"
NOTE = "image.json"
KEPT = "kept.cpio"


@frozen
class Layer:
    """One archive of an image: whose it is, and its digest."""

    workload: str
    digest: str


@frozen
class Image:
    """The chain of layers of a workload's image, the oldest first."""

    layers: tuple[Layer, ...]

    @classmethod
    def load(cls, folder: Path) -> Image:
        """The image noted in a workload's folder."""
        content = json.loads((folder / NOTE).read_bytes())
        return cls(tuple(Layer(one["workload"], one["sha256"]) for one in content["layers"]))

    def archives(self, images: Path) -> list[bytes]:
        """The layers' bytes, checked against their digests."""
        found = []
        for layer in self.layers:
            path = images / layer.workload / LAYER
            try:
                content = path.read_bytes()
            except OSError as error:
                raise HccError(f"{path}: {error.strerror}: build the workload again") from error
            if digest_bytes(content) != layer.digest:
                raise HccError(f"{path}: altered since it was built: build the workload again")
            found.append(content)
        return found

    def tree(self, images: Path) -> cpio.Tree:
        """All layers as one tree."""
        archives = self.archives(images)
        return cpio.merge(
            cpio.unpack(a, str(images / layer.workload / LAYER))
            for a, layer in zip(archives, self.layers, strict=True)
        )


def task(
    workload: Workload, guest_init: Program | None, after: tuple[str, ...], shop: Workshop
) -> Task:
    """The task that makes a workload's layer."""
    return Task(
        f"image:{workload.name}",
        after,
        partial(_inputs, workload, guest_init, shop),
        partial(_make, workload, guest_init, shop),
    )


def _base_image(workload: Workload, shop: Workshop) -> Image:
    if workload.base is None:
        return Image(())
    return Image.load(shop.folders.image(workload.base.name))


def _inputs(
    workload: Workload, guest_init: Program | None, shop: Workshop, _notes: Mapping[str, Any]
) -> dict[str, str]:
    found: dict[str, str] = {}
    overlay = workload.own("overlay")
    if overlay is not None:
        root = workload.path("overlay", overlay)
        if not root.is_dir():
            raise SpecError(workload.place("overlay"), f"'overlay': {root} is no folder")
        if shop.folders.root.resolve().is_relative_to(root.resolve()):
            raise SpecError(
                workload.place("overlay"),
                f"'overlay': {root} holds {shop.folders.root}, where images are made",
            )
        for name, digest in shop.digests.of_tree(root).items():
            found[f"overlay {name}"] = digest
    for source, target in workload.own("files") or ():
        for name, digest in shop.digests.of_tree(workload.path("files", source)).items():
            found[f"file {source}/{name} at {target}"] = digest
    for number, layer in enumerate(_base_image(workload, shop).layers):
        found[f"layer {number} of {layer.workload}"] = layer.digest
    found["rootfs-size"] = str(workload.get("rootfs-size"))
    if guest_init is not None:
        built = Built.load(shop.folders.image(guest_init.owner), guest_init.name)
        found["guest-init"] = " ".join(workload.own("guest-init"))
        found["the program of guest-init"] = shop.digests.of_file(built.fat)
    return found


def _own_tree(workload: Workload, below: Mapping[str, cpio.Entry]) -> cpio.Tree:
    """What overlay and files put into the image; `below` tells which targets are folders."""
    tree: cpio.Tree = {}
    overlay = workload.own("overlay")
    if overlay is not None:
        tree |= _entries(workload, "overlay", workload.path("overlay", overlay))
    for source, target in workload.own("files") or ():
        path = workload.path("files", source)
        if ".." in target.split("/"):
            raise SpecError(workload.place("files"), f"'files': {target} leads out of the image")
        place = os.path.normpath(f"/{target}").strip("/")
        there = tree.get(place, below.get(place))
        into = target.endswith("/") or not place or (there is not None and there.is_folder)
        if into:
            place = f"{place}/{path.name}".lstrip("/")
        for name, entry in _entries(workload, "files", path).items():
            tree[f"{place}/{name}".rstrip("/")] = entry
    _check_folders(workload, tree, below)
    return tree


def _check_folders(
    workload: Workload, tree: Mapping[str, cpio.Entry], below: Mapping[str, cpio.Entry]
) -> None:
    """SpecError if something is to lie below what is no folder."""
    for path in tree:
        for parent in cpio.parents(path):
            entry = tree.get(parent, below.get(parent))
            if entry is not None and not entry.is_folder:
                key = "overlay" if workload.own("files") is None else "files"
                fact = f"/{path} lies below /{parent}, which is no folder"
                raise SpecError(workload.place(key), f"'{key}': {fact}")


def _entries(workload: Workload, key: str, path: Path) -> cpio.Tree:
    """What stands at a path that a key names: a folder's entries (and for files, itself as '')."""
    try:
        tree = cpio.read_tree(path) if path.is_dir() else {}
        return tree if key == "overlay" else {"": cpio.entry_of(path), **tree}
    except FormatError as error:
        raise SpecError(workload.place(key), f"'{key}': {error}") from error


def _make(workload: Workload, guest_init: Program | None, shop: Workshop) -> Made:
    base = _base_image(workload, shop)
    below = base.tree(shop.folders.images)
    tree = _own_tree(workload, below)
    layers = base.layers
    if guest_init is not None:
        whole = cpio.merge([below, cpio.with_parents(tree)])
        after = _run_guest_init(workload, guest_init, whole, shop)
        after = {p: whole[p] if cpio.same(p, whole.get(p), e) else e for p, e in after.items()}
        if set(whole) - set(after):
            layers, tree = (), after
        else:
            tree |= {p: e for p, e in after.items() if whole.get(p) != e}
    _check_size(workload, cpio.merge([below, tree]))
    archive = cpio.pack(tree)
    folder = shop.folders.image(workload.name)
    write_atomically(folder / LAYER, archive)
    layers = (*layers, Layer(workload.name, digest_bytes(archive)))
    note = {"layers": [{"workload": x.workload, "sha256": x.digest} for x in layers]}
    write_atomically(folder / NOTE, json.dumps(note, indent=2).encode() + b"\n")
    return Made((folder / LAYER, folder / NOTE))


def _check_size(workload: Workload, tree: Mapping[str, cpio.Entry]) -> None:
    limit = workload.get("rootfs-size")
    size = sum(len(entry.content) for entry in tree.values())
    if limit and size > limit:
        raise SpecError(
            workload.place("rootfs-size"),
            f"'rootfs-size': the image of {workload.name} holds {size} bytes, {size - limit} more "
            "than allowed",
        )


def _run_guest_init(
    workload: Workload, program: Program, tree: Mapping[str, cpio.Entry], shop: Workshop
) -> cpio.Tree:
    """The tree after guest-init has run in it."""
    built = Built.load(shop.folders.image(program.owner), program.name)
    with shop.children.scratch("guest-init") as scratch:
        root = scratch / "root"
        cpio.write_tree(tree, root)
        words = workload.own("guest-init")
        command = [*HCC, "run", "-E", "HCC_ROOT=.", str(built.fat.absolute()), "--", *words[1:]]
        status, said = shop.run(f"guest-init of {workload.name}", command, root, {})
        if status != 0:
            place = workload.spec.settings["guest-init"].place
            raise TaskFailed(
                f"{place}: guest-init of {workload.name} failed with status {status}\n{said}"
            )
        return cpio.read_tree(root)

