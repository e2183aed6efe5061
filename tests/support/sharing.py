"""A store in which environments are filled as an installer fills them, and share what they can.

Without an installer: a package with its RECORD and bytecode, written by hand.
"""

from __future__ import annotations

import base64
import hashlib
import os
import py_compile
import stat
import sys

from bubble.envs.making.sharing import share
from bubble.system.pool import VARIABLE, pool_for
from support.handmade import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
TAG = sys.implementation.cache_tag
INFO = "tool-1.0.dist-info"
TEXTS = {
    "tool/__init__.py": "NAMES = {'a', 'b'}\n\ndef name():\n    return NAMES\n",
    "tool/deep/module.py": "class Deep:\n    def __str__(self):\n        return 'deep'\n",
    "tool/data.txt": "data\n" * 3000,
    "tool/empty.py": "",
    "single.py": "def single():\n    pass\n",
    "tool/cacert.pem": "people add to it\n",
    "tool/settings.cfg": "[tool]\n",
    "hook.pth": "import os\n",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n",
    f"{INFO}/INSTALLER": "pip\n",
    f"{INFO}/direct_url.json": "{}",
}
OWN = {
    "hook.pth",
    "tool/cacert.pem",
    "tool/settings.cfg",
    f"{INFO}/INSTALLER",
    f"{INFO}/direct_url.json",
    f"{INFO}/RECORD",
    "unlisted.py",
}


def compiled(source: str) -> str:
    above, name = os.path.split(source)
    return os.path.join(above, "__pycache__", f"{name.removesuffix('.py')}.{TAG}.pyc")


SOURCES = [path for path in TEXTS if path.endswith(".py")]
FILES = {*TEXTS, *map(compiled, SOURCES)} - OWN


class Shelf:
    """A store in which environments are filled, as an installer does it, and then share."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.count = 0
        os.makedirs(layout.home)

    def filled(self, texts: dict[str, str] | None = None, *, installer: str = "pip") -> str:
        """Return a new environment with the package, of its own time and in a place of its own."""
        self.count += 1
        root = f"{self.layout.envs}/{'x' * self.count}.token{self.count:04}"
        lines = []
        for path, text in {**TEXTS, **(texts or {}), f"{INFO}/INSTALLER": installer}.items():
            file = write(f"{root}/{PACKAGES}/{path}", text)
            os.chmod(file, 0o644)
            os.utime(file, (1_600_000_000 + self.count,) * 2)
            digest = hashlib.sha256(text.encode()).digest()
            coded = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            lines.append(f"{path},sha256={coded},{len(text)}\n")
            if path.endswith(".py"):
                made = compiled(f"{root}/{PACKAGES}/{path}")
                py_compile.compile(file, made, doraise=True)
                os.chmod(made, 0o644)
                lines.append(f"{compiled(path)},,\n")
        lines += [f"{INFO}/RECORD,,\n", "../../../bin/tool,sha256=abc,3\n", "/etc/hostname,,\n"]
        write(f"{root}/{PACKAGES}/{INFO}/RECORD", "".join(lines))
        write(f"{root}/{PACKAGES}/unlisted.py", "mine = 1\n")
        return root

    def add(self, texts: dict[str, str] | None = None, **options: str) -> str:
        """Return a new environment that has shared what it can."""
        root = self.filled(texts, **options)
        self.share(root)
        assert not any(name.startswith(".bubble") for name in os.listdir(root))
        return root

    def share(self, root: str) -> None:
        """Let an environment share, by links, as root as well."""
        pool = pool_for(root, self.layout, {VARIABLE: "links"})
        if pool is not None:
            try:
                share(root, pool)
            finally:
                pool.close()


def shared(one: str, other: str) -> set[str]:
    base = f"{one}/{PACKAGES}"
    paths = [
        os.path.relpath(f"{above}/{name}", base)
        for above, _, names in os.walk(base)
        for name in names
    ]
    return {
        path
        for path in paths
        if os.path.exists(f"{other}/{PACKAGES}/{path}")
        and os.path.samefile(f"{base}/{path}", f"{other}/{PACKAGES}/{path}")
    }


def contents(root: str) -> dict[str, tuple[bytes, int]]:
    """Return what every file has, and its mode."""
    found = {}
    for above, _, names in os.walk(root):
        for name in names:
            with open(f"{above}/{name}", "rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                found[os.path.relpath(f"{above}/{name}", root)] = (file.read(), mode)
    return found


def require_fresh(root: str) -> None:
    """Fail unless every source's bytecode is what the interpreter takes without compiling."""
    for path in SOURCES:
        source = f"{root}/{PACKAGES}/{path}"
        with open(compiled(source), "rb") as file:
            data = file.read()
        info = os.stat(source)
        assert data[8:12] == int(info.st_mtime).to_bytes(4, "little"), path
        assert data[12:16] == info.st_size.to_bytes(4, "little"), path
