"""Which files of a build are patched, and how they are written.

Only files that are known to need it are opened, none through a symlink. A patched file is a new
one, renamed over the old: the old may be read-only or have other links.
"""

from __future__ import annotations

import functools
import os
import re
import stat

from bubble.pythons.patch import build_vars, scripts
from bubble.pythons.patch.copied import patch_venv
from bubble.pythons.patch.tcl import patch_tkinter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.model.key import Key

_NO_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SCRIPT_LIMIT = 1 << 16  # bytes: what is larger in bin is no script of ours
_MARKER = "EXTERNALLY-MANAGED"
# PEP 668; pip shows it with its own advice
_MANAGED = """\
[externally-managed]
Error=This Python is managed by bubble and shared by every environment made from it.
 Make an environment, and install there:

     bubble create
     bubble create NAME PACKAGE...
"""
_FIRST_PIP = (23, 0)  # the first pip that heeds PEP 668
# pip reads <sys.prefix>/pip.conf; inside an environment that is the environment's own, so that
# this one speaks for the shared interpreter alone
_PIP_CONF = """\
# This pip is older than PEP 668 and doesn't heed EXTERNALLY-MANAGED: this stands in for it.
# Make an environment with `bubble create`, and install there.
[install]
require-virtualenv = true
[uninstall]
require-virtualenv = true
"""


# which stops more than PEP 668 does: what goes elsewhere, and so every build of a wheel
_REQUIRED = "if options.require_venv and not self.ignore_require_venv:"
_EXEMPTING = """\
elsewhere = ("target_dir", "prefix_path", "root_path", "dry_run")  # bubble: as PEP 668 exempts
        is_elsewhere = any(getattr(options, name, None) for name in elsewhere)
        if options.require_venv and not self.ignore_require_venv and not is_elsewhere:"""
_SAID = '"Could not find an activated virtualenv (required)."'
_SAYING = """\
"Could not find an activated virtualenv (required). This Python is managed by bubble "
                    "and shared: make an environment (bubble create). To install into it at "
                    "your own risk: PIP_REQUIRE_VIRTUALENV=0"
                """


def link_interpreter(root: str, key: Key) -> frozenset[str]:
    """Do the part of `patch` that running the interpreter needs: its links in `bin`."""
    tree = _Tree(root)
    tree.link_interpreter(key)
    return frozenset(tree.changed)


def patch(root: str, prefix: str, key: Key, *, managed: bool = True) -> frozenset[str]:
    """Patch the unpacked build in `root`, which will lie at `prefix` (both absolute).

    Unless it is `managed`, nothing keeps pip from installing into it. Returns the relative paths of
    what was changed or added, links included. Doing it again changes nothing. Raises OSError.
    """
    prefix = prefix.rstrip("/")
    tree = _Tree(root)
    tree.link_interpreter(key)
    names = frozenset(tree.names("bin"))
    for name in sorted(names):
        tree.edit(f"bin/{name}", functools.partial(_patch_bin, names=names), _SCRIPT_LIMIT)
    for name in tree.names("lib/pkgconfig"):
        if name.endswith(".pc"):
            tree.edit(f"lib/pkgconfig/{name}", build_vars.patch_pc)
    for directory in tree.standard_libraries():
        for path, change in _edits(tree, directory, prefix, names):
            tree.edit(path, change)
        if key.platform.os != "windows":
            tree.edit(f"{directory}/venv/__init__.py", patch_venv)
        if scripts_of_tcl := _tcl_of(tree):
            change = functools.partial(patch_tkinter, **scripts_of_tcl)
            tree.edit(f"{directory}/tkinter/__init__.py", change)
        if not managed:
            continue
        tree.add(f"{directory}/{_MARKER}", _MANAGED)
        pip = f"{directory}/site-packages/pip"
        if _is_old_pip(tree.text(f"{pip}/__init__.py")):
            tree.add("pip.conf", _PIP_CONF)
            tree.edit(f"{pip}/_internal/cli/base_command.py", _exempt)
    return frozenset(tree.changed)


def _patch_bin(text: str, names: frozenset[str]) -> str:
    if not text.startswith("#!"):
        return text
    return scripts.patch_config_script(scripts.patch_script(text, names=names))


