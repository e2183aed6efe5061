"""pip for one environment that is being made: put in at once, or while others fill it.

What installs the other packages must not see half of a pip; where it needs none, pip is made
beside the packages, and comes to them by two renames when they are there.
"""

from __future__ import annotations

import os

from bubble.envs.making.seed import pip_seed, plant
from bubble.system.copies import umask
from bubble.system.files import write_new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.version import Version
    from bubble.system.layout import Layout
    from bubble.system.pool import Pool


class Planting:
    """pip for the environment at `root` (absolute), which will lie at `path`.

    `library` is the name of its `lib/python3.12`. Modes are the same whatever the umask.
    """

    def __init__(
        self,
        root: str,
        path: str,
        library: str,
        python: Version,
        layout: Layout,
        pool: Pool | None = None,
    ) -> None:
        self.root = root
        self.path = path
        self.site_packages = f"{root}/lib/{library}/site-packages"
        self.minor = python.minor
        self.layout = layout
        self.seed = pip_seed(layout, python)
        self._pool = pool
        self._beside = ""

    def plant(self) -> None:
        """Put pip in its place."""
        with umask(0o022):
            self._fill(self.site_packages)
            self._write_scripts()

    def plant_beside(self, directory: str) -> None:
        """Make pip in a new directory (absolute, on the same file system) for `move_in`."""
        with umask(0o022):
            os.mkdir(directory)
            self._fill(directory)
        self._beside = directory

    def move_in(self) -> None:
        """Bring what was planted beside to its place, unless the environment has a pip by now."""
        if not self._beside or os.path.lexists(f"{self.site_packages}/pip"):
            return
        for name in ("pip", self.seed.metadata):
            os.rename(f"{self._beside}/{name}", f"{self.site_packages}/{name}")
        with umask(0o022):
            self._write_scripts()

    @property
    def _scripts(self) -> tuple[str, ...]:
        return ("pip", "pip3", f"pip{self.minor}")

    def _fill(self, packages: str) -> None:
        record = plant(self.seed, packages, self.layout, self._pool)
        own = self.seed.metadata
        more = [f"../../../bin/{name}" for name in self._scripts] + [f"{own}/INSTALLER"]
        write_new(f"{packages}/{own}/INSTALLER", "bubble\n")
        record += "".join(f"{name},,\n" for name in more)
        write_new(f"{packages}/{own}/RECORD", record)

    def _write_scripts(self) -> None:
        text = console_script(self.path, "pip._internal.cli.main")
        for name in self._scripts:
            write_new(f"{self.root}/bin/{name}", text, 0o755)


def console_script(path: str, module: str) -> str:
    """Return the script of a `main` function in `module` for the environment at `path`.

    A `#!` line takes no spaces and 127 bytes at most; where the path doesn't fit, sh finds it.
    """
    python = f"{path}/bin/python"
    line = f"#!{python}"
    if " " in python or len(os.fsencode(line)) > 126:
        quoted = python.replace("'", "'\"'\"'")
        line = f"#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''"
    return (
        f"{line}\nimport sys\nfrom {module} import main\n"
        'if __name__ == "__main__":\n    sys.exit(main())\n'
    )
