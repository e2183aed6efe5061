"""The place where an extractor is let loose on an archive, and what came of it."""

from __future__ import annotations

import os
import shutil

from support.trees import Tree, snapshot


class Arena:
    """`staging` is where an extractor works; everything beside it is the canary."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.canary = f"{root}/canary"
        self.staging = f"{root}/staging"
        self.archive = f"{root}/archive"
        os.makedirs(f"{self.canary}/inner")
        for name, text in (("victim", "untouched\n"), ("inner/other", "untouched too\n")):
            with open(f"{self.canary}/{name}", "w") as file:
                file.write(text)
        os.symlink("victim", f"{self.canary}/link")
        os.mkdir(self.staging, 0o700)

    def outside(self) -> Tree:
        """Return everything that nobody may touch."""
        tree = snapshot(self.root)
        top = "staging/"
        return {k: v for k, v in tree.items() if not k.startswith(top) and k != "archive"}

    def write(self, data: bytes) -> str:
        with open(self.archive, "wb") as file:
            file.write(data)
        return self.archive

    def clear(self) -> None:
        """Empty the staging directory."""
        shutil.rmtree(self.staging)
        os.mkdir(self.staging, 0o700)
