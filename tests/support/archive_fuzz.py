"""Mutated archives against GNU tar: the extractor refuses, or makes the same tree."""

from __future__ import annotations

import os
import random
import shutil
import zlib

from bubble.model.errors import BubbleError
from bubble.system.archive import Extracted, extract
from support import tarbuild as t
from support.archive_arena import Arena
from support.archive_mutations import mutated, mutated_bytes, seeds
from support.trees import Tree, gnu_tar, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Fuzz:
    """A run: `case(seed)` makes one archive, gives it to the extractor, and asks the oracle.

    `root` is an empty scratch directory. `counts` tells what came of the cases.
    """

    def __init__(self, root: str, unpack: Callable[[str, str], Extracted] = extract) -> None:
        os.makedirs(f"{root}/arena")
        os.mkdir(f"{root}/oracle")
        self._arena = Arena(f"{root}/arena")
        self._oracle = f"{root}/oracle"
        self._outside = self._arena.outside()
        self._unpack = unpack
        self._seeds = seeds()
        self.counts = {"refused": 0, "same": 0, "unanswered": 0}

    def case(self, number: int) -> None:
        """Try the case of this number; raise AssertionError, which names it, if it fails."""
        chance = random.Random(number)
        tar = chance.choice(self._seeds)
        suffix = chance.choice(["tar.gz", "tar.gz", "tar.gz", "tar.zst"])
        if chance.random() < 0.1:
            packed = mutated_bytes(chance, t.COMPRESS[suffix](tar))
        else:
            tar = mutated(chance, tar, self._seeds)
            packed = t.COMPRESS[suffix](tar)
        try:
            self._try(tar, packed)
        except Exception as error:
            raise AssertionError(f"fuzz case {number} ({suffix}): {error!r}") from error

    def _try(self, tar: bytes, packed: bytes) -> None:
        arena = self._arena
        try:
            done = self._unpack(arena.write(packed), arena.staging)
        except BubbleError as error:
            if error.kind != "archive" or not error.message.isprintable():
                raise
            self.counts["refused"] += 1
        else:
            self._compare(tar, done)
        finally:
            arena.clear()
        assert arena.outside() == self._outside, "something outside of the staging changed"

    def _compare(self, tar: bytes, done: Extracted) -> None:
        found = snapshot(self._arena.staging)
        told = {entry.path: (entry.kind, entry.size, entry.crc32) for entry in done.entries}
        assert told == facts(self._arena.staging, found), "the entries are not what is there"
        assert len(told) == len(done.entries), "an entry comes twice"
        with open(f"{self._oracle}.tar", "wb") as file:
            file.write(tar)
        try:
            complaint = gnu_tar(f"{self._oracle}.tar", self._oracle)
            made = snapshot(self._oracle, normal=True)  # and removable from here on
            if "Permission denied" in complaint:  # a directory's mode, and this user isn't root
                self.counts["unanswered"] += 1
                return
            expected = below_top(made, done.layout)
        finally:
            shutil.rmtree(self._oracle)
            os.mkdir(self._oracle)
        differs = sorted(set(found.items()) ^ set(expected.items()))[:4]
        assert not differs, f"GNU tar ({complaint[:200]!r}) makes another tree: {differs}"
        self.counts["same"] += 1


def below_top(tree: Tree, layout: str) -> Tree:
    """Return the part of GNU tar's tree that the extractor writes, relative to it.

    `whole` is the layout of extractors that strip nothing.
    """
    if layout == "whole":
        return tree
    tops = {path for path in tree if "/" not in path}
    assert len(tops) == 1, f"tops: {tops}"
    top = "python/install/" if layout == "full" else f"{tops.pop()}/"
    return {path[len(top) :]: value for path, value in tree.items() if path.startswith(top)}


def facts(root: str, tree: Tree) -> dict[str, tuple[str, int, int]]:
    """Return kind, size and CRC of everything in a tree, by reading it again."""
    found = {}
    for path, (kind, _, _) in tree.items():
        size = crc = 0
        if kind == "file":
            with open(f"{root}/{path}", "rb") as file:
                data = file.read()
            size, crc = len(data), zlib.crc32(data)
        found[path] = (kind, size, crc)
    return found
