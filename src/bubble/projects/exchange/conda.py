"""`environment.yml`, and the lists that conda exports: what of it PyPI has, and what it hasn't."""

from __future__ import annotations

import os
import re

from bubble.model.text import printable, without_userinfo
from bubble.projects.exchange.conda_names import counterpart
from bubble.projects.exchange.conda_specs import parse_spec
from bubble.projects.exchange.pip_part import PipPart, take_lines
from bubble.projects.exchange.requirement_lines import parse_line
from bubble.projects.exchange.taken import Held, Left, Taken
from bubble.projects.exchange.texts import SMALL, read_text, unusable
from bubble.projects.exchange.yaml import Node, Text, read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.projects.exchange.conda_names import Counterpart
    from bubble.projects.exchange.conda_specs import Spec

_KNOWN = {"name", "channels", "dependencies", "prefix", "platforms"}
_USUAL = {"defaults", "conda-forge", "nodefaults", "anaconda", "main"}
_VARIABLES = "write NAME=VALUE lines into a file: bubble run --env-file FILE"
# conda-lock's and conda-build's selectors behind a line: what of them a marker can say
_SELECTORS = {
    "win": "sys_platform == 'win32'",
    "win64": "sys_platform == 'win32'",
    "linux": "sys_platform == 'linux'",
    "linux64": "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "osx": "sys_platform == 'darwin'",
    "osx64": "sys_platform == 'darwin' and platform_machine == 'x86_64'",
    "arm64": "sys_platform == 'darwin' and platform_machine == 'arm64'",
    "unix": "sys_platform != 'win32'",
    "not win": "sys_platform != 'win32'",
    "not linux": "sys_platform != 'linux'",
    "not osx": "sys_platform != 'darwin'",
}
_SELECTOR = re.compile(r"#\s*\[([^\]]+)\]\s*$")


def take_environment(path: str, root: str) -> Taken:
    """Understand an `environment.yml` (absolute), for the project at `root`.

    Raises BubbleError(usage) for what is none.
    """
    text = read_text(path, SMALL)
    whole = read_yaml(text)
    if not isinstance(whole, Node) or not whole.pairs:
        raise unusable(path, "it is no environment of conda's: it has no keys")
    dependencies = whole.get("dependencies")
    if not isinstance(dependencies, Node) or dependencies.pairs:
        raise unusable(path, "it is no environment of conda's: it has no list of dependencies")
    reader = _Reader(path, root, text.split("\n"))
    for item in dependencies.items:
        reader.item(item)
    for key, value in whole.pairs:
        if key not in _KNOWN:
            why = "bubble has nothing like this key"
            reader.leave(key, _VARIABLES if key == "variables" else why, value.line)
    reader.channels(whole.get("channels"))
    return reader.taken("environment.yml")


def take_list(path: str, root: str) -> Taken:
    """Understand what `conda list --export` or `conda list --explicit` wrote."""
    text = read_text(path, SMALL)
    reader = _Reader(path, root, text.split("\n"))
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()  # noqa: PLW2901 - as it is read
        if not line or line.startswith(("#", "@")):
            continue
        if "://" in line:  # …/linux-64/numpy-1.26.4-py310_0.conda#md5
            name = os.path.basename(line.partition("#")[0])
            parts = re.sub(r"\.(conda|tar\.bz2)$", "", name).rsplit("-", 2)
            line = "=".join(parts) if len(parts) == 3 else name  # noqa: PLW2901
        elif line.endswith(("=pypi_0", "=pypi")):
            name, version = (*line.split("="), "")[:2]
            reader.pip(f"{name}=={version}", number)
            continue
        reader.spec(line, number)
    return reader.taken("conda's list")