def _edits(
    tree: _Tree, directory: str, prefix: str, names: frozenset[str]
) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Return (path, change) for each file of the standard library that names its build."""
    for name in tree.names(directory):
        path = f"{directory}/{name}"
        if name.startswith("_sysconfigdata_") and name.endswith(".py"):
            yield path, functools.partial(build_vars.patch_sysconfigdata, prefix=prefix)
        elif name.startswith("_sysconfig_vars_") and name.endswith(".json"):
            yield path, functools.partial(build_vars.patch_sysconfig_json, prefix=prefix)
        elif name == "build-details.json":
            yield path, functools.partial(build_vars.patch_build_details, prefix=prefix)
        elif name.startswith("config-"):
            yield f"{path}/Makefile", functools.partial(build_vars.patch_makefile, prefix=prefix)
            up = "../" * (path.count("/") + 1)
            change = functools.partial(scripts.patch_script, bin_path=f"{up}bin/", names=names)
            yield f"{path}/python-config.py", change


def _tcl_of(tree: _Tree) -> dict[str, str]:
    """Return the directories of `lib` with Tcl's and Tk's scripts, if the build has its own."""
    found = {}
    for name in tree.names("lib"):
        for tool, script in (("tcl", "init.tcl"), ("tk", "tk.tcl")):
            if re.fullmatch(rf"{tool}\d+\.\d+", name) and script in tree.names(f"lib/{name}"):
                found[tool] = name
    return found if len(found) == 2 else {}


def _exempt(text: str) -> str:
    """Return the module of an old pip that looks for an environment, with PEP 668's exemptions."""
    if text.count(_REQUIRED) != 1 or "is_elsewhere" in text:
        return text
    return text.replace(_REQUIRED, _EXEMPTING).replace(
        f"({_SAID})", f"(\n                    {_SAYING})"
    )


def _is_old_pip(module: str) -> bool:
    # dist-info directories of pips that were replaced may still be there: the module knows
    found = re.search(r"^__version__ = [\"'](\d+)\.(\d+)", module, re.MULTILINE)
    return found is not None and (int(found[1]), int(found[2])) < _FIRST_PIP


class _Tree:
    """The files below `root`, by relative paths, and which of them were `changed`."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.changed: set[str] = set()

    def names(self, directory: str) -> list[str]:
        """Return what is in a directory; nothing if it is none, or is behind a symlink."""
        if not self._is_real(directory):
            return []
        return sorted(os.listdir(f"{self.root}/{directory}"))

    def standard_libraries(self) -> list[str]:
        """Return the directories of the standard library (`lib/python3.13t`, `lib/pypy3.10`)."""
        known = [
            f"lib/{name}"
            for name in self.names("lib")
            if re.fullmatch(r"(?:python|pypy|graalpy)[\d.]+[a-z]*", name)
        ]
        known += ["Lib", "lib-python/3"]  # Windows; PyPy before 3.8
        return [
            path
            for path in known
            if self._is_real(path) and os.path.isfile(f"{self.root}/{path}/os.py")
        ]

    def link_interpreter(self, key: Key) -> None:
        """Add `bin/python`, `bin/python3` and `bin/python3.X` where they are missing."""
        present = set(self.names("bin"))
        minor = key.version.minor
        named = [f"python{minor}", f"{key.implementation}{minor}"]
        own = [f"{name}{flag}" for name in named for flag in ("", "t", "d", "td")]
        own += [f"{key.implementation}{key.version[0]}", key.implementation]
        target = next((name for name in own if name in present), None)
        if target is None:
            return
        for name in ("python", "python3", f"python{minor}"):
            if name not in present:
                os.symlink(target, f"{self.root}/bin/{name}")
                self.changed.add(f"bin/{name}")

    def add(self, path: str, text: str) -> None:
        """Write a file, unless there is one with this content."""
        try:
            if self._read(path, 1 << 20)[0] == text:
                return
        except FileNotFoundError:
            pass
        self._write(path, text, 0o644)

    def edit(self, path: str, change: Callable[[str], str], limit: int = 1 << 24) -> None:
        """Replace a regular file's text by what `change` makes of it.

        A missing file, one behind a symlink, one of more than `limit` bytes and one that is not
        UTF-8 stay as they are.
        """
        text, mode = self._text(path, limit)
        changed = change(text) if text else text
        if changed != text:
            self._write(path, changed, mode)

    def text(self, path: str) -> str:
        """Return a file's text; "" for what `edit` wouldn't touch."""
        return self._text(path, 1 << 20)[0]

    def _text(self, path: str, limit: int) -> tuple[str, int]:
        try:
            return self._read(path, limit) if self._is_real(path.rpartition("/")[0]) else ("", 0)
        except FileNotFoundError:
            return "", 0

    def _is_real(self, directory: str) -> bool:
        path = self.root
        for part in directory.split("/"):
            path = f"{path}/{part}"
            try:
                if not stat.S_ISDIR(os.lstat(path).st_mode):
                    return False
            except FileNotFoundError:
                return False
        return True

    def _read(self, path: str, limit: int) -> tuple[str, int]:
        """Return a file's text and mode; "" for what is no small regular file of text."""
        full = f"{self.root}/{path}"
        status = os.lstat(full)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return "", 0
        with open(os.open(full, _NO_FOLLOW), "rb") as file:
            data = file.read()
        try:
            return data.decode(), stat.S_IMODE(status.st_mode)
        except UnicodeDecodeError:
            return "", 0

    def _write(self, path: str, text: str, mode: int) -> None:
        full = f"{self.root}/{path}"
        directory, _, name = full.rpartition("/")
        fresh = f"{directory}/.{name}.bubble-new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(fresh, flags, 0o600), "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))  # the prefix may be any bytes
            os.fchmod(file.fileno(), mode)
        os.rename(fresh, full)
        self.changed.add(path)