class _Reader:
    """What was understood so far."""

    def __init__(self, path: str, root: str, lines: list[str]) -> None:
        self.path = path
        self.root = root
        self.lines = lines
        self.python = ""
        self.dependencies: list[str] = []
        self.part = PipPart()
        self.left: list[Left] = []
        self.notes: list[str] = []
        self.unknown: list[str] = []
        self.builds: list[str] = []

    def item(self, item: Node | Text) -> None:
        """Take one item of `dependencies`: a spec, or `pip:` with a list."""
        if isinstance(item, Text):
            self.spec(item.text, item.line)
            return
        for key, value in item.pairs:
            if key == "pip" and isinstance(value, Node) and not value.pairs:
                for line in value.items:
                    if isinstance(line, Text):
                        self.pip(line.text, line.line)
                    else:
                        self.leave("a list in pip's part", "it is no requirement", line.line)
            elif key == "pip" and isinstance(value, Text) and not value.text:
                continue
            else:
                self.leave(key, "bubble has nothing like this key", item.line)
        if not item.pairs:
            self.leave("a list in dependencies", "it is no dependency", item.line)

    def pip(self, text: str, number: int) -> None:
        """Take one line of pip's part."""
        line = parse_line(re.sub(r"(^|\s)#.*$", "", text).strip(), number, self.path)
        self.part.lines.append(line)

    def spec(self, text: str, number: int) -> None:
        """Take one of conda's own dependencies."""
        spec = parse_spec(text)
        if spec is None:
            self.leave(text, "it is no dependency that conda knows", number)
            return
        if spec.unclear:
            self.notes.append(f"{printable(spec.name, 80)}: {printable(spec.unclear, 120)}; "
                              "it was taken without the version")  # fmt: skip
        if spec.name == "python":
            self._python(spec, number)
            return
        if spec.name == "pip":
            self.leave(text, "every environment has a pip of its own", number)
            return
        found = counterpart(spec.name)
        if not found.name:
            self.leave(text, found.why, number)
        elif not found.known and spec.channel.rpartition("/")[2] == "bioconda":
            self.leave(text, "bioconda has programs, mostly: if it is Python's, add it", number)
        else:
            self._mapped(spec, found, number)

    def _mapped(self, spec: Spec, found: Counterpart, number: int) -> None:
        """Take what PyPI has, and note what is different about it."""
        if not found.known:
            self.unknown.append(spec.name)
        if found.note:
            self.notes.append(f"{spec.name}: {found.note}")
        if "cuda" in spec.build or "cpu_" in spec.build or spec.build.startswith("cpu"):
            self.notes.append(f"{spec.name}: conda's build was {printable(spec.build, 60)}")
        elif spec.build:
            self.builds.append(spec.name)
        marker = self._marker(number) or found.marker
        line = f"{found.name}{spec.version}" + (f" ; {marker}" if marker else "")
        self.dependencies.append(line)

    def _marker(self, number: int) -> str:
        selector = _SELECTOR.search(self.lines[number - 1]) if number <= len(self.lines) else None
        if not selector:
            return ""
        words = " ".join(selector[1].split())
        if words not in _SELECTORS:
            self.notes.append(f"line {number}: [{printable(words, 60)}] was not understood, and "
                              "it was taken for every platform")  # fmt: skip
        return _SELECTORS.get(words, "")

    def _python(self, spec: Spec, number: int) -> None:
        if "pypy" in spec.build:
            self.notes.append('python is PyPy in it: ask for one by python = "pypy3.10"')
        if spec.version.startswith("==") and "," not in spec.version:
            self.python = spec.version[2:].removesuffix(".*")
        elif "!=" in spec.version:
            self.leave(f"python{spec.version}", "a request has no != in it", number)
        else:
            self.python = spec.version

    def channels(self, value: Node | Text | None) -> None:
        """Note the channels that packages of their own came from."""
        items = value.items if isinstance(value, Node) else (value,) if value else ()
        for item in items:
            if isinstance(item, Text) and item.text and item.text.lower() not in _USUAL:
                shown = printable(without_userinfo(item.text.partition("?")[0]), 120)
                shown = re.sub(r"/t/[^/]+", "/t/****", shown)  # conda's token
                self.leave(f"channel {shown}", "what it alone has isn't on PyPI", item.line)

    def leave(self, what: str, why: str, line: int) -> None:
        """Remember what has no place."""
        self.left.append(Left(what=printable(without_userinfo(what), 120), why=why, line=line))

    def taken(self, kind: str) -> Taken:
        """Return it all."""
        if self.unknown:
            self.notes.append(f"not in the table of names, taken as they are: "
                              f"{_some(self.unknown)}")  # fmt: skip
        if self.builds:
            self.notes.append(f"build strings have no counterpart: {_some(self.builds)}")
        held = take_lines(
            self.part, Held(dependencies=tuple(dict.fromkeys(self.dependencies))), self.path,
            self.root,
        )  # fmt: skip
        return Taken(
            kind=kind,
            python=self.python,
            bubbles=(held,),
            left=(*self.left, *self.part.left),
            notes=tuple(dict.fromkeys((*self.notes, *self.part.notes))),
        )


def _some(names: Iterable[str]) -> str:
    shown = [printable(name, 60) for name in dict.fromkeys(names)]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if shown[12:] else "")
